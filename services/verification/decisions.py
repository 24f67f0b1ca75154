"""verification's view of a case, and its decisions: events, evolve, guards, decide."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import assert_never

from shared.commands.verification import (
    ContradictIdentity,
    EscalateVerification,
    RejectIdentity,
    VerifyIdentity,
)
from shared.events import handover, intake, verification
from shared.events.base import CaseEvent, Event
from shared.events.calls import CallEnded
from shared.events.catalogue import AnyCaseEvent
from shared.events.claims import ClaimEvent
from shared.events.custody import CustodyEvent
from shared.events.fields import Plain, Sealed
from shared.events.groups import GroupEvent
from shared.events.outbound import OutboundEvent
from shared.events.shifts import DeskEvent
from shared.events.verification import RegistryOutcome
from shared.refusals import CASE_KNOWN, Guard, RefusedError, is_another_person, require

IDENTITY_CLAIMED = Guard("identity_claimed", "ProvidePersonalData first")
NO_CONTRADICTION = Guard(
    "no_open_contradiction", "personal data given after it that the registry matches"
)
NOT_REJECTED = Guard("not_rejected", "new personal data, or second_by, another person")
TWO_SOURCES = Guard(
    "two_agreeing_sources", "a registry match for the data last given, or second_by, another person"
)


@dataclass(frozen=True, slots=True)
class Claim:
    """The personal data last given: where it stands, and its sealed values."""

    event_id: str
    version: int
    identity: Sealed


@dataclass(frozen=True, slots=True)
class VerificationState:
    """What verification's decisions read."""

    opened: bool = False
    claim: Claim | None = None
    registry: RegistryOutcome | None = None
    """What the registry last said about the claim; None while it hasn't."""
    contradicted_at: int | None = None
    """The version of an open contradiction; only data given after it can end it."""
    verified: bool = False
    rejected: bool = False


def evolve(state: VerificationState, event: CaseEvent[AnyCaseEvent]) -> VerificationState:
    """Gives the state after one more event; never refuses."""
    match event.data:
        case intake.CaseOpened():
            return replace(state, opened=True)
        case intake.PersonalDataProvided() as given:
            claim = Claim(event.id, event.caseversion, Sealed(given.identity))
            # What was verified was the data given before, not this.
            return replace(state, claim=claim, registry=None, verified=False, rejected=False)
        case verification.RegistryChecked() as checked:
            return _after_registry(state, checked)
        case verification.IdentityContradicted():
            return replace(state, contradicted_at=event.caseversion, verified=False)
        case verification.IdentityVerified():
            return replace(state, verified=True, rejected=False)
        case verification.IdentityRejected():
            return replace(state, rejected=True, verified=False)
        case (
            verification.VerificationEscalated()
            | intake.CallLinked()
            | intake.CallTriaged()
            | intake.SurrenderDeclared()
            | intake.ReturnCodeIssued()
            | intake.NoteAdded()
            | intake.CaseClosed()
            | intake.CaseReopened()
            | intake.ErasureRequested()
            | intake.PersonalDataErased()
            | handover.ArrivedInUkraine()
            | handover.ContactLost()
            | handover.HandedOver()
            | handover.RendezvousPlanned()
            | handover.RendezvousApproved()
            | handover.RendezvousDisclosed()
            | handover.RendezvousMissed()
            | handover.HandoverOffered()
            | handover.HandoverAccepted()
            | handover.HandoverRefused()
            | intake.DuressSignalled()
            | intake.DuressCleared()
            | intake.AdviceGiven()
            | intake.ContactRuleSet()
            | intake.DeadlinePassed()
            | intake.CasesLinked()
            | intake.CasesUnlinked()
            | intake.EpisodeContinued()
            | verification.CredibilityAssessed()
            | verification.ReviewOpened()
            | verification.ReviewResolved()
            | handover.GuidanceGiven()
            | handover.RendezvousReplanned()
            | handover.RendezvousCancelled()
            | handover.RendezvousExpired()
            | handover.HandoverWithdrawn()
            | handover.GroupHandedOver()
            | handover.HandoverDiscrepancyRaised()
            | handover.HandoverDiscrepancyResolved()
            | handover.EmergencyOverrideUsed()
            | handover.ContactRegained()
            | handover.FollowUpSet()
            | handover.FollowUpOverdue()
            | ClaimEvent()
            | GroupEvent()
            | OutboundEvent()
            | DeskEvent()
            | CustodyEvent()
            | CallEnded()
        ):
            return state
        case _ as unreachable:
            assert_never(unreachable)


def _after_registry(
    state: VerificationState, checked: verification.RegistryChecked
) -> VerificationState:
    if state.claim is None or checked.about_event != state.claim.event_id:
        return state  # An answer about data that was corrected meanwhile.
    ends = checked.outcome == "match" and state.claim.version > (state.contradicted_at or 0)
    open_at = None if ends else state.contradicted_at
    return replace(state, registry=checked.outcome, contradicted_at=open_at)


def decide_registry_answer(
    state: VerificationState, answer: verification.RegistryChecked
) -> list[Event]:
    """The registry's answer is a fact, whatever became of the case meanwhile."""
    require(state.opened, CASE_KNOWN)
    return [answer]


def decide_consequence(
    state: VerificationState, answer: verification.RegistryChecked
) -> list[Event]:
    """What follows from an answer: nothing on a match, a contradiction, or a person must look."""
    if state.claim is None or answer.about_event != state.claim.event_id:
        return []
    if answer.outcome == "match":
        return []
    if "service_number" in answer.fields_agreeing and answer.fields_conflicting:
        return [
            verification.IdentityContradicted(
                fields=answer.fields_conflicting, reason=Plain(f"registry {answer.registry}")
            )
        ]
    return [verification.VerificationEscalated(reason=answer.outcome)]


def claim_to_check(state: VerificationState) -> Claim:
    """The guards of asking the registry again; the asking itself is the handler's."""
    require(state.opened, CASE_KNOWN)
    if state.claim is None:
        raise RefusedError(IDENTITY_CLAIMED)
    return state.claim


def decide_escalate(state: VerificationState, command: EscalateVerification) -> list[Event]:
    """An operator wants another person to look."""
    require(state.opened, CASE_KNOWN)
    return [verification.VerificationEscalated(reason="operator", remark=Plain(command.remark))]


def decide_verify(state: VerificationState, command: VerifyIdentity) -> list[Event]:
    """Two agreeing sources, or a registry match plus an operator; no open contradiction."""
    require(state.opened, CASE_KNOWN)
    require(state.claim is not None, IDENTITY_CLAIMED)
    require(state.contradicted_at is None, NO_CONTRADICTION)
    require(not state.rejected or _by_two_people(command), NOT_REJECTED)
    require(_has_two_sources(state, command), TWO_SOURCES)
    if state.verified:
        return []
    return [
        verification.IdentityVerified(
            basis=command.basis, by=command.by, second_by=command.second_by
        )
    ]


def _has_two_sources(state: VerificationState, command: VerifyIdentity) -> bool:
    if command.basis == "registry_and_operator":
        return state.registry == "match"
    return _by_two_people(command)


def _by_two_people(command: VerifyIdentity) -> bool:
    return is_another_person(command.by, command.second_by)


def decide_contradict(state: VerificationState, command: ContradictIdentity) -> list[Event]:
    """A source contradicts the claim; a fact."""
    require(state.opened, CASE_KNOWN)
    return [verification.IdentityContradicted(fields=command.fields, reason=Plain(command.reason))]


def decide_reject(state: VerificationState, command: RejectIdentity) -> list[Event]:
    """He isn't who he says."""
    require(state.opened, CASE_KNOWN)
    require(state.claim is not None, IDENTITY_CLAIMED)
    if state.rejected:
        return []
    return [
        verification.IdentityRejected(
            fields=command.fields, reason=Plain(command.reason), by=command.by
        )
    ]
