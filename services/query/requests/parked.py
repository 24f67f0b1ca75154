"""What waits for a person because it could not be processed, as it is listed."""

from __future__ import annotations

from services.query.context import Context
from services.query.requests.problems import unanswered
from shared.log.case_log import LogError
from shared.parked.messages import WaitingPage

PAGE_MAX = 100
PARKED = "The stream of parked messages"


def page_of(context: Context, after: int, limit: int) -> WaitingPage:
    """Raises ProblemError."""
    try:
        return context.parked_page(after, limit)
    except LogError:
        raise unanswered(PARKED) from None
