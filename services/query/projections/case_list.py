"""case_list: one row a case, as it stands. The same fold over part of a log gives a case as it was.

Four regions move independently: progress, identity, contact, and the present rendezvous and offer.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, NamedTuple, assert_never, cast, get_args

from services.query.projections.rows import earlier, with_changes
from shared.events import handover, intake, verification
from shared.events.base import CaseEvent
from shared.events.calls import CallEnded
from shared.events.catalogue import AnyCaseEvent
from shared.events.claims import ClaimEvent
from shared.events.custody import CustodyEvent
from shared.events.fields import Channel
from shared.events.groups import GroupEvent
from shared.events.outbound import OutboundEvent
from shared.events.shifts import DeskEvent

VERSION = 3

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
Progress = Literal[Stage, "closed"]
IdentityState = Literal["none", "claimed", "partial", "verified", "contradicted", "rejected"]
ContactState = Literal["in_touch", "lost"]
RendezvousState = Literal["none", "planned", "approved", "disclosed", "missed"]
OfferState = Literal["none", "open", "accepted", "refused", "void"]

RANK: dict[Stage, int] = {stage: rank for rank, stage in enumerate(get_args(Stage))}
"""How far along a stage is; a late fact never moves a case back."""


class CaseRow(NamedTuple):
    """A case as it stands; nothing personal, only what the work needs."""

    case_id: str
    opened_at: datetime
    """When the first call began the case; no time of a sender counts as later than recorded."""
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
    intent: intake.Intent | None = None
    situation: intake.Situation | None = None
    urgency: intake.Urgency | None = None
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
    closing_reason: intake.ClosingReason | None = None
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
    damaged: bool = False
    """Whether a message under this case's subject can't be read: facts may be missing."""


with_changes(CaseRow)

_OfIdentity = (
    verification.RegistryChecked
    | verification.VerificationEscalated
    | verification.IdentityVerified
    | verification.IdentityContradicted
    | verification.IdentityRejected
)
_OfHandover = (
    handover.ArrivedInUkraine
    | handover.ContactLost
    | handover.HandedOver
    | handover.RendezvousPlanned
    | handover.RendezvousApproved
    | handover.RendezvousDisclosed
    | handover.RendezvousMissed
    | handover.HandoverOffered
    | handover.HandoverAccepted
    | handover.HandoverRefused
)
_POSITION = CaseRow._fields.index("last_call_at")
"""Where the four fields begin that nearly every event sets."""


def evolve(
    row: CaseRow | None, event: CaseEvent[Any], sequence: int, recorded_at: datetime | None = None
) -> CaseRow:
    """Gives the row after one more event; without `recorded_at`, senders' clocks are believed."""
    at = earlier(event.time, recorded_at)
    before = row if row is not None else CaseRow(event.subject, opened_at=at)
    after = _after(before, cast("AnyCaseEvent", event.data), event.id)
    called_at = after.last_call_at
    # Set with every event, so they are cut in: half of what `_replace` takes.
    position = (
        earlier(called_at, recorded_at) if called_at is not None else None,
        _later(before.last_event_at, at),
        event.caseversion,
        sequence,
    )
    return CaseRow._make(after[:_POSITION] + position + after[_POSITION + 4 :])


def _after(row: CaseRow, event: AnyCaseEvent, event_id: str) -> CaseRow:
    match event:
        case intake.CaseOpened() | intake.CallLinked() | intake.CallTriaged():
            return _after_call(row, event)
        case intake.SurrenderDeclared() | intake.PersonalDataProvided() | intake.ReturnCodeIssued():
            return _after_stage_one(row, event, event_id)
        case intake.NoteAdded() | intake.ErasureRequested() | intake.PersonalDataErased():
            return row
        case intake.CaseClosed():
            return row._replace(open=False, progress="closed", closing_reason=event.reason)
        case intake.CaseReopened():
            return row._replace(open=True, progress=row.stage, closing_reason=None)
        case (
            verification.RegistryChecked()
            | verification.VerificationEscalated()
            | verification.IdentityVerified()
            | verification.IdentityContradicted()
            | verification.IdentityRejected()
        ):
            return _after_verification(row, event)
        case (
            intake.DuressSignalled()
            | intake.DuressCleared()
            | intake.AdviceGiven()
            | intake.ContactRuleSet()
            | intake.DeadlinePassed()
            | intake.CasesLinked()
            | intake.CasesUnlinked()
            | intake.EpisodeContinued()
            | verification.CredibilityAssessed()
            | verification.ReviewOpened()
            | verification.ReviewResolved()
            | handover.GuidanceGiven()
            | handover.RendezvousReplanned()
            | handover.RendezvousCancelled()
            | handover.RendezvousExpired()
            | handover.HandoverWithdrawn()
            | handover.GroupHandedOver()
            | handover.HandoverDiscrepancyRaised()
            | handover.HandoverDiscrepancyResolved()
            | handover.EmergencyOverrideUsed()
            | handover.ContactRegained()
            | handover.FollowUpSet()
            | handover.FollowUpOverdue()
            | ClaimEvent()
            | GroupEvent()
            | OutboundEvent()
            | DeskEvent()
            | CustodyEvent()
            | CallEnded()
        ):
            return row
        case _:
            return _after_handover(row, event)


def _after_call(
    row: CaseRow, event: intake.CaseOpened | intake.CallLinked | intake.CallTriaged
) -> CaseRow:
    match event:
        case intake.CaseOpened():
            return _called(row, event)._replace(
                episode=event.episode, previous_case=event.previous_case
            )
        case intake.CallLinked():
            return _called(row, event)
        case intake.CallTriaged():
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
    event: intake.SurrenderDeclared | intake.PersonalDataProvided | intake.ReturnCodeIssued,
    event_id: str,
) -> CaseRow:
    match event:
        case intake.SurrenderDeclared():
            return _reached(row, "declared")
        case intake.PersonalDataProvided():
            # What was verified was the data given before, not this; a contradiction stays open.
            return _reached(row, "registered")._replace(
                identity="contradicted" if row.identity == "contradicted" else "claimed",
                claim_event_id=event_id,
            )
        case intake.ReturnCodeIssued():
            return _reached(row, "awaiting_second_call")._replace(code_hash=event.code_hash)
        case _:
            assert_never(event)


def _after_verification(row: CaseRow, event: _OfIdentity) -> CaseRow:
    match event:
        case verification.RegistryChecked():
            return row._replace(identity=_identity_after(row, event))
        case verification.VerificationEscalated():
            return row._replace(escalated=True)
        case verification.IdentityVerified():
            return row._replace(identity="verified", escalated=False)
        case verification.IdentityContradicted():
            # What a registry says of this data ends nothing any more: only new data can.
            return row._replace(identity="contradicted", claim_event_id=None, escalated=False)
        case verification.IdentityRejected():
            return row._replace(identity="rejected", escalated=False)
        case _:
            assert_never(event)


def _identity_after(row: CaseRow, checked: verification.RegistryChecked) -> IdentityState:
    if checked.about_event != row.claim_event_id:
        return row.identity  # An answer about data that was corrected meanwhile.
    # A registry never decides: even a match waits for a person, but it ends a contradiction.
    helps = {"claimed": {"match", "partial"}, "contradicted": {"match"}}
    return "partial" if checked.outcome in helps.get(row.identity, ()) else row.identity


def _after_handover(row: CaseRow, event: _OfHandover) -> CaseRow:
    match event:
        case handover.ArrivedInUkraine():
            return _reached(row, "arrived")._replace(contact="in_touch")
        case handover.RendezvousPlanned():
            return _planned(row, event)
        case (
            handover.RendezvousApproved()
            | handover.RendezvousDisclosed()
            | handover.RendezvousMissed()
        ):
            # Another rendezvous may have been planned meanwhile.
            return _after_meeting(row, event) if event.rendezvous_id == row.rendezvous_id else row
        case handover.HandoverOffered() | handover.HandoverAccepted() | handover.HandoverRefused():
            return _after_offer(row, event)
        case handover.HandedOver():
            return _reached(row, "handed_over")._replace(team=event.team)
        case handover.ContactLost():
            return row._replace(contact="lost")
        case _:
            assert_never(event)


def _planned(row: CaseRow, event: handover.RendezvousPlanned) -> CaseRow:
    return _at(row, "planned")._replace(
        rendezvous="planned",
        rendezvous_id=event.rendezvous_id,
        rendezvous_window_from=event.window_from,
        rendezvous_window_to=event.window_to,
        team=event.team,
    )


def _after_meeting(
    row: CaseRow,
    event: handover.RendezvousApproved | handover.RendezvousDisclosed | handover.RendezvousMissed,
) -> CaseRow:
    match event:
        case handover.RendezvousApproved():
            return row._replace(rendezvous="approved")
        case handover.RendezvousDisclosed():
            return _reached(row, "guided")._replace(rendezvous="disclosed")
        case handover.RendezvousMissed():
            # A team that was to wait there isn't bound any more: it has to be asked anew.
            offer = row.offer if row.offer == "none" else "void"
            return _at(row, "arrived")._replace(rendezvous="missed", offer=offer)
        case _:
            assert_never(event)


def _after_offer(
    row: CaseRow,
    event: handover.HandoverOffered | handover.HandoverAccepted | handover.HandoverRefused,
) -> CaseRow:
    match event:
        case handover.HandoverOffered():
            offered = _at(row, "offered")
            return offered._replace(offer="open", offer_id=event.offer_id, team=event.team)
        case handover.HandoverAccepted() if event.offer_id == row.offer_id:
            return row._replace(offer="accepted")
        case handover.HandoverRefused() if event.offer_id == row.offer_id:
            return _at(row, _stage_without_offer(row))._replace(offer="refused")
        case _:
            return row


def _called(row: CaseRow, call: intake.CaseOpened | intake.CallLinked) -> CaseRow:
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
    if row.rendezvous == "disclosed":
        return "guided"
    return "planned" if row.rendezvous in {"planned", "approved"} else "arrived"


def _later(known: datetime | None, other: datetime) -> datetime:
    return other if known is None or other > known else known
