"""What channels publish, and an intake that sends messages which a channel takes."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from passage.deliveries import Station
from passage.install.provisioning import ask
from shared import subjects
from shared.commands.intake import SetContactRule
from shared.events.base import CallEnvelope, CaseEvent, type_of
from shared.events.calls import CallEnded
from shared.events.fields import Channel
from shared.keys.boxes import box_up
from shared.keys.keyfiles import read_channel_private_key
from tests.waiting import WITHIN_S
from tests.wire.conftest import Site


def envelope(key: Any, call_id: str, message_id: str, **inside: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": message_id,
        "source": "/channels/phone",
        "type": "passage.CallReceived.v1",
        "subject": call_id,
        "time": "2026-03-14T12:00:00Z",
        "datacontenttype": "application/json",
        "data": {
            "call_id": call_id,
            "channel": "phone",
            "caller_address": box_up(key, b"+380440000000"),
            "language": "ru",
            "started_at": "2026-03-14T12:00:00Z",
            **inside,
        },
    }


async def publish(site: Site, envelope: dict[str, Any] | bytes) -> None:
    body = envelope if isinstance(envelope, bytes) else json.dumps(envelope).encode()
    await site.jetstream.publish("calls.phone", body)


async def publish_end(site: Site, call_id: str) -> None:
    now = datetime.now(UTC)
    envelope = CallEnvelope[CallEnded](
        id=f"{call_id}-end",
        source="/channels/phone",
        type=type_of(CallEnded),
        subject=call_id,
        time=now,
        data=CallEnded(call_id=call_id, channel="phone", ended_at=now),
    )
    await publish(site, envelope.model_dump_json(exclude_none=True).encode())


ADDRESS = "@beispiel_canary"
TEXT = "wait at the river of Musterdorf"
CALLED = ["CaseOpened", "ContactRuleSet"]
TOLD: dict[str, Any] = {"channel": "telegram", "text": TEXT}


@asynccontextmanager
async def held_back(site: Site) -> AsyncIterator[None]:
    """Has intake get no event while the block lasts."""
    consumer = f"CONSUMER.PAUSE.{subjects.CASES}.intake"
    await ask(site.client, consumer, {"pause_until": "2126-01-01T00:00:00Z"})
    yield
    await ask(site.client, consumer, {})


def station(site: Site, channel: Channel = "telegram") -> Station:
    key = read_channel_private_key(site.settings.keys_dir, channel)
    return Station(site.client, channel, key)


async def safe_case(site: Site, rule: str = "yes") -> str:
    """The case of a man who called on telegram, and said when it is safe to reach him."""
    case_id = await site.opened(ADDRESS, on="telegram")
    await site.record(SetContactRule, case_id, rule=rule)
    return case_id


async def given_to_channels(site: Site) -> int:
    return (await site.jetstream.stream_info(subjects.OUTBOUND)).state.last_seq


async def begin_anew(site: Site) -> None:
    """Has intake read CASES from its beginning again."""
    consumer = f"{subjects.CASES}.intake"
    found = await ask(site.client, f"CONSUMER.INFO.{consumer}", None)
    await ask(site.client, f"CONSUMER.DELETE.{consumer}", None)
    config = {"stream_name": subjects.CASES, "config": found["config"], "action": "create"}
    await ask(site.client, f"CONSUMER.CREATE.{consumer}", config)


async def all_processed(site: Site) -> None:
    """Waits until intake has acknowledged every event that it consumes."""
    left = 1
    async with asyncio.timeout(WITHIN_S):
        while left:
            info = await ask(site.client, f"CONSUMER.INFO.{subjects.CASES}.intake", None)
            left = info["num_pending"] + info["num_ack_pending"]


async def outcome_of(site: Site) -> CaseEvent[Any]:
    return await site.next_event("MessageSent", "MessageFailed", "MessageRefused")
