"""The closed catalogue: every event Passage knows, and who records it.

What isn't listed here can't be stored, and is refused when read (`shared.events.reading`).
"""

from __future__ import annotations

from typing import Any, cast, get_args

from shared.events.base import CaseEvent, Event
from shared.events.calls import CallEnded
from shared.events.claims import CaseClaimed, CaseReleased
from shared.events.custody import (
    CaptureCardConfirmed,
    CaptureCardDue,
    CustodyChanged,
    ExchangeConsentGiven,
    ExchangeConsentWithdrawn,
    Exchanged,
    ExchangeOffered,
    PublicityConsentGiven,
    PublicityConsentWithdrawn,
)
from shared.events.groups import GroupFormed, GroupJoined, GroupLeft, HeadsCounted
from shared.events.handover import (
    ArrivedInUkraine,
    ContactLost,
    ContactRegained,
    DisclosureWithdrawn,
    EmergencyOverrideUsed,
    FollowUpOverdue,
    FollowUpSet,
    GroupHandedOver,
    GuidanceGiven,
    HandedOver,
    HandoverAccepted,
    HandoverDiscrepancyRaised,
    HandoverDiscrepancyResolved,
    HandoverOffered,
    HandoverRefused,
    HandoverWithdrawn,
    RendezvousApproved,
    RendezvousCancelled,
    RendezvousDisclosed,
    RendezvousExpired,
    RendezvousMissed,
    RendezvousPlanned,
    RendezvousReplanned,
)
from shared.events.intake import (
    AdviceGiven,
    CallerConfirmed,
    CallLinked,
    CallTriaged,
    CaseClosed,
    CaseOpened,
    CaseReopened,
    CasesLinked,
    CasesUnlinked,
    ContactRuleSet,
    DeadlinePassed,
    DuressCleared,
    DuressSignalled,
    EpisodeContinued,
    ErasureRequested,
    NoteAdded,
    PersonalDataErased,
    PersonalDataProvided,
    ReturnCodeIssued,
    SurrenderDeclared,
)
from shared.events.outbound import (
    MessageDispatched,
    MessageFailed,
    MessageQueued,
    MessageRefused,
    MessageSent,
)
from shared.events.shifts import (
    ShiftCaseAccepted,
    ShiftEnded,
    ShiftHandedOver,
    ShiftStarted,
    StatisticsExported,
)
from shared.events.verification import (
    CredibilityAssessed,
    IdentityContradicted,
    IdentityRejected,
    IdentityVerified,
    RegistryChecked,
    ReviewOpened,
    ReviewResolved,
    VerificationEscalated,
)

IntakeEvent = (
    CaseOpened
    | CallLinked
    | CallEnded
    | CallTriaged
    | SurrenderDeclared
    | PersonalDataProvided
    | ReturnCodeIssued
    | CallerConfirmed
    | DuressSignalled
    | DuressCleared
    | NoteAdded
    | AdviceGiven
    | ContactRuleSet
    | DeadlinePassed
    | CasesLinked
    | CasesUnlinked
    | EpisodeContinued
    | CaseClosed
    | CaseReopened
    | ErasureRequested
    | PersonalDataErased
    | CaseClaimed
    | CaseReleased
    | GroupFormed
    | GroupJoined
    | GroupLeft
    | HeadsCounted
    | MessageQueued
    | MessageDispatched
    | MessageSent
    | MessageFailed
    | MessageRefused
    | ShiftStarted
    | ShiftHandedOver
    | ShiftCaseAccepted
    | ShiftEnded
    | StatisticsExported
)
VerificationEvent = (
    RegistryChecked
    | VerificationEscalated
    | IdentityVerified
    | IdentityContradicted
    | IdentityRejected
    | CredibilityAssessed
    | ReviewOpened
    | ReviewResolved
)
HandoverEvent = (
    ArrivedInUkraine
    | RendezvousPlanned
    | RendezvousApproved
    | RendezvousDisclosed
    | DisclosureWithdrawn
    | GuidanceGiven
    | RendezvousMissed
    | RendezvousReplanned
    | RendezvousCancelled
    | RendezvousExpired
    | HandoverOffered
    | HandoverAccepted
    | HandoverRefused
    | HandoverWithdrawn
    | HandedOver
    | GroupHandedOver
    | HandoverDiscrepancyRaised
    | HandoverDiscrepancyResolved
    | EmergencyOverrideUsed
    | ContactLost
    | ContactRegained
    | FollowUpSet
    | FollowUpOverdue
    | CustodyChanged
    | CaptureCardDue
    | CaptureCardConfirmed
    | ExchangeOffered
    | ExchangeConsentGiven
    | ExchangeConsentWithdrawn
    | Exchanged
    | PublicityConsentGiven
    | PublicityConsentWithdrawn
)
AnyCaseEvent = IntakeEvent | VerificationEvent | HandoverEvent
"""The union every fold matches exhaustively: a new member is one type error a fold."""

OWNER: dict[type[Event], str] = {
    event: service
    for service, union in (
        ("intake", IntakeEvent),
        ("verification", VerificationEvent),
        ("handover", HandoverEvent),
    )
    for event in get_args(union)
}
"""Which service alone records an event type."""

CASE_EVENTS: dict[str, type[Event]] = {event.__name__: event for event in OWNER}

ENVELOPES: dict[str, type[CaseEvent[Any]]] = {
    name: cast(type[CaseEvent[Any]], CaseEvent.__class_getitem__(event))
    for name, event in CASE_EVENTS.items()
}
"""The envelope class of every event type, by its name."""


def envelope_of(event: Event) -> type[CaseEvent[Any]]:
    """The envelope class for an event's data."""
    return ENVELOPES[type(event).__name__]
