"""queue: the cases that wait for a person, what each needs, since when, and who works on it."""

from collections.abc import Collection
from datetime import datetime
from typing import Literal, NamedTuple

from services.query.models.case_row import RANK as STAGE_RANK
from services.query.models.case_row import (
    RECEIVED,
    CaseRow,
    ContactState,
    IdentityState,
    OfferState,
    Progress,
    RendezvousState,
    Stage,
)
from services.query.models.overdue import OverdueRule
from services.query.models.rows import Id, IndexOf, Language, TableOf
from shared.events.fields import Channel
from shared.events.intake import Urgency

VERSION = 4

Need = Literal[
    "resolve_discrepancy",
    "capture_card",
    "triage",
    "claim_expired",
    "review",
    "message_failed",
    "decide_lost",
    "contact_silent",
    "contact_due",
    "follow_up",
    "second_call_review",
    "answer",
    "register",
    "verify",
    "issue_code",
    "identify",
    "plan",
    "approve",
    "disclose",
    "offer",
    "team_answer",
    "record_handover",
    "close",
]

FIRST, LAST = 0, 3
CAN_WAIT: frozenset[Need] = frozenset({"close", "second_call_review"})
WAITING: tuple[Stage, ...] = ("registered", "awaiting_second_call")
"""The waiting pool: he has registered, and the next step is his second call."""
LIVE: tuple[Stage, ...] = ("arrived", "planned", "guided", "offered")
"""The live board: he is on Ukrainian territory and not yet received."""
BY_OFFER: dict[OfferState, Need] = {"open": "team_answer", "accepted": "record_handover"}
BY_CONTACT: dict[ContactState, Need] = {"silent": "contact_silent", "due": "contact_due"}
BY_RENDEZVOUS: dict[RendezvousState, Need] = {
    "planned": "approve",
    "replanned": "approve",
    "approved": "disclose",
    "disclosed": "offer",
}
RANK: dict[Urgency | None, int] = {"life_now": FIRST, None: 1, "today": 2, "later": LAST}
"""Most urgent first; an untriaged case comes before what can wait."""


class QueueRow(NamedTuple):
    case_id: Id
    needs: Need
    since_at: datetime
    """By the server's clock: a sender's would let him jump the queue."""
    rank: int
    """0 comes first; by urgency, but closing a case can always wait."""
    urgency: Urgency | None
    channel: Channel | None
    language: Language | None
    progress: Progress
    identity: IdentityState
    contact: ContactState
    last_call_at: datetime | None
    claimed_by: str | None
    """Who already works on it, until `lease_until`."""
    lease_until: datetime | None


TABLES = (
    TableOf(
        "queue",
        QueueRow,
        indexes=(IndexOf("by_turn", ("rank", "channel", "since_at", "case_id")),),
    ),
)


def evolve(
    rows: tuple[QueueRow, ...],
    case: CaseRow,
    recorded_at: datetime,
    overdue: Collection[OverdueRule] = (),
) -> tuple[QueueRow, ...]:
    """The row after an event led to this case row; none if it doesn't wait for anyone."""
    needs = need_of(case, overdue)
    if needs is None:
        return ()
    after = QueueRow(
        case.case_id,
        needs,
        rows[0].since_at if rows and rows[0].needs == needs else recorded_at,
        LAST if needs in CAN_WAIT else RANK[case.urgency],
        case.urgency,
        case.channel,
        case.language,
        case.progress,
        case.identity,
        case.contact,
        case.last_call_at,
        case.claimed_by,
        case.lease_until,
    )
    return rows if rows and rows[0] == after else (after,)


def need_of(case: CaseRow, overdue: Collection[OverdueRule] = ()) -> Need | None:
    """What a person has to do next: the first thing in the hotline's order of work."""
    if case.next_case is not None:
        return None  # He has another case now; this one is read-only.
    return _after_receipt(case, overdue) or (_of_open_case(case, overdue) if case.open else None)


def _after_receipt(case: CaseRow, overdue: Collection[OverdueRule]) -> Need | None:
    """What is owed to him even if the case is closed."""
    if case.discrepancy:
        return "resolve_discrepancy"
    if "capture_card" in overdue:
        return "capture_card"
    return "follow_up" if "operator" in overdue and not case.open else None


def _of_open_case(case: CaseRow, overdue: Collection[OverdueRule]) -> Need | None:
    if not case.triaged:
        return "triage"
    if STAGE_RANK[case.stage] >= RECEIVED or case.identity == "rejected":
        return "follow_up" if "operator" in overdue else "close"
    return (
        _of_interrupted(case)
        or _of_messages(case)
        or ("verify" if case.escalated or case.identity in {"partial", "contradicted"} else None)
        or BY_OFFER.get(case.offer)
        or ("decide_lost" if "decide_whether_lost" in overdue else BY_CONTACT.get(case.contact))
        or ("follow_up" if "operator" in overdue else None)
        or BY_RENDEZVOUS.get(case.rendezvous)
        or _next_of_stage(case)
        or ("second_call_review" if "second_call_review" in overdue else None)
    )


def _of_interrupted(case: CaseRow) -> Need | None:
    """What must be dealt with before anything else continues."""
    if case.claim_expired and case.stage in LIVE:
        return "claim_expired"
    return "review" if case.hold == "review" else None


def _of_messages(case: CaseRow) -> Need | None:
    """After a failed message: until he is told, the team would wait for him in vain."""
    if case.rendezvous == "approved" and case.offer in BY_OFFER:
        return "disclose"
    return "message_failed" if case.failed_messages is not None else None


def _next_of_stage(case: CaseRow) -> Need | None:
    match case.stage:
        case "new":
            return "register" if case.intent == "surrender" else "answer"
        case "declared":
            return "register"
        case "registered":
            return "issue_code"
        case "arrived":
            return "plan" if case.identity == "verified" else "identify"
        case _:
            return None  # The next step is the caller's.
