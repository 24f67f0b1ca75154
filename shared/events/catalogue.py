"""The closed catalogue: every event Passage knows, and who records it.

An event not listed here can't be stored, and is refused when read (`shared.events.parsing`).
"""

from typing import Any, cast, get_args

from shared.events import (
    calls,
    claims,
    custody,
    groups,
    handover,
    intake,
    outbound,
    people,
    shifts,
    verification,
)
from shared.events.base import CaseEvent, Event

IntakeEvent = (
    intake.CaseOpened
    | intake.CallLinked
    | calls.CallEnded
    | intake.CallTriaged
    | intake.SurrenderDeclared
    | intake.PersonalDataProvided
    | intake.ReturnCodeIssued
    | intake.CallerConfirmed
    | intake.DuressSignalled
    | intake.DuressCleared
    | intake.NoteAdded
    | intake.AdviceGiven
    | intake.ContactRuleSet
    | intake.DeadlinePassed
    | intake.CasesLinked
    | intake.CasesUnlinked
    | intake.EpisodeContinued
    | intake.CaseClosed
    | intake.CaseReopened
    | intake.ErasureRequested
    | intake.PersonalDataErased
    | claims.CaseClaimed
    | claims.CaseReleased
    | groups.GroupFormed
    | groups.GroupJoined
    | groups.GroupLeft
    | groups.HeadsCounted
    | outbound.MessageQueued
    | outbound.MessageDispatched
    | outbound.MessageSent
    | outbound.MessageFailed
    | outbound.MessageRefused
)
VerificationEvent = (
    verification.RegistryChecked
    | verification.VerificationEscalated
    | verification.IdentityVerified
    | verification.IdentityContradicted
    | verification.IdentityRejected
    | verification.CredibilityAssessed
    | verification.ReviewOpened
    | verification.ReviewResolved
)
HandoverEvent = (
    handover.ArrivedInUkraine
    | handover.RendezvousPlanned
    | handover.RendezvousApproved
    | handover.RendezvousDisclosed
    | handover.DisclosureWithdrawn
    | handover.GuidanceGiven
    | handover.RendezvousMissed
    | handover.RendezvousReplanned
    | handover.RendezvousCancelled
    | handover.RendezvousExpired
    | handover.HandoverOffered
    | handover.HandoverAccepted
    | handover.HandoverRefused
    | handover.HandoverWithdrawn
    | handover.HandedOver
    | handover.GroupHandedOver
    | handover.HandoverDiscrepancyRaised
    | handover.HandoverDiscrepancyResolved
    | handover.EmergencyOverrideUsed
    | handover.ContactLost
    | handover.ContactRegained
    | handover.FollowUpSet
    | handover.FollowUpOverdue
    | custody.CustodyChanged
    | custody.CaptureCardDue
    | custody.CaptureCardConfirmed
    | custody.ExchangeOffered
    | custody.ExchangeConsentGiven
    | custody.ExchangeConsentWithdrawn
    | custody.Exchanged
    | custody.PublicityConsentGiven
    | custody.PublicityConsentWithdrawn
)
DeskEvent = (
    shifts.ShiftStarted
    | shifts.ShiftHandedOver
    | shifts.ShiftCaseAccepted
    | shifts.ShiftEnded
    | shifts.StatisticsExported
    | people.PersonAdded
    | people.RoleGranted
    | people.RoleTaken
    | people.EnrolmentOffered
    | people.EnrolmentExpired
    | people.KeyRegistered
    | people.KeyRevoked
    | people.BreakGlassSet
    | people.BreakGlassUsed
    | people.PersonSuspended
    | people.PersonResumed
    | people.SessionsEnded
    | people.SignaturesSeen
    | people.TokenIssued
    | people.TokenRevoked
    | people.AttemptsRefused
    | people.DecisionProposed
    | people.DecisionAgreed
    | people.DecisionWithdrawn
    | people.DecisionExpired
    | people.DecisionCarriedOut
    | people.DecisionNotCarriedOut
    | shifts.WordsErased
)
AnyCaseEvent = IntakeEvent | VerificationEvent | HandoverEvent | DeskEvent
"""Every event of a case, or of one of desk's logs."""

OWNER: dict[type[Event], str] = {
    event: service
    for service, union in (
        ("intake", IntakeEvent),
        ("verification", VerificationEvent),
        ("handover", HandoverEvent),
        ("desk", DeskEvent),
    )
    for event in get_args(union)
}
"""Event type -> the only service that records it."""

CASE_EVENTS: dict[str, type[Event]] = {event.__name__: event for event in OWNER}

ENVELOPES: dict[str, type[CaseEvent[Any]]] = {
    name: cast(type[CaseEvent[Any]], CaseEvent.__class_getitem__(event))
    for name, event in CASE_EVENTS.items()
}
"""Event type name -> its envelope class."""


def envelope_of(event: Event) -> type[CaseEvent[Any]]:
    return ENVELOPES[type(event).__name__]
