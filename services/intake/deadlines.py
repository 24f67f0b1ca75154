"""What is due in a case of intake's, and what is recorded when its time has come."""

from __future__ import annotations

from datetime import datetime

from services.intake.claims import decide_lease_over
from services.intake.delivery import decide_unreported, decide_untold, unreported_at, untold_at
from services.intake.erasure import decide_location_retention
from services.intake.guards import Rules
from services.intake.outbox import UNREPORTED, UNTOLD
from services.intake.state import IntakeState
from shared.events.base import Event
from shared.events.intake import DeadlinePassed

LEASE = "lease"
LIFE_NOW = "life_now_unanswered"
SECOND_CALL = "second_call_review"
LOCATION_RETENTION = "location_retention"
KINDS = frozenset({LEASE, LIFE_NOW, SECOND_CALL, LOCATION_RETENTION, UNREPORTED, UNTOLD})


def deadlines(rules: Rules, state: IntakeState) -> dict[str, datetime]:
    """Gives what is due, and when, by kind."""
    waiting, is_open = state.waiting, state.closed_as is None
    due: dict[str, datetime | None] = {
        LEASE: state.claim.lease_until,
        LIFE_NOW: waiting.life_now_at + rules.life_now if is_open and waiting.life_now_at else None,
        SECOND_CALL: waiting.code_at + rules.second_call if is_open and waiting.code_at else None,
        LOCATION_RETENTION: waiting.places_at + rules.places if waiting.places_at else None,
        UNREPORTED: unreported_at(state.outbox, rules.report),
        UNTOLD: untold_at(state.outbox),
    }
    return {kind: at for kind, at in due.items() if at is not None}


def decide_due(state: IntakeState, kind: str, due_at: datetime) -> list[Event]:
    """What a deadline leads to that has come and still stands."""
    match kind:
        case "lease":
            return decide_lease_over(state)
        case "life_now_unanswered" | "second_call_review" as rule:
            return [DeadlinePassed(rule=rule, due_at=due_at)]
        case "location_retention":
            return decide_location_retention(state, by="service:intake")
        case "outbound_unreported":
            return decide_unreported(state.outbox)
        case "outbound_untold":
            return decide_untold(state.outbox)
        case _:
            return []
