"""The write path on the library's in-memory log: once for a cause, in versions, in a chain."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import pytest
from eventsourcing.persistence import StoredEvent

from shared.events.base import FIRST_PREVHASH, CaseEvent, Event, chain_hash
from shared.events.calls import CallEnded
from shared.events.fields import Plain
from shared.events.intake import (
    CallLinked,
    CaseReopened,
    DuressCleared,
    DuressSignalled,
    NoteAdded,
)
from shared.events.parsing import read_case_event
from shared.keys.messages import SealedValue
from shared.log.case_log import ChainBrokenError, Fold
from shared.log.history import Histories, History
from shared.log.transact import Cause, Outcome, Seen, transact
from shared.refusals import Guard, RefusedError, require
from shared.skeleton.service import Context
from tests.contexts import NOW, context_for
from tests.examples import CASE

FULL = Guard("room_left", "fewer notes")


@dataclass(frozen=True)
class Notes:
    count: int = 0


def evolve(state: Notes, _event: CaseEvent[Any]) -> Notes:
    return replace(state, count=state.count + 1)


def add_note(state: Notes) -> list[Event]:
    return [NoteAdded(text=Plain(f"note {state.count}"))]


def context() -> Context:
    return context_for("intake", Fold(Notes(), evolve))


def cause(message: str, seen: int | None = None, *, despite_calls: bool = False) -> Cause:
    decided_on = None if seen is None else Seen(seen, despite_calls)
    return Cause(message, "story-1", "operator:Olena Example", "/services/intake", NOW, decided_on)


def stored(at: Context) -> list[StoredEvent]:
    return list(at.writer.log.recorder.select_events(CASE))


def test_what_is_decided_is_in_the_log_sealed_and_chained() -> None:
    at = context()
    transact(at.writer, CASE, cause("m1"), add_note)
    transact(at.writer, CASE, cause("m2"), add_note)
    first, second = stored(at)
    event = read_case_event(first.state)
    assert event.prevhash == FIRST_PREVHASH
    assert read_case_event(second.state).prevhash == chain_hash(first.state)
    assert b"note 0" not in first.state
    (opened,) = at.keys.open([SealedValue.of(event, "text")], "Olena Example", "a test")
    assert opened.text == "note 0"


def test_the_same_message_again_is_answered_as_before_and_stores_nothing() -> None:
    at = context()
    first = transact(at.writer, CASE, cause("m1"), add_note)
    transact(at.writer, CASE, cause("m2"), add_note)
    again = transact(at.writer, CASE, cause("m1"), add_note)
    assert (again.result, again.version) == ("repeated", first.version)
    assert len(stored(at)) == 2


def test_a_message_again_by_another_actor_is_refused_and_stores_nothing() -> None:
    at = context()
    transact(at.writer, CASE, cause("m1"), add_note)
    transact(at.writer, CASE, replace(cause("m2"), actor="operator:Another Person"), add_note)
    with pytest.raises(RefusedError, match="own_command"):
        transact(at.writer, CASE, replace(cause("m1"), actor="operator:Another Person"), add_note)
    assert transact(at.writer, CASE, cause("m1"), add_note).result == "repeated"
    assert len(stored(at)) == 2


def test_several_facts_of_one_decision_are_recorded_together() -> None:
    at = context()

    def decide(_: Notes) -> list[Event]:
        return [NoteAdded(text=Plain("one")), CaseReopened(reason=Plain("two"))]

    outcome = transact(at.writer, CASE, cause("m1"), decide)
    assert (outcome.version, outcome.events) == (2, ("NoteAdded", "CaseReopened"))


def test_nothing_to_do_is_a_normal_outcome() -> None:
    at = context()
    assert transact(at.writer, CASE, cause("m1"), lambda _: []).result == "ignored"
    assert stored(at) == []


def test_a_refusal_names_its_guard_and_the_version_decided_on() -> None:
    at = context()
    transact(at.writer, CASE, cause("m1"), add_note)

    def decide(state: Notes) -> list[Event]:
        require(state.count < 1, FULL)
        return []

    with pytest.raises(RefusedError) as refused:
        transact(at.writer, CASE, cause("m2"), decide)
    assert (refused.value.guard, refused.value.version) == (FULL, 1)


def test_a_decision_on_an_old_version_is_refused_with_what_changed_since() -> None:
    at = context()
    transact(at.writer, CASE, cause("m1"), add_note)
    transact(at.writer, CASE, cause("m2"), lambda _: [CaseReopened(reason=Plain("mistake"))])
    with pytest.raises(RefusedError) as refused:
        transact(at.writer, CASE, cause("m3", seen=1), add_note)
    assert refused.value.guard.name == "seen_version"
    assert refused.value.changed_since == ("CaseReopened",)
    assert transact(at.writer, CASE, cause("m3", seen=2), add_note).version == 3


CALLED = CallLinked(
    call_id="call-2",
    channel="phone",
    language="ru",
    started_at=NOW,
    basis="caller",
    confidence=1,
)
ENDED = CallEnded(call_id="call-1", channel="phone", ended_at=NOW)
DURESS = DuressSignalled(call_id="call-1", channel="phone")
CLEARED = DuressCleared(by="Olena Example", reason=Plain("a comrade called"))
REOPENED = CaseReopened(reason=Plain("mistake"))


@pytest.mark.parametrize(
    ("since", "despite_calls", "holds"),
    [
        ([ENDED], False, True),
        ([CALLED], False, False),
        ([CALLED, ENDED, CALLED], True, True),
        ([CALLED, REOPENED], True, False),
    ],
)
def test_a_decision_holds_although_calls_ended_and_came_if_it_is_to_hold_despite_calls(
    since: list[Event], despite_calls: bool, holds: bool
) -> None:
    at = context()
    transact(at.writer, CASE, cause("m1"), add_note)
    transact(at.writer, CASE, cause("m2"), lambda _: since)
    decided = cause("m3", seen=1, despite_calls=despite_calls)
    if holds:
        assert transact(at.writer, CASE, decided, add_note).version == len(since) + 2
    else:
        with pytest.raises(RefusedError, match="seen_version"):
            transact(at.writer, CASE, decided, add_note)


@pytest.mark.parametrize(
    ("before", "despite_calls", "holds"),
    [([DURESS], True, True), ([DURESS], False, False), ([], True, False), ([CLEARED], True, False)],
)
def test_duress_that_stood_already_may_be_signalled_again_before_a_decision(
    before: list[Event], despite_calls: bool, holds: bool
) -> None:
    at = context()
    transact(at.writer, CASE, cause("m1"), lambda _: [CALLED, *before])
    transact(at.writer, CASE, cause("m2"), lambda _: [CALLED, DURESS])
    decided = cause("m3", seen=1 + len(before), despite_calls=despite_calls)
    if holds:
        assert transact(at.writer, CASE, decided, add_note).version == 5
    else:
        with pytest.raises(RefusedError, match="seen_version"):
            transact(at.writer, CASE, decided, add_note)


def test_a_decision_on_a_version_that_the_case_has_not_is_refused() -> None:
    at = context()
    transact(at.writer, CASE, cause("m1"), add_note)
    with pytest.raises(RefusedError, match="seen_version"):
        transact(at.writer, CASE, cause("m2", seen=2, despite_calls=True), add_note)


def test_a_stale_fold_neither_refuses_nor_overwrites() -> None:
    at = context()
    transact(at.writer, CASE, cause("m1"), add_note)
    stale = at.writer.log.load(CASE)
    transact(at.writer, CASE, cause("m2"), add_note)
    # Another process wrote version 2: this one still remembers version 1.
    at.writer.log._kept = Histories()
    at.writer.log.remember(stale)

    def decide(state: Notes) -> list[Event]:
        require(state.count == 2, FULL)
        return add_note(state)

    assert transact(at.writer, CASE, cause("m3"), decide).version == 3


def test_fifty_threads_on_one_case_lose_nothing() -> None:
    at = context()

    def write(number: int) -> Outcome:
        return transact(at.writer, CASE, cause(f"m{number}"), add_note)

    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(write, range(50)))
    assert sorted(outcome.version for outcome in outcomes) == list(range(1, 51))


def test_an_altered_or_missing_event_breaks_the_chain_at_load() -> None:
    at = context()
    for number in range(3):
        transact(at.writer, CASE, cause(f"m{number}"), add_note)
    events, empty = stored(at), History(CASE, Notes())
    log = at.writer.log
    assert log.extend(empty, events).version == 3
    with pytest.raises(ChainBrokenError, match="version 2"):
        log.extend(empty, [events[0], events[2]])
    altered = replace(events[0], state=events[0].state.replace(b"Olena", b"Petro"))
    with pytest.raises(ChainBrokenError, match="version 2"):
        log.extend(empty, [altered, *events[1:]])
