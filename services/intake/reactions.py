"""What intake does automatically after an event."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from services.intake import others, sending
from services.intake.erasure import decide_queued
from services.intake.handlers import Intake
from services.intake.receiving import EarlyEnds
from services.intake.sending import Sending
from services.intake.state import IntakeState
from shared.events import handover
from shared.events.base import CaseEvent
from shared.events.claims import CaseClaimed, CaseReleased
from shared.events.groups import GroupJoined, GroupLeft
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
from shared.skeleton.reactions import Reaction, Reactions, set_timers


@dataclass(frozen=True)
class Listening:
    intake: Intake
    early_ends: EarlyEnds
    sending: Sending
    deadlines: Deadlines[IntakeState]


def finish_erasure(listening: Listening, event: CaseEvent[Any]) -> Outcome:
    """A queued erasure waits until something ends his way."""
    context = listening.intake.context
    return transact(context.writer, event.subject, context.cause_in(event), decide_queued)


def by_intake(reaction: Callable[[Intake, CaseEvent[Any]], Outcome | None]) -> Reaction:
    return lambda listening, event: reaction(listening.intake, event)


def by_sending(reaction: Callable[[Sending, CaseEvent[Any]], Outcome | None]) -> Reaction:
    return lambda listening, event: reaction(listening.sending, event)


# The timers first: if a crash follows, the redelivery sets them again.
REACTIONS: Reactions = {
    CallTriaged: (set_timers,),
    CaseClaimed: (set_timers,),
    CaseReleased: (set_timers,),
    ReturnCodeIssued: (set_timers,),
    CaseReopened: (set_timers,),
    CaseOpened: (by_intake(others.continue_episode),),
    GroupJoined: (by_intake(others.tell_other),),
    GroupLeft: (by_intake(others.tell_other),),
    CasesLinked: (by_intake(others.tell_other),),
    CasesUnlinked: (by_intake(others.tell_other),),
    MessageQueued: (by_sending(sending.dispatch),),
    handover.RendezvousDisclosed: (by_sending(sending.dispatch_told),),
    handover.GuidanceGiven: (by_sending(sending.dispatch_told),),
    handover.HandedOver: (set_timers, finish_erasure),
    handover.RendezvousMissed: (finish_erasure,),
    handover.RendezvousCancelled: (finish_erasure,),
    handover.RendezvousExpired: (finish_erasure,),
    CaseClosed: (finish_erasure,),
}
