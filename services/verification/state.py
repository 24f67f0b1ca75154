"""verification's view of a case: what its decisions read, and how events change it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, assert_never

from shared.events import handover, intake, verification
from shared.events.base import CaseEvent
from shared.events.calls import CallEnded
from shared.events.catalogue import AnyCaseEvent
from shared.events.claims import CaseClaimed, CaseReleased
from shared.events.custody import CustodyEvent
from shared.events.fields import Sealed
from shared.events.groups import GroupEvent
from shared.events.outbound import OutboundEvent
from shared.events.shifts import DeskEvent
from shared.events.verification import EscalationReason, RegistryOutcome


@dataclass(frozen=True, slots=True)
class Claim:
    """The personal data last given: where it stands, and its sealed values."""

    event_id: str
    version: int
    identity: Sealed
    given_at: datetime
    unit: Sealed | None = None
    escalated: frozenset[EscalationReason] = frozenset()
    """Why a person was asked to look since."""


@dataclass(frozen=True, slots=True)
class Verified:
    """The decision that he is who he says."""

    version: int
    at: datetime


@dataclass(frozen=True, slots=True)
class VerificationState:
    """What verification's decisions read."""

    opened: bool = False
    closed: bool = False
    continued: bool = False
    """He called again after it was over: another case goes on with him."""
    handed_over: bool = False
    claim: Claim | None = None
    registry: RegistryOutcome | None = None
    """What the registry last said about the claim, `unavailable` if only that; None: not yet."""
    answered_at: int = 0
    """The version of the registry's last answer about the claim that said something."""
    contradicted_at: int | None = None
    """The version of an open contradiction; a match ends it, or two people."""
    doubted_at: int = 0
    """The version of a person's last contradiction: no match of data given before ends it."""
    verified: Verified | None = None
    rejected: bool = False
    review_open: bool = False
    review_of_identity: bool = False
    """Whether what is looked at again is that he was verified."""
    claimants: tuple[str, ...] = ()
    """Who has claimed the case to work on it."""
    life_now: bool = False
    """Whether the call judged last was of urgency `life_now`."""


_Untouched = (
    intake.CallLinked
    | intake.SurrenderDeclared
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
    | intake.ErasureRequested
    | intake.PersonalDataErased
    | verification.CredibilityAssessed
    | CallEnded
    | CaseReleased
    | GroupEvent
    | OutboundEvent
    | DeskEvent
    | CustodyEvent
    | handover.ArrivedInUkraine
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
    | handover.GroupHandedOver
    | handover.HandoverDiscrepancyRaised
    | handover.HandoverDiscrepancyResolved
    | handover.EmergencyOverrideUsed
    | handover.ContactLost
    | handover.ContactRegained
    | handover.FollowUpSet
    | handover.FollowUpOverdue
)
"""What says nothing about who he is."""


def evolve(state: VerificationState, event: CaseEvent[AnyCaseEvent]) -> VerificationState:
    """Gives the state after one more event; never refuses."""
    match event.data:
        case (
            intake.CaseOpened()
            | intake.CaseClosed()
            | intake.CaseReopened()
            | intake.EpisodeContinued()
            | handover.HandedOver()
        ):
            return _after_course(state, event.data)
        case intake.PersonalDataProvided() as given:
            return _after_claim(state, event, given)
        case intake.CallTriaged() as triaged:
            return replace(state, life_now=triaged.urgency == "life_now")
        case CaseClaimed() as claimed:
            return replace(state, claimants=_with(state.claimants, claimed.operator))
        case (
            verification.RegistryChecked()
            | verification.VerificationEscalated()
            | verification.IdentityVerified()
            | verification.IdentityContradicted()
            | verification.IdentityRejected()
        ):
            return _after_identity(state, event, event.data)
        case verification.ReviewOpened() as review:
            of_identity = state.review_of_identity or review.reason != "operator"
            return replace(state, review_open=True, review_of_identity=of_identity)
        case verification.ReviewResolved():
            return replace(state, review_open=False, review_of_identity=False)
        case _:
            return _untouched(state, event.data)


def _after_course(
    state: VerificationState,
    data: intake.CaseOpened
    | intake.CaseClosed
    | intake.CaseReopened
    | intake.EpisodeContinued
    | handover.HandedOver,
) -> VerificationState:
    match data:
        case intake.CaseOpened():
            return replace(state, opened=True)
        case intake.CaseClosed() | intake.CaseReopened():
            return replace(state, closed=isinstance(data, intake.CaseClosed))
        case intake.EpisodeContinued():
            return replace(state, continued=True)
        case handover.HandedOver():
            return replace(state, handed_over=True)
        case _ as unreachable:
            assert_never(unreachable)


def _after_claim(
    state: VerificationState,
    event: CaseEvent[AnyCaseEvent],
    given: intake.PersonalDataProvided,
) -> VerificationState:
    if given.provenance == "after_capture":
        return state  # What a prisoner states is kept apart from what the hotline was told.
    claim = claim_in(event, given)
    # What was verified or rejected was the data given before, not this.
    return replace(state, claim=claim, registry=None, answered_at=0, verified=None, rejected=False)


def claim_in(event: CaseEvent[Any], given: intake.PersonalDataProvided) -> Claim:
    """The claim that stands in an event."""
    unit = Sealed(given.unit) if given.unit is not None else None
    return Claim(event.id, event.caseversion, Sealed(given.identity), event.time, unit=unit)


def _after_identity(
    state: VerificationState,
    event: CaseEvent[AnyCaseEvent],
    data: verification.RegistryChecked
    | verification.VerificationEscalated
    | verification.IdentityVerified
    | verification.IdentityContradicted
    | verification.IdentityRejected,
) -> VerificationState:
    match data:
        case verification.RegistryChecked():
            return _after_registry(state, event.caseversion, data)
        case verification.VerificationEscalated():
            claim = state.claim
            if claim is not None:
                claim = replace(claim, escalated=claim.escalated | {data.reason})
            return replace(state, claim=claim)
        case verification.IdentityVerified():
            decided = Verified(event.caseversion, event.time)
            return replace(state, verified=decided, rejected=False, contradicted_at=None)
        case verification.IdentityContradicted():
            at = event.caseversion
            doubted_at = at if data.registry is None else state.doubted_at
            return replace(state, contradicted_at=at, doubted_at=doubted_at, verified=None)
        case verification.IdentityRejected():
            return replace(state, rejected=True, verified=None)
        case _ as unreachable:
            assert_never(unreachable)


def _after_registry(
    state: VerificationState, version: int, checked: verification.RegistryChecked
) -> VerificationState:
    if state.claim is None or checked.about_event != state.claim.event_id:
        return state  # An answer about data that was corrected meanwhile.
    if checked.outcome == "unavailable" and state.registry is not None:
        return state  # It says nothing about the man, so what it said before stands.
    answered_at = state.answered_at if checked.outcome == "unavailable" else version
    ends = checked.outcome == "match" and state.claim.version > state.doubted_at
    open_at = None if ends else state.contradicted_at
    return replace(
        state, registry=checked.outcome, answered_at=answered_at, contradicted_at=open_at
    )


def _untouched(state: VerificationState, data: _Untouched) -> VerificationState:
    del data
    return state


def _with(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    return names if name in names else (*names, name)
