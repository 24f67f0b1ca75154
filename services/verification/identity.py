"""What people decide about a man: who he is, whether he means what he says; and reviews of that."""

from datetime import datetime, timedelta

from services.verification.guards import (
    IDENTITY_CLAIMED,
    require_latest,
    require_not_handed_over,
)
from services.verification.state import VerificationState
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
from shared.events.base import Event
from shared.events.event_of import event_of
from shared.refusals import CASE_KNOWN, NO_CONTRADICTION, Guard, is_another_person, require

NOT_REJECTED = Guard("not_rejected", "new personal data, or second_by, another person")
TWO_SOURCES = Guard(
    "two_agreeing_sources", "a registry match for the data last given, or second_by, another person"
)
ANOTHER_THAN_CLAIMANT = Guard(
    "another_than_claimant",
    "someone other than the only person who claimed the case, second_by, or urgency life_now",
)
EXPIRES_IN_TIME = Guard("expires_in_time", "an expires_at in the future, at most 30 days ahead")
REVIEW_OPEN = Guard("review_open", "OpenReview first")
DECISION_TAKEN_BACK = Guard(
    "decision_taken_back", "RejectIdentity or ContradictIdentity first, or decision_stands"
)
CREDIBILITY_MAX = timedelta(days=30)
"""How long an assessment counts at most."""


def decide_escalate(
    state: VerificationState, command: EscalateVerification, _now: datetime
) -> list[Event]:
    """An operator wants another person to look."""
    require(state.opened, CASE_KNOWN)
    return [event_of(verification.VerificationEscalated, command, reason="operator")]


def decide_verify(state: VerificationState, command: VerifyIdentity, _now: datetime) -> list[Event]:
    """Needs two agreeing sources, or a registry match plus an operator; no open contradiction.

    With a reason, two people can verify past a contradiction. The only operator who claimed the
    case can't verify, unless a life is at stake now.
    """
    require_not_handed_over(state)
    by_two = is_another_person(command.by, command.second_by)
    require(state.statement is not None, IDENTITY_CLAIMED)
    past_it = by_two and command.reason is not None
    require(state.contradicted_at is None or past_it, NO_CONTRADICTION)
    require(not state.rejected or by_two, NOT_REJECTED)
    require(_has_two_sources(state, command, by_two=by_two), TWO_SOURCES)
    require(
        by_two or state.life_now or not _is_only_claimant(state, command), ANOTHER_THAN_CLAIMANT
    )
    if state.verified:
        return []
    return [event_of(verification.IdentityVerified, command)]


def _has_two_sources(state: VerificationState, command: VerifyIdentity, *, by_two: bool) -> bool:
    return state.registry == "match" if command.basis == "registry_and_operator" else by_two


def _is_only_claimant(state: VerificationState, command: VerifyIdentity) -> bool:
    others = [one for one in state.claimants if is_another_person(one, command.by)]
    return bool(state.claimants) and not others


def decide_contradict(
    state: VerificationState, command: ContradictIdentity, _now: datetime
) -> list[Event]:
    """A fact. It opens a review if it is older than his verification."""
    require(state.opened, CASE_KNOWN)
    verified, happened_at = state.verified, command.happened_at
    if verified is not None and happened_at is not None and happened_at < verified.at:
        late = {"reason": "late_fact", "remark": command.reason}
        return [event_of(verification.ReviewOpened, command, **late)]
    return [event_of(verification.IdentityContradicted, command)]


def decide_reject(state: VerificationState, command: RejectIdentity, _now: datetime) -> list[Event]:
    """He isn't who he says he is."""
    require_not_handed_over(state)
    require(state.statement is not None, IDENTITY_CLAIMED)
    if state.rejected:
        return []
    return [event_of(verification.IdentityRejected, command)]


def decide_assess(
    state: VerificationState, command: AssessCredibility, now: datetime
) -> list[Event]:
    """An assessment counts for a limited time."""
    require_not_handed_over(state)
    require(now < command.expires_at <= now + CREDIBILITY_MAX, EXPIRES_IN_TIME)
    return [event_of(verification.CredibilityAssessed, command)]


def decide_open_review(
    state: VerificationState, command: OpenReview, _now: datetime
) -> list[Event]:
    """A fact: someone wants a decision reviewed."""
    require(state.opened, CASE_KNOWN)
    return [event_of(verification.ReviewOpened, command, reason="operator")]


def decide_resolve_review(
    state: VerificationState, command: ResolveReview, _now: datetime
) -> list[Event]:
    """Resolves all open reviews; a decision is taken back by its own event."""
    require_latest(state)
    require(state.review_open, REVIEW_OPEN)
    withdrawn = command.outcome == "decision_withdrawn"
    still_stands = state.review_of_identity and state.verified is not None
    require(not (withdrawn and still_stands), DECISION_TAKEN_BACK)
    return [event_of(verification.ReviewResolved, command)]
