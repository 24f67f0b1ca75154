"""Guards shared by verification's decisions."""

from __future__ import annotations

from services.verification.state import VerificationState
from shared.refusals import CASE_KNOWN, LATEST_EPISODE, NOT_HANDED_OVER, Guard, require

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


def require_latest(state: VerificationState) -> None:
    """Raises RefusedError unless the case exists and is his present one."""
    require(state.opened, CASE_KNOWN)
    require(not state.continued, LATEST_EPISODE)


def require_not_handed_over(state: VerificationState) -> None:
    """Raises RefusedError unless the case is his present one and still the hotline's."""
    require_latest(state)
    require(not state.handed_over, NOT_HANDED_OVER)
