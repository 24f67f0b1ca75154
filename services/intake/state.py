"""intake's view of a case: what its deciders read, and how events change it."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from services.intake.claim_state import Claim, evolve_claim
from services.intake.deadline_state import Pending, evolve_pending
from services.intake.known_state import Known, evolve_known
from services.intake.others_state import Group, Told, evolve_group, evolve_links, evolve_told
from services.intake.outbox_state import Outbox, evolve_outbox
from shared.events import handover, intake
from shared.events.base import CaseEvent, Event
from shared.events.calls import CallEnded
from shared.events.catalogue import AnyCaseEvent
from shared.events.custody import Exchanged
from shared.events.fields import Channel, PersonalClass
from shared.events.intake import ClosingReason, LegalBasis
from shared.log.grown import Grown
from shared.skeleton.slices import Slices


class Call(NamedTuple):
    caller_key: str | None
    language: str
    started_at: datetime


@dataclass(frozen=True, slots=True)
class QueuedErasure:
    classes: tuple[PersonalClass, ...]
    legal_basis: LegalBasis
    by: str


@dataclass(frozen=True, slots=True)
class IntakeState:
    opened: bool = False
    closed_as: ClosingReason | None = None
    closed_at: datetime | None = None
    next_case: str | None = None
    """The case of his next episode, if he called again after this one was over."""
    meeting: str | None = None
    """The rendezvous planned last, while it is neither missed, cancelled nor kept."""
    sealed: frozenset[PersonalClass] = frozenset()
    """Classes in which something was sealed since their last erasure."""
    queued: tuple[QueuedErasure, ...] = ()
    handed_over: bool = False
    exchanged: bool = False
    calls: Grown[tuple[Channel, str], Call] = field(default_factory=Grown)
    """By (channel, call_id): each channel numbers its own."""
    calls_before: frozenset[tuple[Channel, str]] = frozenset()
    """Its calls at the time of the handover."""
    calls_ended: Grown[tuple[Channel, str], None] = field(default_factory=Grown)
    duress: bool = False
    """He gave his duress code, and no supervisor has looked since."""
    claim: Claim = field(default_factory=Claim)
    group: Group = field(default_factory=Group)
    links: frozenset[str] = frozenset()
    known: Known = field(default_factory=Known)
    told: tuple[Told, ...] = ()
    pending: Pending = field(default_factory=Pending)
    outbox: Outbox = field(default_factory=Outbox)

    @property
    def is_underway(self) -> bool:
        return self.meeting is not None and self.closed_as is None

    @property
    def is_over(self) -> bool:
        """His next call belongs to another episode."""
        return self.closed_as is not None or self.exchanged or self.next_case is not None


ReadByState = (
    intake.CaseOpened
    | intake.CallLinked
    | CallEnded
    | intake.DuressSignalled
    | intake.DuressCleared
    | intake.EpisodeContinued
    | intake.CaseClosed
    | intake.CaseReopened
    | intake.ErasureRequested
    | intake.PersonalDataErased
    | handover.RendezvousPlanned
    | handover.RendezvousReplanned
    | handover.RendezvousMissed
    | handover.RendezvousCancelled
    | handover.RendezvousExpired
    | handover.HandedOver
    | Exchanged
)


def evolve_own(
    state: IntakeState, event: CaseEvent[AnyCaseEvent], data: ReadByState
) -> IntakeState:
    match data:
        case (intake.CaseOpened() | intake.CallLinked()) as came:
            call = Call(came.caller_key, came.language, came.started_at)
            calls = state.calls.with_entry((came.channel, came.call_id), call)
            return replace(state, opened=True, calls=calls)
        case CallEnded() as end:
            ended = state.calls_ended.with_entry((end.channel, end.call_id), None)
            return replace(state, calls_ended=ended)
        case intake.DuressSignalled() | intake.DuressCleared():
            return replace(state, duress=isinstance(data, intake.DuressSignalled))
        case intake.EpisodeContinued() as continued:
            return replace(state, next_case=continued.next_case)
        case intake.CaseClosed() as closed:
            return replace(state, closed_as=closed.reason, closed_at=event.time)
        case intake.CaseReopened():
            return replace(state, closed_as=None, closed_at=None)
        case intake.ErasureRequested() as asked:
            queued = QueuedErasure(asked.classes, asked.legal_basis, asked.by)
            return replace(state, queued=(*state.queued, queued))
        case intake.PersonalDataErased() as erased:
            sealed = state.sealed - set(erased.classes)
            return replace(state, sealed=sealed, queued=_still_queued(state.queued, erased, sealed))
        case (handover.RendezvousPlanned() | handover.RendezvousReplanned()) as planned:
            return replace(state, meeting=planned.rendezvous_id)
        case (
            handover.RendezvousMissed()
            | handover.RendezvousCancelled()
            | handover.RendezvousExpired()
        ) as over:
            still = state.meeting if state.meeting != over.rendezvous_id else None
            return replace(state, meeting=still)
        case handover.HandedOver():
            before = state.calls_before or frozenset(state.calls)
            return replace(state, handed_over=True, meeting=None, calls_before=before)
        case Exchanged():
            return replace(state, exchanged=True)


def evolve_sealed(
    sealed: frozenset[PersonalClass], _event: CaseEvent[AnyCaseEvent], data: Event
) -> frozenset[PersonalClass]:
    found = {
        personal_class
        for field_name, personal_class in type(data).PERSONAL.items()
        if getattr(data, field_name) is not None
    }
    return sealed if found <= sealed else sealed | found


SLICES = Slices[IntakeState](
    evolve_own,
    sealed=evolve_sealed,
    claim=evolve_claim,
    group=evolve_group,
    links=evolve_links,
    known=evolve_known,
    told=evolve_told,
    outbox=evolve_outbox,
)


def _still_queued(
    queued: tuple[QueuedErasure, ...],
    erased: intake.PersonalDataErased,
    sealed: frozenset[PersonalClass],
) -> tuple[QueuedErasure, ...]:
    """Queued erasures, except of classes that no longer hold anything."""
    left = (
        replace(one, classes=tuple(name for name in one.classes if name not in erased.classes))
        for one in queued
    )
    return tuple(one for one in left if sealed.intersection(one.classes))


def evolve(state: IntakeState, event: CaseEvent[AnyCaseEvent]) -> IntakeState:
    after, holds_places = SLICES.after(state, event), "location" in state.sealed
    pending = evolve_pending(state.pending, event, state.claim, holds_places=holds_places)
    return after if pending is state.pending else replace(after, pending=pending)
