"""What a channel does: box a call for the intake key and publish it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from nacl.public import PublicKey
from nats.errors import Error as NatsError
from nats.errors import MaxPayloadError
from nats.js.client import JetStreamContext
from nats.js.errors import APIError
from typing_extensions import override

from shared import subjects
from shared.events.base import CONTENT_TYPE, CallEnvelope, type_of
from shared.events.calls import CallReceived, DeliveryReported
from shared.events.fields import Channel
from shared.keys.boxes import box_up

PUBLISH_TIMEOUT_S = 5.0
STORE_FAILED, MESSAGE_TOO_LARGE = 10077, 10054
"""Error codes of nats-server; the first means a used-up quota, or a full disk."""


@dataclass(frozen=True)
class Call:
    """A call in plain text; never printed or logged."""

    call_id: str
    channel: Channel
    address: str | None
    """None if the number is withheld."""
    language: str
    started_at: datetime
    text: str | None = None
    return_code: str | None = None
    withheld: bool = False
    """Whether the caller hides his number, whatever `address` holds."""
    display_name: str | None = None
    region: str | None = None
    """Where a number without a country code was dialled: `UA`."""

    @override
    def __repr__(self) -> str:
        return f"Call({self.call_id})"


class NotKeptError(NatsError):
    """The call was not stored: its channel keeps it and sends it again."""


class QuotaUsedUpError(NotKeptError):
    """Too much of this channel is waiting already."""


class TooLargeError(NotKeptError):
    """Will always be refused: shorten it, or send it in parts with ids of their own."""


class Kept(NamedTuple):
    stream: str
    sequence: int


REFUSALS: dict[int, type[NotKeptError]] = {
    STORE_FAILED: QuotaUsedUpError,
    MESSAGE_TOO_LARGE: TooLargeError,
}


def envelope_of(call: Call, key: PublicKey) -> CallEnvelope[CallReceived]:
    """The message for a call; its id is the call's. Raises ValidationError."""

    def boxed(text: str | None) -> str | None:
        # Bytes on the command line that aren't valid text are kept as they are.
        return None if text is None else box_up(key, text.encode("utf-8", "surrogateescape"))

    received = CallReceived(
        call_id=call.call_id,
        channel=call.channel,
        caller_address=boxed(call.address),
        language=call.language,
        started_at=call.started_at,
        text=boxed(call.text),
        return_code=boxed(call.return_code),
        withheld=call.withheld,
        display_name=boxed(call.display_name),
        region=call.region,
    )
    return CallEnvelope[CallReceived](
        id=call.call_id,
        source=f"/channels/{call.channel}",
        type=type_of(CallReceived),
        subject=call.call_id,
        time=call.started_at,
        data=received,
    )


async def publish(
    jetstream: JetStreamContext,
    envelope: CallEnvelope[CallReceived] | CallEnvelope[DeliveryReported],
) -> Kept:
    """Publishes a call or a report; once this returns, it can't be lost.

    Raises NotKeptError if it is refused, and nats-py's other errors if no answer comes: then
    nobody knows whether it is kept, and sending it again is safe.
    """
    # No Nats-Msg-Id: nothing stored earlier under an id, by anybody, may keep a call out.
    # Published twice, it is stored twice and takes effect once: intake knows it by its own id.
    headers: dict[str, Any] = {"Content-Type": CONTENT_TYPE}
    try:
        ack = await jetstream.publish(
            subjects.calls(envelope.data.channel),
            envelope.model_dump_json(exclude_none=True).encode(),
            timeout=PUBLISH_TIMEOUT_S,
            headers=headers,
        )
    except MaxPayloadError as error:
        raise TooLargeError(str(error)) from None
    except APIError as error:
        kind = REFUSALS.get(error.err_code or 0)
        if kind is None:
            raise
        raise kind(error.description) from None
    return Kept(ack.stream, ack.seq)
