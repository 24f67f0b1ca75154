"""overdue: one row per deadline that passed without action, until somebody acts.

A row comes with `DeadlinePassed`, `FollowUpOverdue`, `VerificationEscalated` (no answer, overdue)
or `CaptureCardDue`, and goes when the case no longer waits for it (`_stands`) or by an event that
handles it (`CLEARED_BY`); docs/api.md lists both.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple

from services.query.models.case_row import RANK, RECEIVED, CaseRow
from services.query.models.rows import Characters, Id, TableOf
from shared.events import claims, custody, handover, intake, verification
from shared.events.base import CaseEvent, Event

VERSION = 1

OverdueRule = Literal[
    intake.IntakeDeadline,
    "registry_no_answer",
    "registry_overdue",
    handover.FollowUpRule,
    "capture_card",
]

CONTACT: tuple[OverdueRule, ...] = ("arrived_contact_due", "arrived_silent", "decide_whether_lost")
ACKNOWLEDGEMENT: tuple[OverdueRule, ...] = (
    "handover_unacknowledged",
    "handover_unacknowledged_again",
)
REGISTRY: tuple[OverdueRule, ...] = ("registry_no_answer", "registry_overdue")
LADDERS = (CONTACT, ACKNOWLEDGEMENT, REGISTRY)
"""Each rung says the same as the one before, but louder; only the loudest is shown."""

CLEARED_BY: dict[type[Event], frozenset[OverdueRule]] = {
    intake.CallLinked: frozenset({"second_call_review"}),
    intake.ReturnCodeIssued: frozenset({"second_call_review"}),
    handover.FollowUpSet: frozenset({"operator", "second_call_review"}),
    claims.CaseReleased: frozenset({"operator"}),
    intake.PersonalDataProvided: frozenset(REGISTRY),
    verification.RegistryChecked: frozenset(REGISTRY),
    handover.HandoverOffered: frozenset(ACKNOWLEDGEMENT),
    custody.CaptureCardConfirmed: frozenset({"capture_card"}),
}
"""What handles which rule, where the case's row doesn't say so; `_handles` has the exceptions."""

NOTHING: frozenset[OverdueRule] = frozenset()
SETTERS: tuple[type[Event], ...] = (
    intake.DeadlinePassed,
    handover.FollowUpOverdue,
    verification.VerificationEscalated,
    custody.CaptureCardDue,
)


class OverdueRow(NamedTuple):
    case_id: Id
    rule: Annotated[OverdueRule, Characters(64)]
    due_at: datetime
    recorded_at: datetime
    """When the system noticed, by the server's clock."""


TABLES = (TableOf("overdue", OverdueRow, key=("case_id", "rule")),)


def evolve(
    rows: tuple[OverdueRow, ...], case: CaseRow, event: CaseEvent[Any], recorded_at: datetime
) -> tuple[OverdueRow, ...]:
    """What is overdue after an event that led to this case row."""
    kind = type(event.data)
    if kind in SETTERS:
        due = _due(event)
        if due is not None:
            rows = _with(rows, OverdueRow(case.case_id, *due, recorded_at))
    elif not rows:
        return rows
    handled = CLEARED_BY.get(kind, NOTHING) if _handles(event.data, case) else NOTHING
    left = tuple(one for one in rows if one.rule not in handled and _stands(one.rule, case))
    return rows if left == rows else left


def rules_of(rows: tuple[OverdueRow, ...]) -> frozenset[OverdueRule]:
    return frozenset(one.rule for one in rows) if rows else NOTHING


def _due(event: CaseEvent[Any]) -> tuple[OverdueRule, datetime] | None:
    match event.data:
        case intake.DeadlinePassed() | handover.FollowUpOverdue() as passed:
            return passed.rule, passed.due_at
        case verification.VerificationEscalated(reason="no_answer"):
            return "registry_no_answer", event.time
        case verification.VerificationEscalated(reason="overdue"):
            return "registry_overdue", event.time
        case custody.CaptureCardDue() as card:
            return "capture_card", card.due_at
        case _:
            return None


def _with(rows: tuple[OverdueRow, ...], new: OverdueRow) -> tuple[OverdueRow, ...]:
    ladder = next((one for one in LADDERS if new.rule in one), (new.rule,))
    loudness = ladder.index(new.rule)
    if any(one.rule in ladder[loudness + 1 :] for one in rows):
        return rows
    others = tuple(one for one in rows if one.rule not in ladder)
    return tuple(sorted((*others, new), key=lambda one: one.rule))


def _handles(data: Event, case: CaseRow) -> bool:
    match data:
        case intake.PersonalDataProvided():
            return data.provenance != "after_capture"
        case verification.RegistryChecked():
            return data.outcome != "unavailable" and data.about_event == case.claim_event_id
        case claims.CaseReleased():
            return data.reason == "done"
        case _:
            return True


def _stands(rule: OverdueRule, case: CaseRow) -> bool:
    """Whether the case still waits for what was due."""
    if rule == "capture_card":
        is_held = case.custody is None or case.custody in custody.IN_CUSTODY
        return is_held and case.stage != "exchanged"
    if rule == "operator":
        return case.next_case is None
    ended = not case.open or case.next_case is not None or RANK[case.stage] >= RECEIVED
    return not ended and _waits(case)[rule]


def _waits(case: CaseRow) -> Mapping[OverdueRule, bool]:
    unheard = case.contact in {"due", "silent"}
    unanswered = case.offer == "open"
    unverified = case.identity in {"claimed", "contradicted"}
    return {
        "life_now_unanswered": case.urgency == "life_now" and case.claimed_by is None,
        "second_call_review": case.stage == "awaiting_second_call" and case.contact != "lost",
        **dict.fromkeys(CONTACT, unheard),
        **dict.fromkeys(ACKNOWLEDGEMENT, unanswered),
        **dict.fromkeys(REGISTRY, unverified),
    }
