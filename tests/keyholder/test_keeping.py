"""An erasure is obeyed only where it stands in its case's unbroken chain; one rotation a night."""

import contextlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from services.keyholder import handlers
from services.keyholder.access import Records
from services.keyholder.holder import Holder
from services.keyholder.lock import Lock
from services.keyholder.main import budgets_of
from services.keyholder.people import Keeping
from services.keyholder.secrets import read_secrets
from shared.bus.timers import Timer
from shared.events.base import FIRST_PREVHASH, Event
from shared.events.fields import Plain
from shared.events.intake import NoteAdded, PersonalDataErased
from shared.events.parsing import read_case_event
from shared.events.people import DecisionProposed
from shared.events.shifts import WordsErased
from shared.keys.messages import Denied, Open, SealedValue
from shared.log.transact import Writer
from shared.parked.parking import Delivery, UnprocessableError
from shared.policy import policy
from shared.settings import Settings
from tests.contexts import NOW, MemoryBucket, context_for, delivered, fire, record
from tests.examples import OTHER_CASE
from tests.keyholder.conftest import CASE, ring
from tests.rarer_examples import of_decisions

ERASED = PersonalDataErased(classes=("narrative",), legal_basis="court_order", by="Olena Example")


@pytest.fixture
def keeping(bucket: MemoryBucket, folder: Path) -> Keeping:
    return Keeping(
        budgets=budgets_of(Settings()),
        holder=Holder(ring(bucket, folder)),
        records=cast("Records", _NoRecords()),
        policy=policy(),
        lock=Lock(),
        log=context_for("keyholder", handlers.ERASURES_OF_CASE).writer.log,
        folder=folder,
        now=lambda: NOW,
    )


class _NoRecords:
    def opening(self, *_: object) -> None:
        """Nothing is recorded here."""


def recorded(keeping: Keeping, *events: Event, source: str = "/services/intake") -> None:
    record(Writer(keeping.log, keeping.holder), *events, source=source)


def note() -> NoteAdded:
    return NoteAdded(text=Plain("calm"))


def delivery(keeping: Keeping, version: int, subject: str = CASE, **forged: Any) -> Delivery:
    stored = list(keeping.log.recorder.select_events(CASE))[version - 1]
    event = read_case_event(stored.state, stored.topic).model_copy(update=forged)
    body = event.model_dump_json(exclude_none=True).encode()
    return delivered(f"cases.{subject}.{event.caseversion}.{stored.topic}", body)


def state_of(keeping: Keeping, version: int) -> str:
    stored = list(keeping.log.recorder.select_events(CASE))[version - 1]
    value = SealedValue.of(read_case_event(stored.state, stored.topic), "text")
    return keeping.holder.open([value], "Olena Example", "a test")[0].state


def test_an_erasure_of_the_chain_is_carried_out_once(keeping: Keeping) -> None:
    recorded(keeping, note(), ERASED)
    handlers.receive_erasure(keeping, delivery(keeping, 2))
    recorded(keeping, note())
    handlers.receive_erasure(keeping, delivery(keeping, 2))
    assert [state_of(keeping, 1), state_of(keeping, 3)] == ["erased", "open"]


@pytest.mark.parametrize(
    ("forged", "reason"),
    [
        ({"id": "another"}, "chain_broken"),
        ({"caseversion": 1}, "chain_broken"),
        ({"caseversion": 60_000}, "chain_broken"),
        ({"prevhash": FIRST_PREVHASH}, "chain_broken"),
        ({"data": ERASED.model_copy(update={"classes": ("identity",)})}, "chain_broken"),
        ({"source": "/services/query"}, "wrong_envelope"),
        ({"subject": OTHER_CASE}, "wrong_envelope"),
    ],
)
def test_an_erasure_that_is_not_of_the_chain_destroys_nothing(
    keeping: Keeping, bucket: MemoryBucket, forged: dict[str, Any], reason: str
) -> None:
    recorded(keeping, note(), ERASED)
    there = dict(bucket.kept)
    with pytest.raises(UnprocessableError, match=reason):
        handlers.receive_erasure(keeping, delivery(keeping, 2, **forged))
    assert bucket.kept == there
    assert state_of(keeping, 1) == "open"


def test_an_erasure_in_another_ones_name_destroys_nothing(keeping: Keeping) -> None:
    recorded(keeping, note())
    recorded(keeping, ERASED, source="/services/handover")
    with pytest.raises(UnprocessableError, match="wrong_envelope"):
        handlers.receive_erasure(keeping, delivery(keeping, 2))
    assert state_of(keeping, 1) == "open"


WORDS_ERASED = WordsErased(erased_case=CASE)


def remark() -> DecisionProposed:
    return of_decisions()[0].model_copy(update={"command": Plain("{}")})  # type: ignore[return-value]


def state_in(keeping: Keeping, log_id: str) -> str:
    first = next(iter(keeping.log.recorder.select_events(log_id)))
    event = read_case_event(first.state, first.topic)
    (field,) = type(event.data).PERSONAL
    value = SealedValue.of(event, field)
    return keeping.holder.open([value], "Olena Example", "a test")[0].state


@pytest.mark.parametrize(
    ("log_id", "told", "source", "state"),
    [
        ("DECISION-1", remark(), "/services/desk", "erased"),
        ("SHIFT-1", remark(), "/services/desk", "erased"),
        ("DECISION-1", remark(), "/services/intake", "open"),
        ("PERSON-olena", remark(), "/services/desk", "open"),
        (OTHER_CASE, note(), "/services/desk", "open"),
    ],
)
def test_desk_erases_words_in_its_own_logs_only(
    keeping: Keeping, log_id: str, told: Event, source: str, state: str
) -> None:
    writer = Writer(keeping.log, keeping.holder)
    record(writer, told, WORDS_ERASED, case_id=log_id, source=source)
    last = list(keeping.log.recorder.select_events(log_id))[-1]
    given = delivered(f"cases.{log_id}.{last.originator_version}.{last.topic}", last.state)
    with contextlib.suppress(UnprocessableError):
        handlers.receive_erasure(keeping, given)
    assert state_in(keeping, log_id) == state


def test_intake_erases_nothing_in_a_log_of_desks(keeping: Keeping) -> None:
    writer = Writer(keeping.log, keeping.holder)
    record(writer, remark(), ERASED, case_id="DECISION-1", source="/services/intake")
    last = list(keeping.log.recorder.select_events("DECISION-1"))[-1]
    given = delivered(f"cases.DECISION-1.{last.originator_version}.{last.topic}", last.state)
    with pytest.raises(UnprocessableError, match="wrong_envelope"):
        handlers.receive_erasure(keeping, given)


class _Closing:
    """Seals the installation between the record of an access and the opening."""

    def __init__(self, keeping: Keeping, idle: bool) -> None:
        self.keeping, self.idle = keeping, idle

    def opening(self, *_: object) -> None:
        if self.idle:
            self.keeping.lock.close()
        else:
            handlers.keep(self.keeping, "close", b"")


@pytest.mark.parametrize("idle", [True, False])
def test_what_is_under_way_while_it_closes_is_answered_as_sealed(
    keeping: Keeping, idle: bool
) -> None:
    recorded(keeping, note())
    stored = next(iter(keeping.log.recorder.select_events(CASE)))
    value = SealedValue.of(read_case_event(stored.state, stored.topic), "text")
    asked = Open(by="Olena Example", purpose="a test", values=(value,))
    closing = replace(keeping, records=cast("Records", _Closing(keeping, idle)))
    answered = handlers.respond(
        closing, "keyholder.open.query", asked.model_dump_json().encode(), True
    )
    assert Denied.model_validate_json(answered or b"") == handlers.SEALED


def due(kind: str) -> Delivery:
    return fire("keyholder", Timer(kind=kind))


def at(keeping: Keeping, hours: int) -> Keeping:
    """So many hours after the keys were made."""
    return replace(keeping, now=lambda: datetime.now(UTC) + timedelta(hours=hours))


def epochs(keeping: Keeping) -> list[int]:
    return sorted(read_secrets(keeping.folder).keks)


def test_a_night_rotates_once_however_often_its_timer_comes(keeping: Keeping) -> None:
    assert handlers.receive_timer(at(keeping, 20), due(handlers.ROTATION)).result == "recorded"
    assert handlers.receive_timer(at(keeping, 0), due(handlers.ROTATION)).result == "ignored"
    assert handlers.receive_timer(at(keeping, 1), due(handlers.ROTATION)).result == "ignored"
    assert epochs(keeping) == [1, 2]


def test_four_nights_leave_three_epochs(keeping: Keeping) -> None:
    for _ in range(4):
        handlers.receive_timer(at(keeping, 20), due(handlers.ROTATION))
    assert epochs(keeping) == [3, 4, 5]


def test_another_timer_is_parked(keeping: Keeping) -> None:
    with pytest.raises(UnprocessableError, match="wrong_data"):
        handlers.receive_timer(keeping, due("other"))
