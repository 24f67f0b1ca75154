"""What handover records: from the second call to the receiving team's receipt."""

from typing import Literal

from shared.events.base import Event
from shared.events.fields import (
    At,
    HeadCount,
    Id,
    Person,
    PersonalIdentity,
    PersonalLocation,
    PersonalNarrative,
    Word,
)

Condition = Literal["ok", "wounded", "unknown"]
Missed = Literal["caller", "team", "both"]
DisclosureFault = Literal["failed", "refused", "no_report"]
OverridableGuard = Literal["identity_verified", "credibility_allows", "group_cleared", "no_hold"]
FollowUpRule = Literal[
    "operator",
    "arrived_contact_due",
    "arrived_silent",
    "decide_whether_lost",
    "handover_unacknowledged",
    "handover_unacknowledged_again",
]


class ArrivedInUkraine(Event):
    """He said that he is on Ukrainian territory; `place` seals a `Place`.

    `companions`: how many are with him, not counting himself.
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
    """Someone other than the planner agreed to the rendezvous."""

    rendezvous_id: Id
    by: Word


class RendezvousDisclosed(Event):
    """The caller was told the place, in the named call or message."""

    rendezvous_id: Id
    to_whom: PersonalIdentity
    call_id: Id | None = None
    message_id: Id | None = None


class DisclosureWithdrawn(Event):
    """The message that was to tell him of the rendezvous failed: he must be told again.

    `no_report`: nobody knows whether it went out, so he may know the place all the same. If its
    channel reports later that it did (`MessageSent`), he was told.
    """

    rendezvous_id: Id
    message_id: Id
    reason: DisclosureFault


class GuidanceGiven(Event):
    """He was told a step of his way, in the named call or message."""

    step: PersonalLocation
    call_id: Id | None = None
    message_id: Id | None = None


class RendezvousMissed(Event):
    """The window passed without a meeting; a new rendezvous can be planned.

    Every offer that was open or accepted is void.
    """

    rendezvous_id: Id
    who: Missed
    reason: PersonalNarrative


class RendezvousReplanned(Event):
    """Another place or window, replacing rendezvous `replaces`; to be approved again.

    What was approved, disclosed or offered of the replaced one is void.
    """

    rendezvous_id: Id
    replaces: Id
    place: PersonalLocation
    window_from: At
    window_to: At
    team: Word
    planned_by: Word
    reason: PersonalNarrative


class RendezvousCancelled(Event):
    """A person cancelled the rendezvous; it ends, and every offer with it, as when missed."""

    rendezvous_id: Id
    by: Person
    reason: PersonalNarrative


class RendezvousExpired(Event):
    """Its window passed some hours ago without a reported outcome; it ends as when missed.

    Not while a team has accepted: then the team reports what became of him.
    """

    rendezvous_id: Id


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


class HandoverWithdrawn(Event):
    """The hotline took the offer back before the team answered; exactly one of the answers wins."""

    offer_id: Id
    by: Person
    reason: PersonalNarrative


class HandedOver(Event):
    """The team's receipt: `head_count` persons received at `received_at`.

    `group_id`: he was received with that group; `head_count` is then 1, himself, and the receipt's
    own count is in `GroupHandedOver`.
    """

    team: Word
    receipt_number: Word
    received_at: At
    head_count: HeadCount
    condition: Condition
    group_id: Id | None = None


class GroupHandedOver(Event):
    """One receipt for a group, in the log of the case that leads it: `head_count` persons in all.

    `received`, `missing` and `refused` are case numbers, including the leader's; `extra` is how
    many came without a case. `HandedOver` follows in the log of each that was received.
    """

    group_id: Id
    team: Word
    receipt_number: Word
    received_at: At
    head_count: HeadCount
    received: tuple[Id, ...]
    missing: tuple[Id, ...] = ()
    refused: tuple[Id, ...] = ()
    extra: HeadCount = 0
    condition: Condition = "unknown"


class HandoverDiscrepancyRaised(Event):
    """Counts disagree: `expected` were to come, `present` were received.

    Expected is the last count; else the last declaration; else the group's roll, or those he said
    are with him. Open until it is resolved.
    """

    expected: HeadCount
    present: HeadCount
    missing: HeadCount
    extra: HeadCount


class HandoverDiscrepancyResolved(Event):
    """Two people know what became of the difference."""

    explanation: PersonalNarrative
    by: Person
    second_by: Person


class EmergencyOverrideUsed(Event):
    """Two people set one guard aside for this case until `expires_at`, and answer for it.

    The newest counts for each guard.
    """

    guard: OverridableGuard
    reason: PersonalNarrative
    by: Person
    second_by: Person
    expires_at: At


class ContactLost(Event):
    """A person decided that the man no longer answers; the case stays open.

    Only `ContactRegained` ends it, which handover records when he calls.
    """

    since: At
    by: Word


class ContactRegained(Event):
    """A lost man was heard of again; `call_id` if he himself called."""

    by: Person
    call_id: Id | None = None


class FollowUpSet(Event):
    """An operator wants to be reminded of the case; `due_at` None clears the reminder."""

    due_at: At | None = None
    remark: PersonalNarrative | None = None


class FollowUpOverdue(Event):
    """A deadline for hearing of somebody, or an operator's reminder, passed.

    Recorded once for a rule and its time; later contact moves the time.
    """

    rule: FollowUpRule
    due_at: At
