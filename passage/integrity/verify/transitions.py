"""Whether decisions were allowed: the rules that a reader of the log can check afterwards.

They are written independently of the services' deciders, so a bug there shows here. Only decisions
are judged, at the time that the log records for them; facts never are. The rules are in
`passage.integrity.verify.rules`, one file per noun.
"""

from collections.abc import Iterator
from typing import Any

from passage.integrity.verify.rules import (
    course,
    identity,
    meeting,
    outgoing,
    people,
    receipt,
    shift,
)
from passage.integrity.verify.rules.trail import Rule, Trail
from shared.events.base import CaseEvent, Event
from shared.events.claims import CaseClaimed
from shared.events.custody import ExchangeConsentGiven, Exchanged, ExchangeOffered
from shared.events.groups import GroupFormed
from shared.events.handover import (
    EmergencyOverrideUsed,
    GuidanceGiven,
    HandoverAccepted,
    HandoverOffered,
    HandoverRefused,
    RendezvousApproved,
    RendezvousCancelled,
    RendezvousDisclosed,
    RendezvousPlanned,
    RendezvousReplanned,
)
from shared.events.intake import CaseClosed, CaseReopened
from shared.events.outbound import MessageQueued
from shared.events.verification import CredibilityAssessed, IdentityRejected, IdentityVerified

_BEFORE_HANDOVER = frozenset[type[Event]](
    {
        IdentityVerified,
        IdentityRejected,
        CredibilityAssessed,
        RendezvousPlanned,
        RendezvousReplanned,
        RendezvousApproved,
        RendezvousDisclosed,
        RendezvousCancelled,
        GuidanceGiven,
        HandoverOffered,
        HandoverAccepted,
        HandoverRefused,
        EmergencyOverrideUsed,
    }
)
"""What the hotline decides only while it still guides the man."""

_IN_LATEST_EPISODE = _BEFORE_HANDOVER | {
    CaseClaimed,
    CaseClosed,
    CaseReopened,
    GroupFormed,
    MessageQueued,
    ExchangeOffered,
    ExchangeConsentGiven,
    Exchanged,
}

_WHILE_OPEN = _BEFORE_HANDOVER - {IdentityVerified, IdentityRejected, CredibilityAssessed}

_RULES: dict[type[Event], Rule] = {
    **course.RULES,
    **identity.RULES,
    **meeting.RULES,
    **receipt.RULES,
    **outgoing.RULES,
    **shift.RULES,
    **people.RULES,
}
"""Events that aren't here follow from no rule across events."""


def broken_rules(trail: Trail, event: CaseEvent[Any]) -> Iterator[str]:
    """The rules that an event breaks; takes the event into the trail."""
    kind = type(event.data)
    if trail.way.handed_over and kind in _BEFORE_HANDOVER:
        yield "decided after he was handed over"
    if trail.continued and kind in _IN_LATEST_EPISODE:
        yield "decided on a case that another case continues"
    if trail.closed and kind in _WHILE_OPEN:
        yield "decided on a closed case"
    rule = _RULES.get(kind)
    if rule is not None:
        yield from rule(trail, event.data, event) or ()
