"""What intake does by itself after an event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from services.intake import others, sending
from services.intake.case_link_state import is_from_service
from services.intake.erasure import decide_queued
from services.intake.handlers import Intake
from services.intake.receiving import EarlyEnds
from services.intake.sending import Sending
from services.intake.state import IntakeState
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
from shared.log.transact import Outcome, transact
from shared.skeleton.deadlines import Deadlines
from shared.skeleton.reactions import Reactions, set_timers


@dataclass(frozen=True)
class Listening:
    intake: Intake
    early_ends: EarlyEnds
    sending: Sending
    deadlines: Deadlines[IntakeState]


def continue_episode(listening: Listening, event: CaseEvent[CaseOpened]) -> Outcome | None:
    """Records in the previous episode's log, if there is one, that this one follows it."""
    if event.data.previous_case is None:
        return None
    return others.continue_episode(listening.intake, event)


def tell_other(
    listening: Listening, event: CaseEvent[GroupJoined | GroupLeft | CasesLinked | CasesUnlinked]
) -> Outcome | None:
    """Tells the other case's log what a person recorded here; what came from it isn't told back."""
    if is_from_service(event):
        return None
    return others.tell_other(listening.intake, event)


def finish_erasure(listening: Listening, event: CaseEvent[Any]) -> Outcome:
    """A queued erasure waits until something ends his way."""
    context = listening.intake.context
    return transact(context.writer, event.subject, context.cause_in(event), decide_queued)


def dispatch(listening: Listening, event: CaseEvent[MessageQueued]) -> Outcome:
    return sending.dispatch(listening.sending, event)


def dispatch_told(
    listening: Listening, event: CaseEvent[RendezvousDisclosed | GuidanceGiven]
) -> Outcome | None:
    if event.data.message_id is None:
        return None
    return sending.dispatch_told(listening.sending, event)


# The timers first: if a crash follows, the redelivery sets them again.
REACTIONS: Reactions = {
    CallTriaged: (set_timers,),
    CaseClaimed: (set_timers,),
    CaseReleased: (set_timers,),
    ReturnCodeIssued: (set_timers,),
    CaseReopened: (set_timers,),
    CaseOpened: (continue_episode,),
    GroupJoined: (tell_other,),
    GroupLeft: (tell_other,),
    CasesLinked: (tell_other,),
    CasesUnlinked: (tell_other,),
    MessageQueued: (dispatch,),
    RendezvousDisclosed: (dispatch_told,),
    GuidanceGiven: (dispatch_told,),
    HandedOver: (set_timers, finish_erasure),
    RendezvousMissed: (finish_erasure,),
    RendezvousCancelled: (finish_erasure,),
    RendezvousExpired: (finish_erasure,),
    CaseClosed: (finish_erasure,),
}
