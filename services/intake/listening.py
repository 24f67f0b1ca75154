"""All that intake hears of the log, and which of its handlers answers to each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from services.intake import sending
from services.intake.ends import EarlyEnds
from services.intake.erasing import Erasure, finish
from services.intake.handlers import Intake
from services.intake.others import continue_episode, tell_other
from services.intake.regions import is_from_service
from services.intake.sending import Sending
from services.intake.state import IntakeState
from shared.deadlines import Deadlines
from shared.events.base import CaseEvent
from shared.events.claims import CaseClaimed, CaseReleased
from shared.events.groups import GroupJoined, GroupLeft
from shared.events.handover import (
    GuidanceGiven,
    HandedOver,
    RendezvousCancelled,
    RendezvousDisclosed,
    RendezvousExpired,
    RendezvousMissed,
)
from shared.events.intake import (
    CallTriaged,
    CaseClosed,
    CaseOpened,
    CaseReopened,
    CasesLinked,
    CasesUnlinked,
    ReturnCodeIssued,
)
from shared.events.outbound import MessageQueued
from shared.events.reading import read_case_event
from shared.parking import Delivery
from shared.subjects import read_case_subject
from shared.transact import Outcome

MAKES_DEADLINE = (
    CallTriaged,
    CaseClaimed,
    CaseReleased,
    ReturnCodeIssued,
    HandedOver,
    CaseReopened,
)
"""After these something is due in the case that wasn't before, or at another time."""


@dataclass(frozen=True)
class Listening:
    """Those who answer to what intake hears."""

    intake: Intake
    early_ends: EarlyEnds
    erasure: Erasure
    sending: Sending
    deadlines: Deadlines[IntakeState]


def receive_event(listening: Listening, delivery: Delivery) -> Outcome:
    """Takes an event of the log: sets the case's timers, and does what follows from it."""
    event = read_case_event(delivery.body, read_case_subject(delivery.subject).type_name)
    if isinstance(event.data, MAKES_DEADLINE):
        # Before what follows: a crash in between is healed by the redelivery, which sets it again.
        listening.deadlines.keep(event.subject)
    follow = _following(listening, event)
    if follow is not None:
        return follow(event)
    return Outcome("ignored", event.subject, event.caseversion, delivery.sequence)


def _following(
    listening: Listening, event: CaseEvent[Any]
) -> Callable[[CaseEvent[Any]], Outcome] | None:
    match event.data:
        case CaseOpened(previous_case=str()):
            return lambda event: continue_episode(listening.intake, event)
        case GroupJoined() | GroupLeft() | CasesLinked() | CasesUnlinked() if not is_from_service(
            event
        ):
            return lambda event: tell_other(listening.intake, event)
        case (
            HandedOver()
            | RendezvousMissed()
            | RendezvousCancelled()
            | RendezvousExpired()
            | CaseClosed()
        ):
            return lambda event: finish(listening.erasure, event)
        case MessageQueued():
            return lambda event: sending.dispatch(listening.sending, event)
        case RendezvousDisclosed(message_id=str()) | GuidanceGiven(message_id=str()):
            return lambda event: sending.dispatch_told(listening.sending, event)
        case _:
            return None
