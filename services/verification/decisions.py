"""verification's decisions: its rows of the guard table."""

from __future__ import annotations

from datetime import datetime, timedelta

from services.verification.state import Claim, VerificationState
from shared.commands.verification import (
    AssessCredibility,
    ContradictIdentity,
    EscalateVerification,
    OpenReview,
    RejectIdentity,
    ResolveReview,
    VerifyIdentity,
)
from shared.events import verification
from shared.events.base import CaseEvent, Event
from shared.events.fields import Plain
from shared.refusals import (
    CASE_KNOWN,
    LATEST_EPISODE,
    NO_CONTRADICTION,
    NOT_HANDED_OVER,
    Guard,
    RefusedError,
    is_another_person,
    require,
)

CONFLICTS_TO_CONTRADICT = 2
CREDIBILITY_MAX = timedelta(days=30)
"""How long a judgement of his credibility counts at most."""

IDENTITY_CLAIMED = Guard("identity_claimed", "ProvidePersonalData first")
NOT_REJECTED = Guard("not_rejected", "new personal data, or second_by, another person")
TWO_SOURCES = Guard(
    "two_agreeing_sources", "a registry match for the data last given, or second_by, another person"
)
ANOTHER_THAN_CLAIMANT = Guard(
    "another_than_claimant",
    "somebody else than the only one who claimed the case, second_by, or urgency life_now",
)
EXPIRES_IN_TIME = Guard("expires_in_time", "an expires_at ahead, at most 30 days")
REVIEW_OPEN = Guard("review_open", "OpenReview first")
DECISION_TAKEN_BACK = Guard(
    "decision_taken_back", "RejectIdentity or ContradictIdentity first, or decision_stands"
)


def decide_registry_answer(
    state: VerificationState, answer: verification.RegistryChecked
) -> list[Event]:
    """The registry's answer is a fact, whatever became of the case meanwhile."""
    require(state.opened, CASE_KNOWN)
    return [answer]


def decide_consequence(
    state: VerificationState, answered: CaseEvent[verification.RegistryChecked]
) -> list[Event]:
    """What follows from an answer: nothing on a match, a contradiction, or a person must look.

    Nothing follows from an answer after which the registry gave another about the same data.
    Once he is verified the decision stands: an answer that speaks against it opens a review.
    """
    answer = answered.data
    if state.claim is None or answer.about_event != state.claim.event_id:
        return []
    if answer.outcome == "match" or answered.caseversion < state.answered_at:
        return []
    if state.verified is not None:
        known = answered.caseversion < state.verified.version
        return _after_verified(answered, known=known)
    if _contradicts(answer):
        return [
            verification.IdentityContradicted(
                fields=answer.fields_conflicting,
                reason=Plain(f"registry {answer.registry}"),
                registry=answer.registry,
            )
        ]
    return [verification.VerificationEscalated(reason=answer.outcome)]


def _after_verified(
    answered: CaseEvent[verification.RegistryChecked], *, known: bool
) -> list[Event]:
    answer = answered.data
    # Who verified him knew the answer; and an absent one says nothing about the man.
    if answer.outcome == "unavailable" or (known and not _contradicts(answer)):
        return []
    return [
        verification.ReviewOpened(
            reason="late_fact" if known else "answer_after_verified",
            fields=answer.fields_conflicting,
            about_event=answered.id,
        )
    ]


def _contradicts(answer: verification.RegistryChecked) -> bool:
    """One field may be a slip of anybody's: with the right number it takes two to contradict."""
    conflicts = len(answer.fields_conflicting)
    is_his_number = "service_number" in answer.fields_agreeing
    enough = 1 if answer.number_of_another else CONFLICTS_TO_CONTRADICT
    return is_his_number and conflicts >= enough


def claim_to_check(state: VerificationState) -> Claim:
    """The guards of asking the registry again; the asking itself is the handler's."""
    require(state.opened, CASE_KNOWN)
    require(not state.continued, LATEST_EPISODE)
    if state.claim is None:
        raise RefusedError(IDENTITY_CLAIMED)
    return state.claim


def decide_escalate(
    state: VerificationState, command: EscalateVerification, _now: datetime
) -> list[Event]:
    """An operator wants another person to look."""
    require(state.opened, CASE_KNOWN)
    return [verification.VerificationEscalated(reason="operator", remark=Plain(command.remark))]


def decide_verify(state: VerificationState, command: VerifyIdentity, _now: datetime) -> list[Event]:
    """Two agreeing sources, or a registry match plus an operator; no open contradiction.

    Two people can verify past a contradiction, with a reason. Not by the only operator who claimed
    the case, unless a life is at stake now.
    """
    _require_live(state)
    by_two = is_another_person(command.by, command.second_by)
    require(state.claim is not None, IDENTITY_CLAIMED)
    past_it = by_two and command.reason is not None
    require(state.contradicted_at is None or past_it, NO_CONTRADICTION)
    require(not state.rejected or by_two, NOT_REJECTED)
    require(_has_two_sources(state, command, by_two=by_two), TWO_SOURCES)
    require(
        by_two or state.life_now or not _is_only_claimant(state, command), ANOTHER_THAN_CLAIMANT
    )
    if state.verified:
        return []
    return [
        verification.IdentityVerified(
            basis=command.basis,
            by=command.by,
            second_by=command.second_by,
            reason=Plain(command.reason) if command.reason else None,
        )
    ]


def _require_live(state: VerificationState) -> None:
    require(state.opened, CASE_KNOWN)
    require(not state.continued, LATEST_EPISODE)
    require(not state.handed_over, NOT_HANDED_OVER)


def _has_two_sources(state: VerificationState, command: VerifyIdentity, *, by_two: bool) -> bool:
    return state.registry == "match" if command.basis == "registry_and_operator" else by_two


def _is_only_claimant(state: VerificationState, command: VerifyIdentity) -> bool:
    others = [one for one in state.claimants if is_another_person(one, command.by)]
    return bool(state.claimants) and not others


def decide_contradict(
    state: VerificationState, command: ContradictIdentity, _now: datetime
) -> list[Event]:
    """A source contradicts the claim; a fact. Of before he was verified, it opens a review."""
    require(state.opened, CASE_KNOWN)
    reason, happened_at = Plain(command.reason), command.happened_at
    verified = state.verified
    if verified is not None and happened_at is not None and happened_at < verified.at:
        return [verification.ReviewOpened(reason="late_fact", fields=command.fields, remark=reason)]
    return [verification.IdentityContradicted(fields=command.fields, reason=reason)]


def decide_reject(state: VerificationState, command: RejectIdentity, _now: datetime) -> list[Event]:
    """He isn't who he says."""
    _require_live(state)
    require(state.claim is not None, IDENTITY_CLAIMED)
    if state.rejected:
        return []
    return [
        verification.IdentityRejected(
            fields=command.fields, reason=Plain(command.reason), by=command.by
        )
    ]


def decide_assess(
    state: VerificationState, command: AssessCredibility, now: datetime
) -> list[Event]:
    """Whether he means what he says, as a person judges it for some days."""
    _require_live(state)
    require(now < command.expires_at <= now + CREDIBILITY_MAX, EXPIRES_IN_TIME)
    return [
        verification.CredibilityAssessed(
            level=command.level,
            indicators=Plain(command.indicators),
            expires_at=command.expires_at,
            by=command.by,
        )
    ]


def decide_open_review(
    state: VerificationState, command: OpenReview, _now: datetime
) -> list[Event]:
    """Somebody wants a decision to be looked at again; a fact."""
    require(state.opened, CASE_KNOWN)
    return [
        verification.ReviewOpened(
            reason="operator", about_event=command.about_event, remark=Plain(command.remark)
        )
    ]


def decide_resolve_review(
    state: VerificationState, command: ResolveReview, _now: datetime
) -> list[Event]:
    """What became of the reviews, all that are open; a decision is taken back by its own event."""
    require(state.opened, CASE_KNOWN)
    require(not state.continued, LATEST_EPISODE)
    require(state.review_open, REVIEW_OPEN)
    withdrawn = command.outcome == "decision_withdrawn"
    still_stands = state.review_of_identity and state.verified is not None
    require(not (withdrawn and still_stands), DECISION_TAKEN_BACK)
    return [
        verification.ReviewResolved(
            by=command.by, outcome=command.outcome, remark=Plain(command.remark)
        )
    ]
