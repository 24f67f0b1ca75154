"""What handover does automatically after an event."""

from dataclasses import dataclass, replace
from functools import partial

from services.handover.contact import decide_call_of_the_lost
from services.handover.disclosure import decide_withdrawn
from services.handover.receipt import decide_received
from services.handover.state import HandoverState
from shared.events.base import CaseEvent
from shared.events.custody import CustodyChanged
from shared.events.handover import (
    ArrivedInUkraine,
    ContactRegained,
    FollowUpSet,
    GroupHandedOver,
    GuidanceGiven,
    HandoverOffered,
    RendezvousPlanned,
    RendezvousReplanned,
)
from shared.events.intake import CallLinked, CaseReopened
from shared.events.outbound import MessageFailed, MessageRefused
from shared.log.transact import Outcome, transact
from shared.skeleton.deadlines import Deadlines
from shared.skeleton.reactions import Reactions, set_timers
from shared.skeleton.service import Context


@dataclass(frozen=True)
class Handover:
    context: Context
    deadlines: Deadlines[HandoverState]


def regain_contact(handover: Handover, event: CaseEvent[CallLinked]) -> Outcome:
    """A lost man who calls regains contact at the time of his call, however late it is found."""
    context = handover.context
    decide = partial(decide_call_of_the_lost, event=event, by=f"service:{context.service}")
    cause = replace(context.cause_in(event), happened_at=event.time)
    return transact(context.writer, event.subject, cause, decide)


def hand_over_members(handover: Handover, event: CaseEvent[GroupHandedOver]) -> Outcome | None:
    """Records the group's receipt once on every case that was received."""
    context, receipt = handover.context, event.data
    if receipt.group_id != event.subject:
        return None
    decide = partial(decide_received, receipt=receipt)
    cause = context.cause_in(event)
    done = [transact(context.writer, one, cause, decide) for one in receipt.received]
    return done[-1]


def withdraw_what_he_was_not_told(
    handover: Handover, event: CaseEvent[MessageFailed | MessageRefused]
) -> Outcome:
    context = handover.context
    decide = partial(decide_withdrawn, message_id=event.data.message_id)
    return transact(context.writer, event.subject, context.cause_in(event), decide)


REACTIONS: Reactions = {
    CallLinked: (regain_contact, set_timers),
    CaseReopened: (set_timers,),
    ArrivedInUkraine: (set_timers,),
    GuidanceGiven: (set_timers,),
    ContactRegained: (set_timers,),
    RendezvousPlanned: (set_timers,),
    RendezvousReplanned: (set_timers,),
    HandoverOffered: (set_timers,),
    GroupHandedOver: (hand_over_members, set_timers),
    FollowUpSet: (set_timers,),
    CustodyChanged: (set_timers,),
    MessageFailed: (withdraw_what_he_was_not_told, set_timers),
    MessageRefused: (withdraw_what_he_was_not_told, set_timers),
}
