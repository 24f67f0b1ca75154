"""intake's deadlines: what is due in a case, and what is recorded when it is."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from services.intake.claims import decide_lease_over
from services.intake.erasure import decide_location_retention
from services.intake.messages import decide_unreported, decide_untold, unreported_at, untold_at
from services.intake.outbox_state import UNREPORTED, UNTOLD
from services.intake.state import IntakeState
from shared.events.base import Event
from shared.events.intake import DeadlinePassed
from shared.skeleton.due import Deadline, Due, Setting

LEASE = "lease"
LIFE_NOW = "life_now_unanswered"
SECOND_CALL = "second_call_review"
LOCATION_RETENTION = "location_retention"
KINDS = {
    LEASE: Deadline(
        "CaseClaimed", "CaseReleased: the operator's lease is over", setting="lease_minutes"
    ),
    LIFE_NOW: Deadline(
        "a call of urgency life_now while nobody holds the case", "DeadlinePassed", "life_now"
    ),
    SECOND_CALL: Deadline(
        "ReturnCodeIssued, until he calls again or arrives", "DeadlinePassed", "second_call"
    ),
    LOCATION_RETENTION: Deadline(
        "HandedOver, while places are kept", "PersonalDataErased of the places", "places"
    ),
    UNREPORTED: Deadline("MessageDispatched", "MessageFailed: no report", "report"),
    UNTOLD: Deadline(
        "the message's valid_until, until the disclosure by it is recorded",
        "MessageRefused: too late",
    ),
}


@dataclass(frozen=True, slots=True)
class Spans:
    life_now: Annotated[timedelta, Setting("life_now_s")]
    second_call: Annotated[timedelta, Setting("second_call_days")]
    places: Annotated[timedelta, Setting("location_retention_hours")]
    report: Annotated[timedelta, Setting("outbound_report_minutes")]


def due_in(state: IntakeState, spans: Spans) -> dict[str, datetime]:
    """When each kind is due; what was dealt with is left out."""
    pending, is_open = state.pending, state.closed_as is None
    due: dict[str, datetime | None] = {
        LEASE: state.claim.lease_until,
        LIFE_NOW: pending.life_now_at + spans.life_now if is_open and pending.life_now_at else None,
        SECOND_CALL: pending.code_at + spans.second_call if is_open and pending.code_at else None,
        LOCATION_RETENTION: pending.places_at + spans.places if pending.places_at else None,
        UNREPORTED: unreported_at(state, spans.report),
        UNTOLD: untold_at(state),
    }
    return {kind: at for kind, at in due.items() if at is not None}


def decide_due(state: IntakeState, due: Due) -> list[Event]:
    """What is recorded of a deadline that has come, if it still stands."""
    match due.kind:
        case "lease":
            return decide_lease_over(state)
        case "life_now_unanswered" | "second_call_review" as rule:
            return [DeadlinePassed(rule=rule, due_at=due.due_at)]
        case "location_retention":
            return decide_location_retention(state, by="service:intake")
        case "outbound_unreported":
            return decide_unreported(state)
        case "outbound_untold":
            return decide_untold(state)
        case _:
            return []
