"""Deciders for a rendezvous: plan, replan, approve, cancel, miss, expire."""

from datetime import datetime

from services.handover.guards import (
    CREDIBILITY_ALLOWS,
    NOBODY,
    Members,
    is_hostile,
    require_cleared,
    require_open,
    require_or_override,
)
from services.handover.meeting_state import Rendezvous
from services.handover.state import HandoverState
from shared.commands.handover import (
    ApproveRendezvous,
    CancelRendezvous,
    PlanRendezvous,
    RecordMissed,
    ReplanRendezvous,
)
from shared.events.base import Event
from shared.events.event_of import event_of
from shared.events.handover import (
    RendezvousApproved,
    RendezvousCancelled,
    RendezvousExpired,
    RendezvousMissed,
    RendezvousPlanned,
    RendezvousReplanned,
)
from shared.refusals import (
    CASE_KNOWN,
    NO_CONTRADICTION,
    Guard,
    RefusedError,
    is_another_person,
    require,
)

ARRIVED = Guard("arrived", "RecordArrival first")
IDENTITY_PARTIAL = Guard(
    "identity_at_least_partial", "a registry answer of match or partial, or VerifyIdentity"
)
NO_HOLD = Guard("no_hold", "ResolveReview first")
WINDOW_IN_ORDER = Guard("window_in_order", "a window_to after window_from")
WINDOW_IN_FUTURE = Guard("window_in_future", "a window that hasn't ended; plan a new rendezvous")
NOTHING_DISCLOSED = Guard(
    "nothing_disclosed",
    "ReplanRendezvous; or RecordMissed or CancelRendezvous for the previous one",
)
RENDEZVOUS_CURRENT = Guard(
    "rendezvous_current", "the rendezvous_id planned last, if not missed, cancelled or expired"
)
DISCLOSED = Guard("disclosed", "DiscloseRendezvous first")
RENDEZVOUS_KNOWN = Guard("rendezvous_known", "a rendezvous_id that was planned on this case")
ANOTHER_PERSON = Guard("another_person", "approval by someone other than the planner")


def decide_plan(state: HandoverState, command: PlanRendezvous, now: datetime) -> list[Event]:
    """Needs arrival, at least a partial identity, not hostile, no hold, a future window."""
    current = state.meeting.rendezvous
    _require_plannable(state, command, now)
    require(current is None or current.over or not current.may_be_known, NOTHING_DISCLOSED)
    named = {"rendezvous_id": command.command_id, "planned_by": command.by}
    return [event_of(RendezvousPlanned, command, **named)]


def decide_replan(state: HandoverState, command: ReplanRendezvous, now: datetime) -> list[Event]:
    """As planning, replacing the current one; what he was told of that is void."""
    _require_plannable(state, command, now)
    require_current(state, command.replaces)
    named = {"rendezvous_id": command.command_id, "planned_by": command.by}
    return [event_of(RendezvousReplanned, command, **named)]


def _require_plannable(
    state: HandoverState, command: PlanRendezvous | ReplanRendezvous, now: datetime
) -> None:
    known = state.identity.partial or state.identity.verified
    require_open(state)
    require(state.arrived, ARRIVED)
    require(not state.identity.is_doubted, NO_CONTRADICTION)
    require(known or state.is_overridden("identity_verified", now), IDENTITY_PARTIAL)
    require_or_override(state, not is_hostile(state, now), CREDIBILITY_ALLOWS, now)
    require_or_override(state, not state.review_open, NO_HOLD, now)
    require(command.window_from < command.window_to, WINDOW_IN_ORDER)
    require(command.window_to > now, WINDOW_IN_FUTURE)


def decide_approve(
    state: HandoverState, command: ApproveRendezvous, now: datetime, members: Members = NOBODY
) -> list[Event]:
    """Verified and believed, as is his group; no duress; another person; a future window."""
    require_open(state)
    rendezvous = require_current(state, command.rendezvous_id)
    require_cleared(state, members, now)
    require(is_another_person(rendezvous.planned_by, command.by), ANOTHER_PERSON)
    require(rendezvous.window_to > now, WINDOW_IN_FUTURE)
    if rendezvous.approved:
        return []
    return [event_of(RendezvousApproved, command)]


def decide_cancel(state: HandoverState, command: CancelRendezvous, _now: datetime) -> list[Event]:
    """By any named person; releases a team that was offered the rendezvous."""
    require_open(state)
    require_current(state, command.rendezvous_id)
    return [event_of(RendezvousCancelled, command)]


def decide_missed(state: HandoverState, command: RecordMissed, _now: datetime) -> list[Event]:
    """A fact about any rendezvous of this case, whatever became of it since."""
    require(state.opened, CASE_KNOWN)
    require(command.rendezvous_id in state.meeting.planned_ids, RENDEZVOUS_KNOWN)
    if command.rendezvous_id in state.meeting.missed_ids:
        return []
    return [event_of(RendezvousMissed, command)]


def expired(state: HandoverState) -> list[Event]:
    """What is recorded hours after the window if nobody reported an outcome."""
    rendezvous = state.meeting.rendezvous
    return [RendezvousExpired(rendezvous_id=rendezvous.rendezvous_id)] if rendezvous else []


def require_current(state: HandoverState, rendezvous_id: str) -> Rendezvous:
    """The rendezvous planned last, if it is this one and hasn't ended."""
    rendezvous = state.meeting.rendezvous
    if rendezvous is None or rendezvous.over or rendezvous.rendezvous_id != rendezvous_id:
        raise RefusedError(RENDEZVOUS_CURRENT)
    return rendezvous


def require_disclosed(state: HandoverState) -> Rendezvous:
    """The rendezvous planned last, if he was told of it and it hasn't ended."""
    rendezvous = state.meeting.rendezvous
    if rendezvous is None or rendezvous.over or not rendezvous.disclosed:
        raise RefusedError(DISCLOSED)
    return rendezvous
