"""intake's view of a case: what its decisions read, and how events change it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import assert_never

from services.intake.exports import evolve_exported
from services.intake.outbox import Outbox, evolve_outbox
from services.intake.shift import ShiftState, evolve_shift
from shared.events import handover, intake, verification
from shared.events.base import CaseEvent
from shared.events.calls import CallEnded
from shared.events.catalogue import AnyCaseEvent
from shared.events.claims import ClaimEvent
from shared.events.custody import CustodyEvent
from shared.events.fields import Channel, PersonalClass
from shared.events.groups import GroupEvent
from shared.events.intake import ClosingReason, LegalBasis
from shared.events.outbound import OutboundEvent
from shared.events.shifts import DeskEvent


@dataclass(frozen=True, slots=True)
class QueuedErasure:
    """An erasure that was found lawful and waits until it may happen."""

    classes: tuple[PersonalClass, ...]
    legal_basis: LegalBasis
    by: str


@dataclass(frozen=True, slots=True)
class IntakeState:
    """What intake's decisions read."""

    opened: bool = False
    closed_as: ClosingReason | None = None
    closed_at: datetime | None = None
    """When it was last closed."""
    meeting: str | None = None
    """The rendezvous planned last, while it is neither missed nor met."""
    sealed: frozenset[PersonalClass] = frozenset()
    """The classes in which something was sealed since they were last erased."""
    queued: tuple[QueuedErasure, ...] = ()
    handed_over: bool = False
    calls: frozenset[tuple[Channel, str]] = frozenset()
    """Channel and call_id: each channel counts its own."""
    outbox: Outbox = field(default_factory=Outbox)
    shift: ShiftState | None = None
    """Where this is the log of a shift, and of no case."""
    exported: bool = False
    """Whether this is the log of an export, and of no case."""

    @property
    def is_underway(self) -> bool:
        """Whether he is between planned and handed over."""
        return self.meeting is not None and self.closed_as is None


def evolve(state: IntakeState, event: CaseEvent[AnyCaseEvent]) -> IntakeState:
    """Gives the state after one more event; never refuses."""
    data = event.data
    after = _with_slices(_after(state, event), event)
    sealed = state.sealed | _sealed_in(data)
    if isinstance(data, intake.PersonalDataErased):
        sealed -= set(data.classes)
        return replace(after, sealed=sealed, queued=_still_queued(after.queued, data, sealed))
    return after if sealed == state.sealed else replace(after, sealed=sealed)


def _with_slices(state: IntakeState, event: CaseEvent[AnyCaseEvent]) -> IntakeState:
    """What `outbox`, `shift` and `exports` keep of the log; see there."""
    if isinstance(event.data, DeskEvent):
        return replace(
            state,
            shift=evolve_shift(state.shift, event.data),
            exported=evolve_exported(state.exported, event.data),
        )
    outbox = evolve_outbox(state.outbox, event)
    return state if outbox is state.outbox else replace(state, outbox=outbox)


def _after(state: IntakeState, event: CaseEvent[AnyCaseEvent]) -> IntakeState:
    match event.data:
        case intake.CaseOpened() as opened:
            return replace(
                state, opened=True, calls=state.calls | {(opened.channel, opened.call_id)}
            )
        case intake.CallLinked() as linked:
            return replace(state, calls=state.calls | {(linked.channel, linked.call_id)})
        case intake.CaseClosed() as closed:
            return replace(state, closed_as=closed.reason, closed_at=event.time)
        case intake.CaseReopened():
            return replace(state, closed_as=None, closed_at=None)
        case intake.ErasureRequested() as asked:
            queued = QueuedErasure(asked.classes, asked.legal_basis, asked.by)
            return replace(state, queued=(*state.queued, queued))
        case handover.RendezvousPlanned() as planned:
            return replace(state, meeting=planned.rendezvous_id)
        case handover.RendezvousMissed() as missed:
            still = state.meeting if state.meeting != missed.rendezvous_id else None
            return replace(state, meeting=still)
        case handover.HandedOver():
            return replace(state, handed_over=True, meeting=None)
        case (
            intake.CallTriaged()
            | intake.SurrenderDeclared()
            | intake.PersonalDataProvided()
            | intake.ReturnCodeIssued()
            | intake.NoteAdded()
            | intake.PersonalDataErased()
            | verification.RegistryChecked()
            | verification.VerificationEscalated()
            | verification.IdentityVerified()
            | verification.IdentityContradicted()
            | verification.IdentityRejected()
            | handover.ArrivedInUkraine()
            | handover.ContactLost()
            | handover.RendezvousApproved()
            | handover.RendezvousDisclosed()
            | handover.HandoverOffered()
            | handover.HandoverAccepted()
            | handover.HandoverRefused()
            | intake.DuressSignalled()
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
            return state
        case _ as unreachable:
            assert_never(unreachable)


def _sealed_in(data: AnyCaseEvent) -> frozenset[PersonalClass]:
    return frozenset(
        personal_class
        for field, personal_class in type(data).PERSONAL.items()
        if getattr(data, field) is not None
    )


def _still_queued(
    queued: tuple[QueuedErasure, ...],
    erased: intake.PersonalDataErased,
    sealed: frozenset[PersonalClass],
) -> tuple[QueuedErasure, ...]:
    """Gives what is left to do; what holds nothing any more is done."""
    left = (
        replace(one, classes=tuple(name for name in one.classes if name not in erased.classes))
        for one in queued
    )
    return tuple(one for one in left if sealed.intersection(one.classes))
