"""Guards shared by handover's deciders: whether the case is open, and how far he can be trusted.

Two people may set some of them aside by an emergency override; never the need for two approvers,
duress, a contradicted identity, or how it is safe to reach him.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from services.handover.state import HandoverState
from shared.commands.handover import UseEmergencyOverride
from shared.events.base import Event
from shared.events.event_of import event_of
from shared.events.handover import EmergencyOverrideUsed
from shared.refusals import (
    CASE_KNOWN,
    CASE_OPEN,
    CLEARED_BY_SUPERVISOR,
    LATEST_EPISODE,
    NO_CONTRADICTION,
    NOT_EXCHANGED,
    NOT_HANDED_OVER,
    TWO_PEOPLE,
    Guard,
    is_another_person,
    require,
)

IDENTITY_VERIFIED = Guard("identity_verified", "VerifyIdentity first")
CREDIBILITY_ALLOWS = Guard(
    "credibility_allows", "AssessCredibility again: credible or unclear, at least not hostile"
)
GROUP_CLEARED = Guard(
    "group_cleared", "every case of the group verified and not doubtful; or LeaveGroup for it"
)
TEAM_NAMED = Guard("team_named", "the team that the offer names")
LONGEST_OVERRIDE = timedelta(hours=24)
OVERRIDE_ENDS_SOON = Guard(
    "override_ends_soon", "an expires_at in the future, at most 24 hours ahead"
)

Members = Mapping[str, HandoverState]
"""The group's cases as they are now, by number; a case missing here isn't cleared."""
NOBODY: Members = {}
UNKNOWN = HandoverState()


def require_latest(state: HandoverState) -> None:
    require(state.opened, CASE_KNOWN)
    require(not state.continued, LATEST_EPISODE)


def require_not_exchanged(state: HandoverState) -> None:
    require_latest(state)
    require(not state.custody.exchanged, NOT_EXCHANGED)


def require_open(state: HandoverState) -> None:
    require_latest(state)
    require(not state.closed, CASE_OPEN)
    require(not state.handed_over, NOT_HANDED_OVER)
    require(not state.custody.exchanged, NOT_EXCHANGED)


def require_or_override(state: HandoverState, holds: bool, guard: Guard, now: datetime) -> None:
    require(holds or state.is_overridden(guard.name, now), guard)


def require_cleared(state: HandoverState, members: Members, now: datetime) -> None:
    """The guards for approving and telling a place: who he is, who is with him, no duress."""
    group = _group_of(state, members)
    require_or_override(state, state.identity.verified, IDENTITY_VERIFIED, now)
    require(not state.identity.is_doubted, NO_CONTRADICTION)
    require_or_override(state, is_believed(state, now), CREDIBILITY_ALLOWS, now)
    require_or_override(state, all(_is_clear(one, now) for one in group), GROUP_CLEARED, now)
    require_no_duress(state, members)


def require_no_duress(state: HandoverState, members: Members) -> None:
    """The guard for anything that brings our people to him; it can't be overridden."""
    group = _group_of(state, members)
    require(not any(one.duress_open for one in (state, *group)), CLEARED_BY_SUPERVISOR)


def is_believed(state: HandoverState, now: datetime) -> bool:
    """Nobody found him doubtful or hostile; an unassessed man is believed."""
    return _level(state, now) not in {"doubtful", "hostile"}


def is_hostile(state: HandoverState, now: datetime) -> bool:
    """Someone found him hostile, and the assessment hasn't expired."""
    return _level(state, now) == "hostile"


def _group_of(state: HandoverState, members: Members) -> list[HandoverState]:
    return [members.get(one, UNKNOWN) for one in state.party.awaited_members]


def _is_clear(member: HandoverState, now: datetime) -> bool:
    return member.identity.verified and is_believed(member, now)


def _level(state: HandoverState, now: datetime) -> str | None:
    return state.assessment.level_at(now) if state.assessment is not None else None


def decide_override(
    state: HandoverState, command: UseEmergencyOverride, now: datetime
) -> list[Event]:
    """Needs two people and an end within a day. The deciders' guards say what it sets aside."""
    require_open(state)
    require(is_another_person(command.by, command.second_by), TWO_PEOPLE)
    require(now < command.expires_at <= now + LONGEST_OVERRIDE, OVERRIDE_ENDS_SOON)
    return [event_of(EmergencyOverrideUsed, command)]
