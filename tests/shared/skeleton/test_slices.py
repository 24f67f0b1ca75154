"""Parts of a state, of which each is changed by the events that its fold reads."""

from dataclasses import dataclass, replace
from typing import Any

from shared.events.base import CaseEvent
from shared.events.groups import GroupEvent, GroupFormed, GroupJoined, GroupLeft, HeadsCounted
from shared.events.intake import CaseClosed, CaseReopened, NoteAdded
from shared.skeleton.slices import Slices, events_read_by
from tests.examples import CaseBook, case_closed, case_reopened, note_added, surrender_declared


@dataclass(frozen=True, slots=True)
class State:
    closed: bool = False
    groups: int = 0
    notes: tuple[str, ...] = ()


def closed_after(state: State, _event: CaseEvent[Any], data: CaseClosed | CaseReopened) -> State:
    return replace(state, closed=isinstance(data, CaseClosed))


def groups_after(groups: int, _event: CaseEvent[Any], _data: GroupEvent) -> int:
    return groups + 1


def notes_after(
    notes: tuple[str, ...], event: CaseEvent[Any], data: NoteAdded | CaseClosed
) -> tuple[str, ...]:
    return (*notes, event.type_name) if isinstance(data, NoteAdded) else ()


FOLDS = Slices[State](closed_after, groups=groups_after, notes=notes_after)


def test_a_fold_reads_the_events_that_its_signature_names() -> None:
    assert events_read_by(closed_after) == {CaseClosed, CaseReopened}


def test_a_fold_of_a_base_class_reads_every_event_of_it() -> None:
    assert events_read_by(groups_after) == {GroupFormed, GroupJoined, GroupLeft, HeadsCounted}


def test_an_event_changes_each_part_that_reads_it() -> None:
    book = CaseBook()
    after = FOLDS.after(State(), book.add(note_added()))
    assert after == State(notes=("NoteAdded",))
    assert FOLDS.after(after, book.add(case_closed())) == State(closed=True)
    assert FOLDS.after(State(closed=True), book.add(case_reopened())) == State()


def test_an_event_that_no_part_reads_leaves_the_very_same_state() -> None:
    state = State(notes=("NoteAdded",))
    assert FOLDS.after(state, CaseBook().add(surrender_declared())) is state
