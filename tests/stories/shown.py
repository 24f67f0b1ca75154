"""The read models that come out of a story, and what is compared of them."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from services.query.feed.database import Database, open_database
from services.query.feed.generations import Generations
from services.query.feed.read_model import ReadModel
from services.query.feed.tables import READ_MODELS
from services.query.recorder import RecordedEvent
from shared.events.catalogue import CASE_EVENTS
from shared.events.fields import Sealed
from shared.events.parsing import read_case_event
from shared.keys.client import Keys
from shared.keys.messages import SealedValue
from tests.stories.play import Play
from tests.stories.script import Expect

RowOf = dict[str, Any]
Tables = dict[str, list[RowOf]]
Compared = dict[str, list[tuple[str, ...]]]

IN_ANY_ORDER = frozenset(
    {
        *("version", "sequence", "recorded_at", "happened_at", "last_event_at"),
        "contact_heard_at",
    }
)
"""Columns that say when a thing was recorded, or in which order."""
SINCE = re.compile(r".*since_at|.*_changed_at")
"""So do these: since when the case waits, by the server's clock."""
HASH = re.compile(r"\b([0-9]{1,3}-)?([0-9a-f]{64}|[0-9a-f]{32})\b")


@contextmanager
def read_model(folder: Path, name: str, after: int) -> Iterator[tuple[Database, ReadModel]]:
    """A new and empty read model that follows the log from a sequence on."""
    file = folder / f"{name}.db"
    database = open_database(f"sqlite:///{file}")
    generations = Generations(database)
    generations.open()
    with database.writer.begin() as connection:
        connection.execute(update(READ_MODELS).values(sequence=after))
    try:
        yield database, generations.following
    finally:
        database.dispose()
        for left in folder.glob(f"{name}.db*"):
            left.unlink()


def tables_of(database: Database, model: ReadModel) -> Tables:
    with database.reader.begin() as connection:
        return {
            name: [
                dict(row._mapping)
                for row in connection.execute(select(table).order_by(*table.primary_key.columns))
            ]
            for name, table in model.tables.by_name.items()
        }


def after_events(folder: Path, events: Sequence[RecordedEvent], at_once: int) -> Tables:
    """The read models after events of the log, so many in one transaction."""
    base = events[0].id - 1
    with read_model(folder, f"{base}-{at_once}", base) as (database, model):
        checkpoint = base
        for start in range(0, len(events), at_once):
            batch = events[start : start + at_once]
            assert model.apply(batch, checkpoint) == 0, "a message was put aside"
            checkpoint = batch[-1].id
        return tables_of(database, model)


def compared(tables: Tables, play: Play) -> Compared:
    """What must be equal however the facts were ordered: with the story's names for ids."""
    names = sorted(
        ((value, name) for name, value in play.names.items() if len(value) > 6), key=lambda p: p[0]
    )
    left_out = IN_ANY_ORDER | set(play.story.by_arrival)
    return {
        table: sorted(_named(row, names, left_out) for row in rows)
        for table, rows in tables.items()
        if table != "archive"
    }


def differences(one: Compared, other: Compared) -> list[str]:
    """What differs: of rows that only one of two has, the columns that are unlike."""
    found = []
    for table in one:
        ours = sorted((Counter(one[table]) - Counter(other[table])).elements())
        theirs = sorted((Counter(other[table]) - Counter(one[table])).elements())
        for mine, his in zip_longest(ours, theirs, fillvalue=()):
            found.append(f"{table}: {set(mine) - set(his)} where {set(his) - set(mine)} was")
    return found


def _named(
    row: RowOf, names: Sequence[tuple[str, str]], left_out: Collection[str]
) -> tuple[str, ...]:
    return tuple(
        f"{key}={_by_name(repr(plain(value)), names)}"
        for key, value in row.items()
        if key not in left_out and not SINCE.fullmatch(key)
    )


def _by_name(text: str, names: Sequence[tuple[str, str]]) -> str:
    for value, name in reversed(names):
        text = text.replace(value, f"@{name}")
    return HASH.sub("#", text)


def plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, tuple):
        return list(value)
    return value


def is_shown(row: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(key in row and plain(row[key]) == value for key, value in wanted.items())


def check(expect: Expect, play: Play, tables: Tables, keys: Keys) -> None:
    """Compares what is shown of a case with what the story says. Raises AssertionError."""
    case_id = play.names[expect.case]
    (row,) = (one for one in tables["case_list"] if one["case_id"] == case_id)
    wanted = play.resolved(expect.row)
    found = {key: plain(row.get(key, "(no such column)")) for key in wanted}
    wrong = {key: found[key] for key in wanted if found[key] != wanted[key]}
    assert not wrong, f"case {expect.case} shows {wrong}"
    if expect.either:
        hits = [one for one in play.resolved(expect.either) if is_shown(row, one)]
        assert len(hits) == 1, {key: plain(value) for key, value in row.items()}
    if expect.timeline is not None:
        lines = [one for one in tables["case_timeline"] if one["case_id"] == case_id]
        found_types = [one["type_name"] for one in lines]
        same = sorted if play.chance is not None else list
        assert same(found_types) == same(expect.timeline), f"case {expect.case}"
    for name, rows in expect.tables.items():
        _check_table(name, play.resolved(rows), [r for r in tables[name] if _is_of(r, case_id)])
    for personal_class, state in expect.sealed.items():
        assert states_of(play.events, case_id, personal_class, keys) == (
            set() if state == "none" else {state}
        ), f"{personal_class} of case {expect.case}"


def _is_of(row: Mapping[str, Any], case_id: str) -> bool:
    return any(row.get(name) == case_id for name in ("case_id", "group_id", "lead", "about_case"))


def _check_table(name: str, wanted: list[RowOf], found: list[RowOf]) -> None:
    shown = [{key: plain(value) for key, value in row.items()} for row in found]
    assert len(found) == len(wanted), f"{name}: {shown}"
    for one in wanted:
        assert any(is_shown(row, one) for row in found), f"{name}: {one} is not in {shown}"


def states_of(
    events: Sequence[RecordedEvent], case_id: str, personal_class: str, keys: Keys
) -> set[str]:
    """What becomes of opening every value that a case's events seal in a class."""
    values = []
    for stored in events:
        if str(stored.originator_id) != case_id:
            continue
        event = read_case_event(bytes(stored.state), stored.topic)
        for name, one in CASE_EVENTS[stored.topic].PERSONAL.items():
            sealed = getattr(event.data, name)
            if one == personal_class and isinstance(sealed, Sealed):
                values.append(SealedValue.of(event, name))
    return (
        {one.state for one in keys.open(values, "operator:story", "a story")} if values else set()
    )
