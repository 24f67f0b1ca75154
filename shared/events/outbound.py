"""What intake records about messages to a caller, and what became of each.

A message is queued by a person, goes to its channel once, and ends as sent, failed or refused.
"""

from typing import Final, Literal

from shared.events.base import Event
from shared.events.fields import At, Channel, Id, Language, PersonalIdentity, PersonalNarrative

NO_REPORT: Final = "no_report"
"""The reason of a failure without a channel's report in time; the message may have gone out."""
OutboundFault = Literal["no_report", "no_such_user", "blocked", "unreachable", "rejected", "other"]
OutboundRefusal = Literal[
    "contact_rule",
    "address",
    "too_late",
    "erased",
    "case_over",
    "cleared_by_supervisor",
    "rendezvous",
    "channel",
]


class OutboundEvent(Event):
    """A message to a caller, on its way out."""


class MessageQueued(OutboundEvent):
    """A person wants this said to the caller; the contact rule allowed it then.

    Not after `valid_until`: a late message may endanger him. `rendezvous_id`: it tells him of this
    rendezvous, and waits until handover has recorded the disclosure.
    """

    message_id: Id
    channel: Channel
    to_address: PersonalIdentity
    language: Language
    text: PersonalNarrative
    valid_until: At
    rendezvous_id: Id | None = None


class MessageDispatched(OutboundEvent):
    """It is about to be given to its channel; recorded first, so that it never goes twice."""

    message_id: Id


class MessageSent(OutboundEvent):
    """The channel reports that it went out at `sent_at`, by the channel's clock."""

    message_id: Id
    sent_at: At


class MessageFailed(OutboundEvent):
    """The channel reports that delivery failed, or (`no_report`) nothing in time.

    `reason` is one of a few words: the channel's own might hold his address or name.
    """

    message_id: Id
    reason: OutboundFault


class MessageRefused(OutboundEvent):
    """It was not sent: what allowed it no longer holds, or the channel won't accept it.

    `contact_rule`: not at this hour; `address`: at this hour, but not at that address;
    `rendezvous`: the one it tells of is no longer the present one.
    """

    message_id: Id
    reason: OutboundRefusal
