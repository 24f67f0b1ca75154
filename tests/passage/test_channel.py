"""A channel's message: each channel counts its own calls, and a number may be withheld."""

from __future__ import annotations

from datetime import UTC, datetime

from nacl.public import PrivateKey
from nats.aio.client import Client

from passage.channel import Call, Kept, envelope_of, publish
from passage.install.provisioning import provision
from shared.events.fields import Channel
from tests.waiting import WITHIN_S

KEY = PrivateKey.generate().public_key


def said(channel: Channel = "phone", address: str | None = "+70001234567") -> Call:
    return Call("call-1", channel, address, "ru", datetime(2026, 11, 22, 12, tzinfo=UTC))


def test_a_withheld_number_is_left_out() -> None:
    assert envelope_of(said(address=None), KEY).data.caller_address is None
    assert envelope_of(said(), KEY).data.caller_address is not None


def test_the_id_of_the_message_is_the_calls() -> None:
    assert envelope_of(said(), KEY).id == "call-1"


async def test_every_message_of_a_channel_is_kept_whatever_its_id(client: Client) -> None:
    await provision(client, replicas=1)
    jetstream = client.jetstream(timeout=WITHIN_S)
    assert await publish(jetstream, envelope_of(said(), KEY)) == Kept("CALLS_phone", 1)
    assert await publish(jetstream, envelope_of(said("web"), KEY)) == Kept("CALLS_web", 1)
    assert await publish(jetstream, envelope_of(said(), KEY)) == Kept("CALLS_phone", 2)
