"""What desk's logs tell of a case is erased with it: remarks of shifts, and proposed decisions.

They aren't sealed under the case's keys: one remark tells of many cases, and a proposed command may
hold several classes. So desk finds the logs that tell of the case, and says that their words are
erased.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

from services.desk.handlers import Desk
from services.desk.state import DeskState
from shared.events.base import CaseEvent, Event
from shared.events.fields import PersonalClass
from shared.events.intake import PersonalDataErased
from shared.events.people import DecisionProposed
from shared.events.shifts import ShiftHandedOver, WordsErased
from shared.log.transact import Outcome, transact

REMARKS: frozenset[PersonalClass] = frozenset({"narrative"})
COMMANDS: frozenset[PersonalClass] = frozenset({"narrative", "identity"})
"""What remarks, and commands that take signatures, may hold: with places alone, none of it goes.
Else the erasure of places, which comes by itself, would end decisions under way."""


def erase_words(desk: Desk, event: CaseEvent[PersonalDataErased]) -> Outcome | None:
    """The reaction to a case's erasure."""
    cause, outcome = desk.context.cause_in(event), None
    for log_id in dict.fromkeys(_logs_that_tell_of(desk, event)):
        decide = partial(words_erased_with, erased=event)
        outcome = transact(desk.context.writer, log_id, cause, decide)
    return outcome


def words_erased_with(state: DeskState, erased: CaseEvent[PersonalDataErased]) -> list[Event]:
    """Nothing if there are no words left, or none of what was erased."""
    case_id, decision, shift = erased.subject, state.decision, state.shift
    in_decision = decision is not None and decision.has_words and decision.about == case_id
    in_decision &= not COMMANDS.isdisjoint(erased.data.classes)
    in_shift = shift is not None and case_id in shift.told_of
    in_shift &= not REMARKS.isdisjoint(erased.data.classes)
    return [WordsErased(erased_case=case_id)] if in_decision or in_shift else []


def _logs_that_tell_of(desk: Desk, erased: CaseEvent[PersonalDataErased]) -> Iterator[str]:
    case_id = erased.subject
    for type_name in (DecisionProposed.__name__, ShiftHandedOver.__name__):
        # Nothing was told of the case before it was opened.
        for told in desk.context.writer.log.events_of_type(type_name, since=case_id):
            if tells_of(told.data, case_id):
                yield told.subject


def tells_of(data: Any, case_id: str) -> bool:
    """Whether an event of desk's holds words about a case."""
    match data:
        case DecisionProposed():
            return data.about == case_id
        case ShiftHandedOver():
            return data.remark is not None and case_id in data.case_ids
        case _:
            return False
