"""From a call published to the case shown by the API of query, with every part a process.

Calls come one after another at a low steady rate, as on a quiet evening.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4

from nacl.public import PublicKey
from nats.aio.client import Client
from nats.aio.msg import Msg

from benchmarks.figures import Bench, Measured, percentile, rounded
from benchmarks.system import system_in
from passage.api import Api, api_of
from passage.channel import Call, envelope_of, publish
from passage.connecting import connected
from passage.running import Running
from shared import subjects
from shared.keys.keyfiles import read_intake_public_key

CALLS = 300
WARM_UP_CALLS = 10
CALLS_A_SECOND = 10.0
VISIBLE_WITHIN_S = 60.0
MILLISECONDS = 1_000.0


@dataclass
class Moments:
    """When each thing happened to the calls, in milliseconds since they were published."""

    acknowledged: list[float] = field(default_factory=list)
    decided: list[float] = field(default_factory=list)
    """intake sent the event to the log."""
    visible: list[float] = field(default_factory=list)
    look: list[float] = field(default_factory=list)
    """One more look at the case; `visible` holds as much for its own."""


@dataclass
class Upstream:
    """A channel, and what it hears of what became of its calls."""

    client: Client
    key: PublicKey
    opened: asyncio.Queue[tuple[float, str]]
    """When a case was opened, and which."""
    recorded: int = 0
    """Events in the log so far; every call makes one."""

    async def publish(self) -> float:
        """Publishes one call of a new caller; gives when it was acknowledged."""
        call_id = f"call-{uuid4().hex}"
        address, now = f"@invented_{call_id}", datetime.now(UTC)
        call = Call(call_id, "telegram", address, "ru", now, "I want to live. (Invented.)")
        await publish(self.client.jetstream(timeout=VISIBLE_WITHIN_S), envelope_of(call, self.key))
        return time.perf_counter()


def run(bench: Bench) -> Iterator[Measured]:
    """Gives median and p99 of each part of a call's way."""
    with system_in(bench.folder_for("visible")) as system:
        count = bench.count(CALLS, 3)
        moments = asyncio.run(_watch_calls(system.running, count))
    for name, taken, aim in (
        ("acknowledged", moments.acknowledged, ""),
        ("decided by intake", moments.decided, ""),
        ("shown by the API", moments.visible, "p99 < 30"),
        ("another look", moments.look, ""),
    ):
        figures = {
            "p50": statistics.median(taken),
            "p99": percentile(taken, 99),
            "highest": max(taken),
        }
        notes = {"calls": len(taken), "calls_a_second": CALLS_A_SECOND}
        yield Measured(f"visible/{name}", rounded(figures), "ms", aim=aim, notes=notes)


async def _watch_calls(running: Running, count: int) -> Moments:
    key = read_intake_public_key(running.keys)
    async with connected(running) as client, api_of(running.http) as api:
        upstream = Upstream(client, key, await _listen(client))
        for _ in range(WARM_UP_CALLS):
            await _call(upstream, api, Moments())
        moments = Moments()
        for _ in range(count):
            began = time.perf_counter()
            await _call(upstream, api, moments)
            await asyncio.sleep(max(0.0, began + 1 / CALLS_A_SECOND - time.perf_counter()))
    return moments


async def _listen(client: Client) -> asyncio.Queue[tuple[float, str]]:
    """When a case was opened, and which: what intake publishes is heard by anybody."""
    opened: asyncio.Queue[tuple[float, str]] = asyncio.Queue()

    async def hear(message: Msg) -> None:
        await opened.put((time.perf_counter(), str(json.loads(message.data)["subject"])))

    await client.subscribe(subjects.case_events("CaseOpened"), cb=hear)
    await client.flush()
    return opened


async def _call(upstream: Upstream, api: Api, moments: Moments) -> None:
    """Publishes one call of a new caller and asks the API for his case.

    Nothing else is recorded meanwhile, so the case's event has the next sequence; with
    `min_sequence` query answers as soon as it shows that.
    """
    began = time.perf_counter()
    publishing = asyncio.create_task(upstream.publish())
    decided_at, case_id = await asyncio.wait_for(upstream.opened.get(), VISIBLE_WITHIN_S)
    upstream.recorded += 1
    while not (await api.get(f"cases/{case_id}", min_sequence=upstream.recorded)).ok:
        if time.perf_counter() - began > VISIBLE_WITHIN_S:
            raise RuntimeError(f"case {case_id} is not shown")
    visible_at = time.perf_counter()
    await api.get(f"cases/{case_id}")
    looked_at = time.perf_counter()
    moments.acknowledged.append(MILLISECONDS * (await publishing - began))
    moments.decided.append(MILLISECONDS * (decided_at - began))
    moments.visible.append(MILLISECONDS * (visible_at - began))
    moments.look.append(MILLISECONDS * (looked_at - visible_at))
