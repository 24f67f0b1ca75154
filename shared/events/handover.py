"""What handover records: from the second call to the receiving team's receipt."""

from __future__ import annotations

from typing import Literal

from shared.events.base import Event
from shared.events.fields import (
    At,
    HeadCount,
    Id,
    PersonalIdentity,
    PersonalLocation,
    PersonalNarrative,
    Word,
)

Condition = Literal["ok", "wounded", "unknown"]
Missed = Literal["caller", "team", "both"]


class ArrivedInUkraine(Event):
    """He said that he is on Ukrainian territory; `place` seals a `Place`.

    `companions`: how many are with him, himself not counted.
    """

    place: PersonalLocation
    companions: HeadCount
    condition: Condition
    call_id: Id | None = None


class RendezvousPlanned(Event):
    """An operator proposed where and when he meets which team; nobody outside knows it yet."""

    rendezvous_id: Id
    place: PersonalLocation
    window_from: At
    window_to: At
    team: Word
    planned_by: Word


class RendezvousApproved(Event):
    """Another person than the planner agreed to the rendezvous."""

    rendezvous_id: Id
    by: Word


class RendezvousDisclosed(Event):
    """The place was told to the caller, in the call named."""

    rendezvous_id: Id
    to_whom: PersonalIdentity
    call_id: Id


class RendezvousMissed(Event):
    """The window passed without a meeting; a new rendezvous can be planned."""

    rendezvous_id: Id
    who: Missed
    reason: PersonalNarrative


class HandoverOffered(Event):
    """A receiving team was asked to take him; it has until `deadline_at` to answer."""

    offer_id: Id
    team: Word
    deadline_at: At


class HandoverAccepted(Event):
    """The team that was asked will take him."""

    offer_id: Id
    team: Word


class HandoverRefused(Event):
    """The team that was asked won't take him."""

    offer_id: Id
    team: Word
    reason: PersonalNarrative


class HandedOver(Event):
    """The team's receipt: `head_count` persons received at `received_at`."""

    team: Word
    receipt_number: Word
    received_at: At
    head_count: HeadCount
    condition: Condition


class ContactLost(Event):
    """A person decided that the man no longer answers; the case stays open."""

    since: At
    by: Word
