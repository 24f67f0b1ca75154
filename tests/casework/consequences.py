"""What has to follow, whoever is told a place or isn't: an alarm from a duress code, and from new
data that nobody is verified any more.

Read from the log and the calls alone, apart from the services' folds.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from shared.events.base import CaseEvent
from shared.events.intake import CallLinked, CaseOpened, DuressSignalled, PersonalDataProvided
from shared.events.verification import (
    IdentityContradicted,
    IdentityRejected,
    IdentityVerified,
    ReviewOpened,
)
from tests.casework.rights import wrongly_told
from tests.casework.town import Town

OF_A_VERIFICATION = {"answer_after_verified", "late_fact"}
"""Why a verification that stands is looked at again."""


def wrong_in(town: Town) -> list[str]:
    """What shouldn't have been recorded in a town, and what should and wasn't."""
    log = town.log
    return [*wrongly_told(log), *silent_alarms(log, town.forced_calls), *wrongly_reviewed(log)]


def silent_alarms(log: Iterable[CaseEvent[Any]], forced_calls: Iterable[str]) -> list[str]:
    """The calls with a duress code that rang no alarm in the case that they came to."""
    came_to: dict[str, str] = {}
    rang_in: dict[str, str] = {}
    for event in log:
        match event.data:
            case CaseOpened() | CallLinked():
                came_to[event.data.call_id] = event.subject
            case DuressSignalled():
                rang_in[event.data.call_id] = event.subject
            case _:
                pass
    silent = [one for one in forced_calls if rang_in.get(one) != came_to[one]]
    return [f"{came_to[one]}: no alarm after {one}" for one in silent]


def wrongly_reviewed(log: Iterable[CaseEvent[Any]]) -> list[str]:
    """Each review of a verification where none stands: what is known so late is news."""
    verified: set[str] = set()
    found: list[str] = []
    for event in log:
        match event.data:
            case ReviewOpened() if event.data.reason in OF_A_VERIFICATION:
                if event.subject not in verified:
                    found.append(f"{event.subject} {event.caseversion}: a review of nothing")
            case _:
                _note(verified, event)
    return found


def verified_in(log: Iterable[CaseEvent[Any]]) -> set[str]:
    """The cases whose man is verified by the data that he gave last."""
    verified: set[str] = set()
    for event in log:
        _note(verified, event)
    return verified


def _note(verified: set[str], event: CaseEvent[Any]) -> None:
    match event.data:
        case IdentityVerified():
            verified.add(event.subject)
        case PersonalDataProvided() if event.data.provenance == "after_capture":
            pass
        case PersonalDataProvided() | IdentityContradicted() | IdentityRejected():
            verified.discard(event.subject)
        case _:
            pass
