"""What can be asked of handover."""

from __future__ import annotations

from typing import ClassVar

from shared.commands.base import Decision, Fact
from shared.events.fields import At, HeadCount, Id, Place, Word
from shared.events.handover import Condition, Missed


class RecordArrival(Fact):
    """Record that he is on Ukrainian territory."""

    SERVICE: ClassVar[str] = "handover"

    place: Place
    companions: HeadCount = 0
    condition: Condition = "unknown"
    call_id: Id | None = None


class PlanRendezvous(Decision):
    """Propose where and when he meets which team."""

    SERVICE: ClassVar[str] = "handover"

    place: Place
    window_from: At
    window_to: At
    team: Word


class ApproveRendezvous(Decision):
    """Agree to a rendezvous that another person planned."""

    SERVICE: ClassVar[str] = "handover"

    rendezvous_id: Id


class DiscloseRendezvous(Decision):
    """Tell the caller the place, in the call that he is on."""

    SERVICE: ClassVar[str] = "handover"

    rendezvous_id: Id
    to_whom: Word
    call_id: Id


class RecordMissed(Fact):
    """Record that a rendezvous was missed, and by whom."""

    SERVICE: ClassVar[str] = "handover"

    rendezvous_id: Id
    who: Missed
    reason: Word


class OfferHandover(Decision):
    """Ask a receiving team to take him."""

    SERVICE: ClassVar[str] = "handover"

    team: Word
    deadline_at: At


class AcceptHandover(Decision):
    """The team asked will take him."""

    SERVICE: ClassVar[str] = "handover"

    offer_id: Id
    team: Word


class RefuseHandover(Decision):
    """The team asked won't take him."""

    SERVICE: ClassVar[str] = "handover"

    offer_id: Id
    team: Word
    reason: Word


class RecordHandover(Decision):
    """Record the receiving team's receipt."""

    SERVICE: ClassVar[str] = "handover"

    team: Word
    receipt_number: Word
    received_at: At
    head_count: HeadCount
    condition: Condition = "unknown"


class RecordContactLost(Fact):
    """Record that the man no longer answers."""

    SERVICE: ClassVar[str] = "handover"

    since: At
