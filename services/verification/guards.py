"""Guards shared by verification's deciders."""

from services.verification.state import VerificationState
from shared.refusals import CASE_KNOWN, LATEST_EPISODE, NOT_HANDED_OVER, Guard, require

IDENTITY_CLAIMED = Guard("identity_claimed", "ProvidePersonalData first")


def require_latest(state: VerificationState) -> None:
    require(state.opened, CASE_KNOWN)
    require(not state.continued, LATEST_EPISODE)


def require_not_handed_over(state: VerificationState) -> None:
    require_latest(state)
    require(not state.handed_over, NOT_HANDED_OVER)
