"""verification's decision on whether a man means what he says: its row of the guard table."""

from __future__ import annotations

from datetime import datetime, timedelta

from services.verification.guards import EXPIRES_IN_TIME, require_not_handed_over
from services.verification.state import VerificationState
from shared.commands.verification import AssessCredibility
from shared.events import verification
from shared.events.base import Event
from shared.events.fields import Plain
from shared.refusals import require

CREDIBILITY_MAX = timedelta(days=30)
"""How long an assessment counts at most."""


def decide_assess(
    state: VerificationState, command: AssessCredibility, now: datetime
) -> list[Event]:
    """An assessment counts for a limited time."""
    require_not_handed_over(state)
    require(now < command.expires_at <= now + CREDIBILITY_MAX, EXPIRES_IN_TIME)
    return [
        verification.CredibilityAssessed(
            level=command.level,
            indicators=Plain(command.indicators),
            expires_at=command.expires_at,
            by=command.by,
        )
    ]
