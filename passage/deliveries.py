"""What a channel does with messages to callers: take one, open it, send it, report.

It acknowledges a message before it sends it: a crash in between loses the message, which the
missing report shows, instead of sending it twice.
"""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from nacl.public import PrivateKey
from nats.aio.client import Client
from nats.aio.msg import Msg
from typing_extensions import override

from passage.channel import publish
from passage.connecting import connected
from passage.running import Running
from shared import subjects
from shared.callers.outgoing import OutgoingMessage
from shared.events.base import CallEnvelope, type_of
from shared.events.calls import DeliveryFault, DeliveryOutcome, DeliveryReported
from shared.events.fields import Channel
from shared.keys.boxes import unbox
from shared.keys.keyfiles import read_channel_private_key
from shared.servers.credentials import api_prefix
from shared.subjects import outbox_identity

ANSWER_TIMEOUT_S = 5.0
PULL_S = 2.0
"""How long one request for a message waits: nats-server forgets a channel's requests after three
seconds (ADR 26), and what it answers later comes again only when it is redelivered."""
NANOSECONDS = 1_000_000_000


@dataclass(frozen=True)
class ToSend:
    """A message in plain text, as the channel sends it; never logged."""

    message: OutgoingMessage
    to_address: str
    text: str

    @override
    def __repr__(self) -> str:
        return f"ToSend({self.message.message_id})"


@dataclass(frozen=True)
class Station:
    """A channel's connection, name and private key; `identity` is empty without accounts."""

    client: Client
    channel: Channel
    key: PrivateKey
    identity: str = ""

    async def receive(self, wait_s: float) -> ToSend | None:
        """The next message, opened; nobody can receive it again. None if none comes.

        Raises nats-py's Error if the server doesn't answer, and BoxBrokenError.
        """
        until = time.monotonic() + wait_s
        reply = await self._asked(min(wait_s, PULL_S))
        while reply is None and (left := until - time.monotonic()) > 0:
            reply = await self._asked(min(left, PULL_S))
        if reply is None:
            return None
        await self.client.request(reply.reply, b"+ACK", timeout=ANSWER_TIMEOUT_S)
        message = OutgoingMessage.model_validate_json(reply.data)
        to_address, text = (
            unbox(self.key, box).decode() for box in (message.to_address, message.text)
        )
        return ToSend(message, to_address, text)

    async def _asked(self, wait_s: float) -> Msg | None:
        consumer = subjects.outbound_consumer(self.channel)
        api = api_prefix(self.identity)
        asked = {"batch": 1, "expires": int(wait_s * NANOSECONDS)}
        inbox = self.client.new_inbox()
        # An inbox of its own: nats-server 2.15 doesn't count a wildcard subscription as a listener.
        subscription = await self.client.subscribe(inbox)
        try:
            await self.client.publish(
                f"{api}.CONSUMER.MSG.NEXT.{consumer.stream}.{consumer.name}",
                json.dumps(asked).encode(),
                reply=inbox,
            )
            reply = await subscription.next_msg(timeout=wait_s + ANSWER_TIMEOUT_S)
        finally:
            await subscription.unsubscribe()
        return None if "Status" in (reply.headers or {}) else reply

    async def report(
        self,
        message_id: str,
        case_id: str,
        outcome: DeliveryOutcome,
        reason: DeliveryFault | None = None,
    ) -> None:
        """Publishes what became of a message. Raises nats-py's Error, and ValidationError."""
        now = datetime.now(UTC)
        reported = DeliveryReported(
            message_id=message_id,
            case_id=case_id,
            channel=self.channel,
            outcome=outcome,
            happened_at=now,
            reason=reason,
        )
        envelope = CallEnvelope[DeliveryReported](
            id=f"report-{message_id}",
            source=f"/channels/{self.channel}",
            type=type_of(DeliveryReported),
            subject=message_id,
            time=now,
            data=reported,
        )
        await publish(self.client.jetstream(), envelope)

    async def deliver_next(
        self, wait_s: float, outcome: DeliveryOutcome = "sent", reason: DeliveryFault | None = None
    ) -> ToSend | None:
        """Plays the channel's whole part for one message; returns what the caller would read."""
        found = await self.receive(wait_s)
        if found is not None:
            await self.report(found.message.message_id, found.message.case_id, outcome, reason)
        return found


@asynccontextmanager
async def station_of(
    running: Running, channel: Channel, attempts: int = 3
) -> AsyncIterator[Station]:
    """Connects as a channel. Raises VerbEndedError, and KeyFilesError if its key can't be read."""
    identity = outbox_identity(channel)
    key = read_channel_private_key(running.keys, channel)
    async with connected(running, identity, attempts) as client:
        known = "" if running.nkey_of(identity) is None else identity
        yield Station(client, channel, key, known)
