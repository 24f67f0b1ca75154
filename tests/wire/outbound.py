"""An intake that sends messages to callers, and a channel that takes them; for the tests of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from passage.deliveries import Station
from passage.install.provisioning import ask
from shared import subjects
from shared.commands.intake import SetContactRule
from shared.events.base import CaseEvent
from shared.events.fields import Channel
from shared.keys.keyfiles import read_channel_private_key
from tests.waiting import WITHIN_S
from tests.wire.conftest import Site

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
    await site.call(ADDRESS, on="telegram")
    case_id = (await site.next_event("CaseOpened")).subject
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
