"""verification's decisions on reviewing a decision: its rows of the guard table."""

from __future__ import annotations

from datetime import datetime

from services.verification.guards import DECISION_TAKEN_BACK, REVIEW_OPEN, require_latest
from services.verification.state import VerificationState
from shared.commands.verification import OpenReview, ResolveReview
from shared.events import verification
from shared.events.base import Event
from shared.events.fields import Plain
from shared.refusals import CASE_KNOWN, require


def decide_open_review(
    state: VerificationState, command: OpenReview, _now: datetime
) -> list[Event]:
    """A fact: someone wants a decision reviewed."""
    require(state.opened, CASE_KNOWN)
    return [
        verification.ReviewOpened(
            reason="operator", about_event=command.about_event, remark=Plain(command.remark)
        )
    ]


def decide_resolve_review(
    state: VerificationState, command: ResolveReview, _now: datetime
) -> list[Event]:
    """Resolves all open reviews; a decision is taken back by its own event."""
    require_latest(state)
    require(state.review_open, REVIEW_OPEN)
    withdrawn = command.outcome == "decision_withdrawn"
    still_stands = state.review_of_identity and state.verified is not None
    require(not (withdrawn and still_stands), DECISION_TAKEN_BACK)
    return [
        verification.ReviewResolved(
            by=command.by, outcome=command.outcome, remark=Plain(command.remark)
        )
    ]
