"""intake's events on a case's row: calls, stage one, claims, groups, closing."""

from datetime import datetime

from services.query.models.case_messages import after_message
from services.query.models.case_row import CaseRow, IdentityState, heard_of, moved_to, reached
from services.query.models.rows import earlier
from shared.callers.contact_rule import SafeToContact, said_in, windows_in, words_of
from shared.events import claims, groups, intake
from shared.events.base import CaseEvent
from shared.events.catalogue import IntakeEvent
from shared.events.outbound import OutboundEvent


def after_intake(
    row: CaseRow, envelope: CaseEvent[IntakeEvent], recorded_at: datetime | None
) -> CaseRow:
    match event := envelope.data:
        case intake.CaseOpened():
            opened = _called(row, event, recorded_at)
            return opened._replace(episode=event.episode, previous_case=event.previous_case)
        case intake.CallLinked():
            return _called(row, event, recorded_at)
        case intake.CallTriaged():
            return _triaged(row, event)
        case intake.SurrenderDeclared():
            return reached(row, "declared")
        case intake.PersonalDataProvided():
            return _registered(row, event, envelope.id)
        case intake.ReturnCodeIssued():
            return reached(row, "awaiting_second_call")._replace(code_hash=event.code_hash)
        case claims.CaseClaimed() | claims.CaseReleased():
            return _after_claim(row, event)
        case groups.GroupFormed() | groups.GroupJoined() | groups.GroupLeft():
            return _after_group(row, event)
        case intake.ContactRuleSet():
            return _safe(row, envelope)
        case intake.EpisodeContinued():
            return row._replace(next_case=event.next_case)
        case intake.CaseClosed():
            closed = row._replace(open=False, progress="closed", claim_expired=False)
            return closed._replace(closing_reason=event.reason)
        case intake.CaseReopened():
            return moved_to(row._replace(open=True, closing_reason=None), row.stage)
        case OutboundEvent():
            return after_message(row, event)
        case _:  # Nobody who looks at the case may see a sign of duress.
            return row


def _called(
    row: CaseRow, call: intake.CaseOpened | intake.CallLinked, recorded_at: datetime | None
) -> CaseRow:
    began_at = earlier(call.started_at, recorded_at)
    this = (began_at, call.call_id)
    # Calls of a backlog come in any order; the one that began last counts as the last.
    is_last = row.last_call_at is None or this > (row.last_call_at, row.last_call_id or "")
    pending = (row.untriaged_call_at, row.untriaged_call_id or "")
    if pending[0] is None or this > pending:
        pending = this
    row = heard_of(row, began_at)
    return row._replace(
        channel=call.channel if is_last else row.channel,
        language=call.language if is_last else row.language,
        last_call_id=call.call_id if is_last else row.last_call_id,
        last_call_at=began_at if is_last else row.last_call_at,
        untriaged_call_at=pending[0],
        untriaged_call_id=pending[1],
        calls=row.calls + 1,
        triaged=False,
    )


def _triaged(row: CaseRow, triage: intake.CallTriaged) -> CaseRow:
    judged = row._replace(intent=triage.intent, situation=triage.situation, urgency=triage.urgency)
    if triage.call_id != row.untriaged_call_id:
        return judged
    return judged._replace(triaged=True, untriaged_call_id=None, untriaged_call_at=None)


def _registered(row: CaseRow, event: intake.PersonalDataProvided, event_id: str) -> CaseRow:
    if event.provenance == "after_capture":
        return row  # Kept apart from what he told the hotline.
    # The earlier data was verified, not this; a contradiction stays open.
    identity: IdentityState = "contradicted" if row.contradicted else "claimed"
    return reached(row, "registered")._replace(identity=identity, claim_event_id=event_id)


def _after_claim(row: CaseRow, event: claims.CaseClaimed | claims.CaseReleased) -> CaseRow:
    if event.fence < row.fence:
        return row  # Somebody else holds it by now.
    if isinstance(event, claims.CaseReleased):
        expired = event.reason == "expired"
        return row._replace(claimed_by=None, lease_until=None, claim_expired=expired)
    return row._replace(
        claimed_by=event.operator,
        lease_until=event.lease_until,
        fence=event.fence,
        claim_expired=False,
    )


def _after_group(
    row: CaseRow, event: groups.GroupFormed | groups.GroupJoined | groups.GroupLeft
) -> CaseRow:
    if isinstance(event, groups.GroupFormed):
        return row._replace(group_id=event.group_id, group_role="lead")
    if event.member_case != row.case_id:
        return row  # In the leading case's log it says the same of another man.
    if isinstance(event, groups.GroupJoined):
        return row._replace(group_id=event.group_id, group_role="member")
    return row._replace(group_id=None, group_role=None) if event.group_id == row.group_id else row


def _safe(row: CaseRow, envelope: CaseEvent[IntakeEvent]) -> CaseRow:
    windows = windows_in(row.contact_windows)
    known = SafeToContact(row.contact_rule, windows, row.contact_said_at, row.contact_heard_at)
    safe = said_in(known, envelope)
    return row._replace(
        contact_rule=safe.rule,
        contact_windows=words_of(safe.windows) or None,
        contact_said_at=safe.said_at,
        contact_heard_at=safe.heard_at,
    )
