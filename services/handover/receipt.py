"""Deciders for the receipt: one man, a group on one receipt, and counts that differ."""

from collections import Counter
from datetime import datetime

from services.handover.guards import TEAM_NAMED, require_not_exchanged, require_open
from services.handover.state import HandoverState
from shared.commands.handover import RecordGroupHandover, RecordHandover, ResolveDiscrepancy
from shared.events.base import Event
from shared.events.event_of import event_of
from shared.events.handover import (
    GroupHandedOver,
    HandedOver,
    HandoverDiscrepancyRaised,
    HandoverDiscrepancyResolved,
)
from shared.refusals import (
    CLOCK_LEEWAY,
    TWO_PEOPLE,
    Guard,
    RefusedError,
    is_another_person,
    require,
)

ACCEPTED = Guard("accepted", "AcceptHandover by the team first")
HEADS_COUNTED = Guard("heads_counted", "a head_count of at least one")
RECEIVED_BY_NOW = Guard("received_by_now", "a received_at that isn't in the future")
GROUP_LED = Guard("group_led", "FormGroup on this case first; or RecordHandover for him alone")
ROLL_ACCOUNTED_FOR = Guard(
    "roll_accounted_for",
    "each case of the group, the lead's too, in one of received, missing or refused; no others",
)
DISCREPANCY_OPEN = Guard("discrepancy_open", "a case with an open discrepancy")


def decide_hand_over(state: HandoverState, command: RecordHandover, now: datetime) -> list[Event]:
    """By the team that accepted, with a head count. An unexpected count is raised."""
    _require_receipt(state, command, now)
    receipt = event_of(HandedOver, command)
    expected, present = state.party.expected, command.head_count
    return [receipt, *_raised(expected, present, expected - present, present - expected)]


def decide_group_handover(
    state: HandoverState, command: RecordGroupHandover, now: datetime
) -> list[Event]:
    """By the team that accepted his group; each case is received, missing or refused."""
    _require_receipt(state, command, now)
    named = Counter((*command.received, *command.missing, *command.refused))
    require(state.party.leads, GROUP_LED)
    require(named == Counter(state.party.awaited), ROLL_ACCOUNTED_FOR)
    receipt = event_of(GroupHandedOver, command, group_id=state.party.case_id)
    return [receipt, *_raised_by_group(state, command)]


def decide_received(state: HandoverState, receipt: GroupHandedOver) -> list[Event]:
    """A fact, once: his group's receipt names him."""
    if not state.opened or state.handed_over:
        return []
    return [event_of(HandedOver, receipt, head_count=1)]


def decide_resolve(
    state: HandoverState, command: ResolveDiscrepancy, _now: datetime
) -> list[Event]:
    """By two people who know the reason; even after the case was closed."""
    require_not_exchanged(state)
    require(state.party.discrepancy_open, DISCREPANCY_OPEN)
    require(is_another_person(command.by, command.second_by), TWO_PEOPLE)
    return [event_of(HandoverDiscrepancyResolved, command)]


def _require_receipt(
    state: HandoverState, command: RecordHandover | RecordGroupHandover, now: datetime
) -> None:
    require_open(state)
    offer = state.meeting.offer
    if offer is None or offer.answer != "accepted":
        raise RefusedError(ACCEPTED)
    require(offer.team == command.team, TEAM_NAMED)
    require(command.head_count >= 1, HEADS_COUNTED)
    require(command.received_at <= now + CLOCK_LEEWAY, RECEIVED_BY_NOW)


def _raised_by_group(state: HandoverState, command: RecordGroupHandover) -> list[Event]:
    expected = max(state.party.expected - len(state.party.received), 0)
    present, refused = command.head_count, len(command.refused)
    missing = max(len(command.missing), expected - present - refused)
    extra = max(command.extra, present - expected)
    unnamed = present != len(command.received) + command.extra
    return _raised(expected, present, missing, extra, also=unnamed)


def _raised(
    expected: int, present: int, missing: int, extra: int, *, also: bool = False
) -> list[Event]:
    """The discrepancy, if there is one; a missing count never goes below zero."""
    if expected == present and missing <= 0 and extra <= 0 and not also:
        return []
    return [
        HandoverDiscrepancyRaised(
            expected=expected, present=present, missing=max(missing, 0), extra=max(extra, 0)
        )
    ]
