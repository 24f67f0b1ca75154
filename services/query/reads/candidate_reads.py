"""Reads for the question "who is this caller?": cases found by a key, episodes, statements."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Subquery, and_, func, or_, select

from services.query.feed.tables import Tables
from services.query.masking import Erased, erased_in
from services.query.models.lookups import Kind
from services.query.reads.cases import Reads
from services.query.reads.served import Snapshot, answered
from services.query.reads.slices import read_events, stored
from shared.events import intake
from shared.events.base import CaseEvent, Event

WHO_HE_IS: tuple[type[Event], ...] = (
    intake.PersonalDataProvided,
    intake.PersonalDataErased,
    intake.ContactRuleSet,
)
CALLS: tuple[type[Event], ...] = (intake.CaseOpened, intake.CallLinked)
SAID_MAX = 200
"""The last events of each type read per case: thousands may have called in it."""
BODIES_AT_ONCE = 8
"""A call may have half a megabyte, and query lacks the memory for two hundred of those."""
COMPARED = frozenset({"caller_address", "identity", "unit"})
"""The personal fields that are opened to be compared."""
EPISODES_MAX = 100
"""A longer chain isn't followed to its end; nobody calls in that many episodes."""

Hits = Mapping[str, Collection[Kind]]
"""Case -> the kinds of keys that found it."""


class Said(NamedTuple):
    """What bears on who somebody is, from one case's events, in order."""

    events: Sequence[CaseEvent[Any]]
    """Without the sealed values that aren't compared."""
    erased: Erased


class CandidateReads(Reads):
    """Always by an index."""

    @answered
    def hits(self, snapshot: Snapshot, keys: Mapping[Kind, Sequence[str]]) -> Hits:
        table = snapshot.tables.lookups
        wanted = [
            and_(table.c.kind == kind, table.c.key.in_(values))
            for kind, values in keys.items()
            if values
        ]
        found: defaultdict[str, set[Kind]] = defaultdict(set)
        if wanted:
            for row in snapshot.connection.execute(select(table).where(or_(*wanted))):
                found[row.case_id].add(row.kind)
        return found

    @answered
    def latest_episodes(self, snapshot: Snapshot, ids: Collection[str]) -> dict[str, str]:
        latest = {one: one for one in ids}
        for _ in range(EPISODES_MAX):
            following = _following(snapshot, set(latest.values()))
            if not following:
                break
            latest = {one: following.get(last, last) for one, last in latest.items()}
        return latest

    @answered
    def said(
        self, snapshot: Snapshot, ids: Collection[str], types: Sequence[type[Event]] = WHO_HE_IS
    ) -> dict[str, Said]:
        """What was said in these cases of who they are, and when they may be called."""
        last = _last_of_each(snapshot.tables, ids, [one.__name__ for one in types])
        query = select(last.c.sequence).where(last.c.place <= SAID_MAX)
        ordered = query.order_by(last.c.sequence)
        sequences = snapshot.connection.execute(ordered).scalars().all()
        events: defaultdict[str, list[CaseEvent[Any]]] = defaultdict(list)
        for event in _compared_at(snapshot, sequences):
            events[event.subject].append(event)
        return {case_id: Said(found, erased_in(found)) for case_id, found in events.items()}


def _last_of_each(tables: Tables, ids: Collection[str], types: Sequence[str]) -> Subquery:
    """Numbers the events of these types, from the last one of each type in each case."""
    timeline = tables.case_timeline
    place = func.row_number().over(
        partition_by=(timeline.c.case_id, timeline.c.type_name),
        order_by=timeline.c.version.desc(),
    )
    return (
        select(timeline.c.sequence, timeline.c.case_id, timeline.c.version, place.label("place"))
        .where(timeline.c.case_id.in_(ids), timeline.c.type_name.in_(types))
        .subquery()
    )


def _compared_at(snapshot: Snapshot, sequences: Sequence[int]) -> Iterator[CaseEvent[Any]]:
    """The events at some sequences, as far as they are compared."""
    place = snapshot.tables.archive.c.sequence
    for start in range(0, len(sequences), BODIES_AT_ONCE):
        some = sequences[start : start + BODIES_AT_ONCE]
        query = select(*stored(snapshot.tables)).where(place.in_(some)).order_by(place)
        for event in (item.event for item in read_events(snapshot.connection, query)):
            unused = dict.fromkeys(type(event.data).PERSONAL.keys() - COMPARED)
            yield event.model_copy(update={"data": event.data.model_copy(update=unused)})


def _following(snapshot: Snapshot, ids: set[str]) -> dict[str, str]:
    """Case -> the case that continues it."""
    table = snapshot.tables.lookups
    query = select(table.c.key, table.c.case_id).where(
        table.c.kind == "previous_case", table.c.key.in_(ids)
    )
    return {row.key: row.case_id for row in snapshot.connection.execute(query)}
