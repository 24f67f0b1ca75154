"""What upstream channels publish on CALLS, subject `calls.<channel>`."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import BeforeValidator, Field, StringConstraints

from shared.events.base import Event
from shared.events.fields import At, Channel, Id, Language, Region

BOX_MAX_CHARACTERS = 120_000

Boxed = Annotated[
    str, StringConstraints(pattern=r"^box1\.[A-Za-z0-9_-]{64,}$", max_length=BOX_MAX_CHARACTERS)
]
"""Text sealed by the channel with the public intake key (`shared.boxes`); only intake opens it."""


DeliveryOutcome = Literal["sent", "failed", "refused"]
DeliveryFault = Literal["no_such_user", "blocked", "unreachable", "rejected", "other"]


def _known_fault(word: object) -> object:
    """Gives `other` for a word of the channel's own, which may hold an address or a name."""
    return "other" if isinstance(word, str) and word not in get_args(DeliveryFault) else word


class CallReceived(Event):
    """A contact on any channel; recorded by the channel the moment the caller is heard.

    `started_at` is the channel's clock. No `caller_address`: the number is withheld. A chat message
    edited later is a new call, never a change. A channel gives each call an id of its own.
    `caller_address` is the provider's stable id, `display_name` what people see beside it;
    `withheld` says that the number is hidden, whatever the address holds. `region`: where a
    national number is dialled, ISO 3166 (`UA`).
    """

    call_id: Id
    channel: Channel
    caller_address: Boxed | None = None
    withheld: bool = False
    display_name: Boxed | None = None
    region: Region | None = None
    language: Language
    started_at: At
    text: Boxed | None = None
    return_code: Boxed | None = None
    recording_ref: Id | None = None
    media: Annotated[tuple[Id, ...], Field(max_length=20)] = ()


class CallEnded(Event):
    """A call ended, by the channel's clock; on CALLS, and in the log of the call's case."""

    call_id: Id
    channel: Channel
    ended_at: At


class DeliveryReported(Event):
    """A channel says what became of a message that it was given to send.

    Any other `reason` than these words is read as `other`, so that no report is lost.
    """

    message_id: Id
    case_id: Id
    channel: Channel
    outcome: DeliveryOutcome
    happened_at: At
    reason: Annotated[DeliveryFault | None, BeforeValidator(_known_fault)] = None
