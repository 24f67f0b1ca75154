"""queue: the open cases that wait for a person, what each needs, and since when."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple

from services.query.projections.case_list import (
    CaseRow,
    ContactState,
    IdentityState,
    Progress,
)
from shared.events.fields import Channel
from shared.events.intake import Urgency

VERSION = 2

Need = Literal[
    "triage",
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
RANK: dict[Urgency | None, int] = {"life_now": FIRST, None: 1, "today": 2, "later": LAST}
"""The most urgent first; what nobody judged yet comes before what can wait."""


class QueueRow(NamedTuple):
    """A case that waits for a person."""

    case_id: str
    needs: Need
    since_at: datetime
    """Since when it needs this, by the server's clock: a sender's would let him jump the queue."""
    rank: int
    """0 comes first; by urgency, but to close a case can always wait."""
    urgency: Urgency | None
    channel: Channel | None
    language: str | None
    progress: Progress
    identity: IdentityState
    contact: ContactState
    last_call_at: datetime | None


def evolve(row: QueueRow | None, case: CaseRow, recorded_at: datetime) -> QueueRow | None:
    """Gives the row after an event made the case what it is; None: nobody is waited for."""
    needs = need_of(case)
    if needs is None:
        return None
    after = QueueRow(
        case.case_id,
        needs,
        row.since_at if row is not None and row.needs == needs else recorded_at,
        LAST if needs == "close" else RANK[case.urgency],
        case.urgency,
        case.channel,
        case.language,
        case.progress,
        case.identity,
        case.contact,
        case.last_call_at,
    )
    return row if after == row else after


def need_of(case: CaseRow) -> Need | None:
    """Gives what a person has to do next; the earliest thing in the hotline's order of work."""
    if not case.open:
        return None
    if not case.triaged:
        return "triage"
    if case.stage == "handed_over" or case.identity == "rejected":
        return "close"
    if _identity_waits(case):
        return "verify"
    return _next_of_handover(case) or _next_of_stage(case)


def _identity_waits(case: CaseRow) -> bool:
    return case.escalated or case.identity in {"partial", "contradicted"}


def _next_of_handover(case: CaseRow) -> Need | None:
    if case.offer == "open":
        return "team_answer"
    if case.offer == "accepted":
        return "record_handover"
    by_rendezvous: dict[str, Need] = {
        "planned": "approve",
        "approved": "disclose",
        "disclosed": "offer",
    }
    return by_rendezvous.get(case.rendezvous)


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
