"""Messages on a case's row: those that failed, and whether they told a place.

A failed message waits for a person until somebody acts for the man, or its channel finally reports
that it went out. Several message ids may be one text.
"""

from typing import Any

from services.query.models.case_row import CaseRow, moved_to, reached
from shared.events import claims, handover, intake, outbound
from shared.events.base import Event

ACTS: tuple[type[Event], ...] = (
    outbound.MessageQueued,
    intake.AdviceGiven,
    intake.CaseClosed,
    handover.RendezvousDisclosed,
    handover.GuidanceGiven,
    handover.FollowUpSet,
)
"""Events by which somebody acted on what he wasn't told."""


def after_message(row: CaseRow, event: outbound.OutboundEvent) -> CaseRow:
    match event:
        case outbound.MessageFailed(reason="no_report"):
            return row._replace(failed_messages=_with(row.failed_messages, event.message_id))
        case outbound.MessageFailed() | outbound.MessageRefused():
            failed = _with(row.failed_messages, event.message_id)
            perhaps = _without(row.perhaps_told_by, event.message_id)
            return row._replace(failed_messages=failed, perhaps_told_by=perhaps)
        case outbound.MessageSent():
            return _sent(row, event.message_id)
        case _:
            return row


def after_act(row: CaseRow, data: Any) -> CaseRow:
    """Any event may be the action on a failed message."""
    if row.failed_messages is None:
        return row
    is_done = isinstance(data, claims.CaseReleased) and data.reason == "done"
    return row._replace(failed_messages=None) if is_done or isinstance(data, ACTS) else row


def told(row: CaseRow, event: handover.RendezvousDisclosed) -> CaseRow:
    told_by = event.message_id if event.call_id is None else None
    return reached(row, "guided")._replace(rendezvous="disclosed", told_by=told_by)


def told_no_more(row: CaseRow, event: handover.DisclosureWithdrawn) -> CaseRow:
    """He must be told again: that message didn't tell him."""
    if row.rendezvous != "disclosed" or row.told_by != event.message_id:
        return row
    after = moved_to(row, "planned") if row.stage == "guided" else row
    perhaps = row.perhaps_told_by
    if event.reason == "no_report":
        perhaps = _with(perhaps, event.message_id)
    return after._replace(
        rendezvous="approved",
        told_by=None,
        perhaps_told_by=perhaps,
        failed_messages=_without(row.failed_messages, event.message_id),
    )


def _sent(row: CaseRow, message_id: str) -> CaseRow:
    """A late report replaces the missing one."""
    after = row._replace(failed_messages=_without(row.failed_messages, message_id))
    if message_id not in _ids(row.perhaps_told_by):
        return after
    perhaps = _without(row.perhaps_told_by, message_id)
    return reached(after, "guided")._replace(
        rendezvous="disclosed", told_by=message_id, perhaps_told_by=perhaps
    )


def _ids(text: str | None) -> list[str]:
    return text.split() if text else []


def _with(text: str | None, message_id: str) -> str:
    return " ".join(dict.fromkeys([*_ids(text), message_id]))


def _without(text: str | None, message_id: str) -> str | None:
    return " ".join(one for one in _ids(text) if one != message_id) or None
