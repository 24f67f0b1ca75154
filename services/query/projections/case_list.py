"""case_list: one row a case, as it stands. The same fold over part of a log gives a case as it was.

Four regions move independently: progress, identity, contact, and the present rendezvous and offer.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, NamedTuple, assert_never, cast

from shared.events.base import CaseEvent
from shared.events.catalogue import AnyCaseEvent, HandoverEvent
from shared.events.fields import Channel
from shared.events.handover import (
    ArrivedInUkraine,
    ContactLost,
    HandedOver,
    HandoverAccepted,
    HandoverOffered,
    HandoverRefused,
    RendezvousApproved,
    RendezvousDisclosed,
    RendezvousMissed,
    RendezvousPlanned,
)
from shared.events.intake import (
    CallLinked,
    CallTriaged,
    CaseClosed,
    CaseOpened,
    CaseReopened,
    ClosingReason,
    Intent,
    NoteAdded,
    PersonalDataProvided,
    ReturnCodeIssued,
    Situation,
    SurrenderDeclared,
    Urgency,
)
from shared.events.verification import (
    IdentityContradicted,
    IdentityRejected,
    IdentityVerified,
    RegistryChecked,
    VerificationEscalated,
)

VERSION = 1

Stage = Literal[
    "new",
    "declared",
    "registered",
    "awaiting_second_call",
    "arrived",
    "planned",
    "guided",
    "offered",
    "handed_over",
]
Progress = Stage | Literal["closed"]
IdentityState = Literal["none", "claimed", "partial", "verified", "contradicted", "rejected"]
ContactState = Literal["in_touch", "lost"]
RendezvousState = Literal["none", "planned", "approved", "disclosed", "missed"]
OfferState = Literal["none", "open", "accepted", "refused", "void"]

RANK: dict[Stage, int] = {
    "new": 0,
    "declared": 1,
    "registered": 2,
    "awaiting_second_call": 3,
    "arrived": 4,
    "planned": 5,
    "guided": 6,
    "offered": 7,
    "handed_over": 8,
}
"""How far along a stage is; a late fact never moves a case back."""


class CaseRow(NamedTuple):
    """A case as it stands; nothing personal, only what the work needs."""

    case_id: str
    opened_at: datetime
    """When the first call began the case."""
    channel: Channel | None = None
    """Of the last call."""
    language: str | None = None
    episode: int = 1
    previous_case: str | None = None
    progress: Progress = "new"
    """The stage, or `closed`."""
    stage: Stage = "new"
    """How far the case came, whether it is closed or not."""
    identity: IdentityState = "none"
    claim_event_id: str | None = None
    """The event that gave the personal data last; registries answer about it."""
    contact: ContactState = "in_touch"
    intent: Intent | None = None
    situation: Situation | None = None
    urgency: Urgency | None = None
    triaged: bool = False
    """Whether an operator judged the last call."""
    escalated: bool = False
    calls: int = 0
    last_call_id: str | None = None
    last_call_at: datetime | None = None
    last_event_at: datetime | None = None
    version: int = 0
    sequence: int = 0
    """Position in CASES of the case's last event."""
    open: bool = True
    closing_reason: ClosingReason | None = None
    code_hash: str | None = None
    """Keyed hash of the return code given last."""
    rendezvous: RendezvousState = "none"
    rendezvous_id: str | None = None
    rendezvous_window_from: datetime | None = None
    rendezvous_window_to: datetime | None = None
    offer: OfferState = "none"
    offer_id: str | None = None
    team: str | None = None
    """The team planned, asked or receiving, whichever came last."""


def evolve(row: CaseRow | None, event: CaseEvent[Any], sequence: int) -> CaseRow:
    """Gives the row after one more event of the case."""
    before = row if row is not None else CaseRow(event.subject, opened_at=event.time)
    return _after(before, cast("AnyCaseEvent", event.data), event.id)._replace(
        version=event.caseversion,
        sequence=sequence,
        last_event_at=_later(before.last_event_at, event.time),
    )


def _after(row: CaseRow, event: AnyCaseEvent, event_id: str) -> CaseRow:
    match event:
        case CaseOpened() | CallLinked() | CallTriaged():
            return _after_call(row, event)
        case SurrenderDeclared() | PersonalDataProvided() | ReturnCodeIssued():
            return _after_stage_one(row, event, event_id)
        case NoteAdded():
            return row
        case CaseClosed():
            return row._replace(open=False, progress="closed", closing_reason=event.reason)
        case CaseReopened():
            return row._replace(open=True, progress=row.stage, closing_reason=None)
        case RegistryChecked() | VerificationEscalated():
            return _after_looking_up(row, event)
        case IdentityVerified() | IdentityContradicted() | IdentityRejected():
            return _after_judging(row, event)
        case _:
            return _after_handover(row, event)


def _after_call(row: CaseRow, event: CaseOpened | CallLinked | CallTriaged) -> CaseRow:
    match event:
        case CaseOpened():
            return _called(row, event)._replace(
                episode=event.episode, previous_case=event.previous_case
            )
        case CallLinked():
            return _called(row, event)
        case CallTriaged():
            return row._replace(
                intent=event.intent,
                situation=event.situation,
                urgency=event.urgency,
                triaged=row.triaged or event.call_id == row.last_call_id,
            )
        case _:
            assert_never(event)


def _after_stage_one(
    row: CaseRow,
    event: SurrenderDeclared | PersonalDataProvided | ReturnCodeIssued,
    event_id: str,
) -> CaseRow:
    match event:
        case SurrenderDeclared():
            return _reached(row, "declared")
        case PersonalDataProvided():
            # What was verified was the data given before, not this; a contradiction stays open.
            return _reached(row, "registered")._replace(
                identity="contradicted" if row.identity == "contradicted" else "claimed",
                claim_event_id=event_id,
            )
        case ReturnCodeIssued():
            return _reached(row, "awaiting_second_call")._replace(code_hash=event.code_hash)
        case _:
            assert_never(event)


def _after_looking_up(row: CaseRow, event: RegistryChecked | VerificationEscalated) -> CaseRow:
    match event:
        case RegistryChecked():
            return row._replace(identity=_identity_after(row, event))
        case VerificationEscalated():
            return row._replace(escalated=True)
        case _:
            assert_never(event)


def _identity_after(row: CaseRow, checked: RegistryChecked) -> IdentityState:
    if checked.about_event != row.claim_event_id:
        return row.identity  # An answer about data that was corrected meanwhile.
    # A registry never decides: even a match waits for a person, but it ends a contradiction.
    helps = {"claimed": {"match", "partial"}, "contradicted": {"match"}}
    return "partial" if checked.outcome in helps.get(row.identity, ()) else row.identity


def _after_judging(
    row: CaseRow, event: IdentityVerified | IdentityContradicted | IdentityRejected
) -> CaseRow:
    match event:
        case IdentityVerified():
            return row._replace(identity="verified", escalated=False)
        case IdentityContradicted():
            return row._replace(identity="contradicted", escalated=False)
        case IdentityRejected():
            return row._replace(identity="rejected", escalated=False)
        case _:
            assert_never(event)


def _after_handover(row: CaseRow, event: HandoverEvent) -> CaseRow:
    match event:
        case ArrivedInUkraine():
            return _reached(row, "arrived")._replace(contact="in_touch")
        case RendezvousPlanned():
            return _planned(row, event)
        case RendezvousApproved() | RendezvousDisclosed() | RendezvousMissed():
            # Another rendezvous may have been planned meanwhile.
            return _after_meeting(row, event) if event.rendezvous_id == row.rendezvous_id else row
        case HandoverOffered() | HandoverAccepted() | HandoverRefused():
            return _after_offer(row, event)
        case HandedOver():
            return _reached(row, "handed_over")._replace(team=event.team)
        case ContactLost():
            return row._replace(contact="lost")
        case _:
            assert_never(event)


def _planned(row: CaseRow, event: RendezvousPlanned) -> CaseRow:
    return _at(row, "planned")._replace(
        rendezvous="planned",
        rendezvous_id=event.rendezvous_id,
        rendezvous_window_from=event.window_from,
        rendezvous_window_to=event.window_to,
        team=event.team,
    )


def _after_meeting(
    row: CaseRow, event: RendezvousApproved | RendezvousDisclosed | RendezvousMissed
) -> CaseRow:
    match event:
        case RendezvousApproved():
            return row._replace(rendezvous="approved")
        case RendezvousDisclosed():
            return _reached(row, "guided")._replace(rendezvous="disclosed")
        case RendezvousMissed():
            # A team that was to wait there isn't bound any more: it has to be asked anew.
            offer = row.offer if row.offer == "none" else "void"
            return _at(row, "arrived")._replace(rendezvous="missed", offer=offer)
        case _:
            assert_never(event)


def _after_offer(
    row: CaseRow, event: HandoverOffered | HandoverAccepted | HandoverRefused
) -> CaseRow:
    match event:
        case HandoverOffered():
            offered = _at(row, "offered")
            return offered._replace(offer="open", offer_id=event.offer_id, team=event.team)
        case HandoverAccepted() if event.offer_id == row.offer_id:
            return row._replace(offer="accepted")
        case HandoverRefused() if event.offer_id == row.offer_id:
            return _at(row, _stage_without_offer(row))._replace(offer="refused")
        case _:
            return row


def _called(row: CaseRow, call: CaseOpened | CallLinked) -> CaseRow:
    return row._replace(
        channel=call.channel,
        language=call.language,
        calls=row.calls + 1,
        last_call_id=call.call_id,
        last_call_at=_later(row.last_call_at, call.started_at),
        triaged=False,
        contact="in_touch",
    )


def _reached(row: CaseRow, stage: Stage) -> CaseRow:
    """Moves a case forward, never back."""
    return _at(row, stage) if RANK[stage] > RANK[row.stage] else row


def _at(row: CaseRow, stage: Stage) -> CaseRow:
    """Puts a case at a stage, before or behind; a case handed over stays so."""
    if row.stage == "handed_over":
        return row
    return row._replace(stage=stage, progress=stage if row.open else "closed")


def _stage_without_offer(row: CaseRow) -> Stage:
    stages: dict[RendezvousState, Stage] = {
        "none": "arrived",
        "missed": "arrived",
        "planned": "planned",
        "approved": "planned",
        "disclosed": "guided",
    }
    return stages[row.rendezvous]


def _later(known: datetime | None, other: datetime) -> datetime:
    return other if known is None or other > known else known
