"""verification's view of a case: what its deciders read, and how events change it."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from shared.events import handover, intake, verification
from shared.events.base import CaseEvent
from shared.events.catalogue import AnyCaseEvent
from shared.events.claims import CaseClaimed
from shared.events.fields import Sealed
from shared.events.verification import EscalationReason, RegistryOutcome


@dataclass(frozen=True, slots=True)
class Statement:
    """The personal data last given: where it is recorded, and its sealed values."""

    event_id: str
    version: int
    identity: Sealed
    given_at: datetime
    unit: Sealed | None = None
    escalated: frozenset[EscalationReason] = frozenset()
    """Why a person has been asked to look since."""


@dataclass(frozen=True, slots=True)
class Verified:
    version: int
    at: datetime


@dataclass(frozen=True, slots=True)
class VerificationState:
    opened: bool = False
    closed: bool = False
    continued: bool = False
    """He called again after it was over: another case continues."""
    handed_over: bool = False
    statement: Statement | None = None
    registry: RegistryOutcome | None = None
    """What the registry last said about it; `unavailable` only if nothing else. None: not yet."""
    answered_at: int = 0
    """The version of the registry's last real answer about it."""
    contradicted_at: int | None = None
    """The version of an open contradiction; a match ends it, or two people."""
    doubted_at: int = 0
    """The version of a person's last contradiction: no match of earlier data ends it."""
    verified: Verified | None = None
    rejected: bool = False
    review_open: bool = False
    review_of_identity: bool = False
    claimants: tuple[str, ...] = ()
    life_now: bool = False
    """Whether the last triaged call was of urgency `life_now`."""


def evolve(state: VerificationState, event: CaseEvent[AnyCaseEvent]) -> VerificationState:
    match event.data:
        case intake.CaseOpened():
            return replace(state, opened=True)
        case intake.CaseClosed() | intake.CaseReopened():
            return replace(state, closed=isinstance(event.data, intake.CaseClosed))
        case intake.EpisodeContinued():
            return replace(state, continued=True)
        case handover.HandedOver():
            return replace(state, handed_over=True)
        case intake.PersonalDataProvided() as given:
            return _after_claim(state, event, given)
        case intake.CallTriaged() as triaged:
            return replace(state, life_now=triaged.urgency == "life_now")
        case CaseClaimed() as claimed:
            claimants = dict.fromkeys((*state.claimants, claimed.operator))
            return replace(state, claimants=tuple(claimants))
        case verification.RegistryChecked() as checked:
            return _after_registry(state, event.caseversion, checked)
        case verification.VerificationEscalated() as escalated if state.statement is not None:
            asked = state.statement.escalated | {escalated.reason}
            return replace(state, statement=replace(state.statement, escalated=asked))
        case verification.IdentityVerified():
            decided = Verified(event.caseversion, event.time)
            return replace(state, verified=decided, rejected=False, contradicted_at=None)
        case verification.IdentityContradicted() as contradicted:
            at = event.caseversion
            doubted_at = at if contradicted.registry is None else state.doubted_at
            return replace(state, contradicted_at=at, doubted_at=doubted_at, verified=None)
        case verification.IdentityRejected():
            return replace(state, rejected=True, verified=None)
        case verification.ReviewOpened() as review:
            of_identity = state.review_of_identity or review.reason != "operator"
            return replace(state, review_open=True, review_of_identity=of_identity)
        case verification.ReviewResolved():
            return replace(state, review_open=False, review_of_identity=False)
        case _:
            return state


def _after_claim(
    state: VerificationState,
    event: CaseEvent[AnyCaseEvent],
    given: intake.PersonalDataProvided,
) -> VerificationState:
    if given.provenance == "after_capture":
        return state  # A prisoner's statement is kept apart from what the hotline was told.
    statement = statement_in(event, given)
    # The earlier data was verified or rejected, not this.
    return replace(
        state, statement=statement, registry=None, answered_at=0, verified=None, rejected=False
    )


def statement_in(event: CaseEvent[Any], given: intake.PersonalDataProvided) -> Statement:
    unit = Sealed(given.unit) if given.unit is not None else None
    return Statement(event.id, event.caseversion, Sealed(given.identity), event.time, unit=unit)


def _after_registry(
    state: VerificationState, version: int, checked: verification.RegistryChecked
) -> VerificationState:
    if state.statement is None or checked.about_event != state.statement.event_id:
        return state  # An answer about data that was corrected meanwhile.
    if checked.outcome == "unavailable" and state.registry is not None:
        return state  # It says nothing about the man, so the previous answer stands.
    answered_at = state.answered_at if checked.outcome == "unavailable" else version
    ends = checked.outcome == "match" and state.statement.version > state.doubted_at
    open_at = None if ends else state.contradicted_at
    return replace(
        state, registry=checked.outcome, answered_at=answered_at, contradicted_at=open_at
    )
