"""A case's row: what operators need at a glance, and how it moves along its stages.

Its regions move independently: progress, identity, credibility, contact, hold, the claim, the
group, the present rendezvous and offer, and what became of him after the receipt.
"""

from datetime import datetime
from typing import Annotated, Literal, NamedTuple, get_args

from services.query.models.rows import Characters, Id, KeyedHash, Language, Position, with_changes
from shared.events import intake, verification
from shared.events.custody import Custody
from shared.events.fields import Channel

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
    "in_custody",
    "exchanged",
]
Progress = Literal[Stage, "closed"]
IdentityState = Literal["none", "claimed", "partial", "verified", "contradicted", "rejected"]
CredibilityState = Literal["none", verification.Credibility]
ContactState = Literal["in_touch", "due", "silent", "lost"]
HoldState = Literal["none", "review"]
GroupRole = Literal["lead", "member"]
RendezvousState = Literal[
    "none", "planned", "replanned", "approved", "disclosed", "missed", "cancelled", "expired"
]
OfferState = Literal["none", "open", "accepted", "refused", "withdrawn", "void", "received"]
ExchangeState = Literal["none", "asked", "given", "withdrawn"]
PublicityState = Literal["none", "given", "withdrawn"]

RANK: dict[Stage, int] = {stage: rank for rank, stage in enumerate(get_args(Stage))}
"""How far along a stage is; a late fact never moves a case back."""
RECEIVED = RANK["handed_over"]
"""From here on the team has him, and the hotline's part is over."""


class CaseRow(NamedTuple):
    """The state of a case; nothing personal."""

    case_id: Id
    opened_at: datetime
    """When the first call began; sender times are capped at the time of recording."""
    channel: Channel | None = None
    """Of the last call."""
    language: Language | None = None
    episode: int = 1
    previous_case: Id | None = None
    next_case: Id | None = None
    """He called again when this case was over; that one is his present case."""
    progress: Progress = "new"
    """The stage, or `closed`."""
    stage: Stage = "new"
    """How far the case came, whether it is closed or not."""
    identity: IdentityState = "none"
    claim_event_id: Id | None = None
    """The event with the latest personal data; registries answer about it."""
    contradicted: bool = False
    """An open contradiction; new data and a rejection leave it, a match or two people end it."""
    credibility: CredibilityState = "none"
    credibility_expires_at: datetime | None = None
    """From then on it counts as `unclear`."""
    hold: HoldState = "none"
    contact: ContactState = "in_touch"
    last_contact_at: datetime | None = None
    """When he was last heard of: by a call, or by someone's report."""
    contact_rule: intake.ContactRule = "never"
    contact_windows: str | None = None
    """The times of day at which it is safe to reach him: `22:00-02:00 Europe/Kyiv`; several are
    separated by a comma."""
    contact_said_at: datetime | None = None
    """When he said so."""
    contact_heard_at: datetime | None = None
    """When that was recorded: what is told of earlier times doesn't loosen it."""
    intent: intake.Intent | None = None
    situation: intake.Situation | None = None
    urgency: intake.Urgency | None = None
    triaged: bool = False
    """Whether no call waits for triage."""
    untriaged_call_id: Id | None = None
    """The call that waits for it; of several, the one that began last."""
    untriaged_call_at: datetime | None = None
    escalated: bool = False
    calls: int = 0
    last_call_id: Id | None = None
    last_call_at: datetime | None = None
    last_event_at: datetime | None = None
    version: int = 0
    sequence: Position = 0
    """Of the case's last event."""
    open: bool = True
    closing_reason: Annotated[intake.ClosingReason, Characters(32)] | None = None
    code_hash: KeyedHash | None = None
    """Of the latest return code."""
    claimed_by: str | None = None
    lease_until: datetime | None = None
    fence: int = 0
    """How many operators have held the case in turn."""
    claim_expired: bool = False
    """The last holder's lease ran out and nobody has taken the case since."""
    group_id: Id | None = None
    group_role: GroupRole | None = None
    rendezvous: RendezvousState = "none"
    rendezvous_id: Id | None = None
    rendezvous_window_from: datetime | None = None
    rendezvous_window_to: datetime | None = None
    told_by: Id | None = None
    """The message that told him of it; None if he was told in a call."""
    perhaps_told_by: str | None = None
    """Messages that may have told him: their channels didn't report in time."""
    failed_messages: str | None = None
    """Messages that failed or were refused, with no action since."""
    offer: OfferState = "none"
    offer_id: Id | None = None
    offer_deadline_at: datetime | None = None
    """Until when the team is to answer."""
    offer_answered_at: datetime | None = None
    team: str | None = None
    """The team planned, asked or receiving, whichever came last."""
    discrepancy: bool = False
    """A receipt's counts disagree and nobody has explained it."""
    custody: Annotated[Custody, Characters(32)] | None = None
    custody_at: datetime | None = None
    exchange_consent: ExchangeState = "none"
    publicity_consent: PublicityState = "none"
    damaged: bool = False
    """A message under this case's subject is unreadable: facts may be missing."""


with_changes(CaseRow)


def moved_to(row: CaseRow, stage: Stage) -> CaseRow:
    """Moves a case to a stage, even backwards, but never back from the receipt."""
    if RANK[row.stage] >= RECEIVED and RANK[stage] < RANK[row.stage]:
        return row
    return row._replace(stage=stage, progress=stage if row.open else "closed")


def reached(row: CaseRow, stage: Stage) -> CaseRow:
    """Moves a case forward, never back."""
    return moved_to(row, stage) if RANK[stage] > RANK[row.stage] else row


def heard_of(row: CaseRow, at: datetime) -> CaseRow:
    """Late news doesn't move the last contact back."""
    if row.last_contact_at is not None and at < row.last_contact_at:
        return row
    return row._replace(contact="in_touch", last_contact_at=at)


def later(known: datetime | None, other: datetime) -> datetime:
    return other if known is None or other > known else known
