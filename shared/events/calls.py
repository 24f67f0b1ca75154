"""What upstream channels publish on CALLS, subject `calls.<channel>`."""

from typing import Annotated, ClassVar, Literal, get_args

from pydantic import BeforeValidator, StringConstraints

from shared.events.base import Event
from shared.events.fields import At, Channel, Id, PersonalNarrative, Region

BOX_MAX_CHARACTERS = 400_000
UNKNOWN_LANGUAGE = "und"

Change = Literal[
    "address_cleaned",
    "call_id_replaced",
    "channel_corrected",
    "code_cleaned",
    "code_in_text",
    "ended_at_replaced",
    "language_replaced",
    "media_replaced",
    "more_fields",
    "name_cleaned",
    "not_sealed",
    "oversize",
    "recording_replaced",
    "region_unknown",
    "started_at_replaced",
    "taken_up",
    "text_cleaned",
    "text_shortened",
    "type_unknown",
    "unopened",
]
"""What was done to a call so that it could be recorded (ADR 23); the original is sealed beside it.

`code_in_text`: the code was found among the words. `more_fields`: there were fields that no call
has. `not_sealed`: the channel sent something in the clear. `oversize`: the original is kept as its
head and digest. `taken_up`: a person made a case of what could not be read. `unopened`: a part of
it doesn't open.
"""

Boxed = Annotated[
    str, StringConstraints(pattern=r"^box1\.[A-Za-z0-9_-]{64,}$", max_length=BOX_MAX_CHARACTERS)
]
"""Text sealed by the channel with the public intake key; only intake opens it."""


DeliveryOutcome = Literal["sent", "failed", "refused"]
DeliveryFault = Literal["no_such_user", "blocked", "unreachable", "rejected", "other"]


def _known_fault(word: object) -> object:
    """Replaces a channel's own word, which may hold an address or a name, with `other`."""
    return "other" if isinstance(word, str) and word not in get_args(DeliveryFault) else word


class CallReceived(Event):
    """A contact on any channel; recorded by the channel the moment the caller is heard.

    This is the ideal form; intake accepts a call in whatever form it comes
    (`shared.events.upstream`). `started_at` is the channel's clock. An id may be anything; up to
    64 letters, digits, `_` and `-` are kept as they are. `language`: a tag of BCP 47. No
    `caller_address`: the number is withheld. An edited chat message is a new call, with an id of
    its own. `caller_address` is the provider's stable id, `display_name` what people see beside
    it; `withheld` says that the number is hidden, whatever the address holds. `region`: where a
    national number is dialled, ISO 3166 (`UA`).
    """

    call_id: str
    channel: Channel
    caller_address: Boxed | None = None
    withheld: bool = False
    display_name: Boxed | None = None
    region: Region | None = None
    language: str = UNKNOWN_LANGUAGE
    started_at: At
    text: Boxed | None = None
    return_code: Boxed | None = None
    recording_ref: str | None = None
    media: tuple[str, ...] = ()


class CallEnded(Event):
    """A call ended, by the channel's clock; on CALLS, and in the log of the call's case."""

    UPSTREAM: ClassVar[tuple[str, ...]] = ("call_id", "channel", "ended_at")
    """The fields that channels send; the rest says how intake had to read it."""

    call_id: Id
    channel: Channel
    ended_at: At
    changed: tuple[Change, ...] | None = None
    as_received: PersonalNarrative | None = None


class DeliveryReported(Event):
    """A channel reports on a message it was given to send.

    Any other `reason` than these words is read as `other`, so that no report is lost.
    """

    message_id: Id
    case_id: Id
    channel: Channel
    outcome: DeliveryOutcome
    happened_at: At
    reason: Annotated[DeliveryFault | None, BeforeValidator(_known_fault)] = None


UpstreamEvent = CallReceived | CallEnded | DeliveryReported
"""What channels publish on CALLS."""
