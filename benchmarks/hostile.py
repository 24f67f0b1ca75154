"""One channel floods, another calls once a second: how fast intake works the flood off, and how
long a genuine call takes to become a case meanwhile.

The flood is stored before intake starts, a kind at a time: ends of calls that never were, calls
of one address, calls of withheld numbers, and calls with wrong return codes.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import choice
from typing import NamedTuple
from uuid import uuid4

from nacl.public import PublicKey
from nats.aio.client import Client
from nats.aio.msg import Msg

from benchmarks.figures import Bench, Measured, percentile, rounded
from benchmarks.holder_process import wait_for_keys
from benchmarks.site import RELAXED, SYNCED, Site, site_in
from passage.channel import Call, envelope_of
from passage.connecting import connected
from passage.runner.children import ServiceProcess
from passage.runner.health import answers
from shared import subjects
from shared.events.base import CallEnvelope, type_of
from shared.events.calls import CallEnded
from shared.events.fields import Channel
from shared.keys.keyfiles import make_channel_keys, read_intake_public_key

MESSAGES = 20_000
"""Of each kind."""
HOSTILE: Channel = "phone"
GENUINE: Channel = "telegram"
GENUINE_EVERY_S = 1.0
IN_A_CASE_WITHIN_S = 300.0
READY_WITHIN_S = 60.0
STOPPED_WITHIN_S = 10.0
WINDOW_MESSAGES = 1_000
MILLISECONDS = 1_000.0
LOOK_EVERY_S = 0.2
LOOK_OFTEN_S = 0.01
QUIET_CALLS = 20
ONE_ADDRESS, WRONG_CODE = "+380 44 000 00 01", "000 000 0000"

Make = Callable[[PublicKey], bytes]


class Worked(NamedTuple):
    """How a flood was worked off."""

    seconds: float
    cpu_s: float
    """Processor time of intake, which isn't disturbed by what else runs on the machine."""
    genuine: list[float]
    """Seconds that each genuine call took meanwhile to be in a case."""


@dataclass
class Genuine:
    """The calls of the other channel, and how many seconds each took to be in a case."""

    client: Client
    key: PublicKey
    took: list[float] = field(default_factory=list)
    _waiting: dict[str, asyncio.Future[float]] = field(default_factory=dict)

    async def listen(self) -> None:
        """Hears what intake records: anybody may."""
        await self.client.subscribe(subjects.case_events("CaseOpened"), cb=self._hear)
        await self.client.flush()

    async def _hear(self, message: Msg) -> None:
        waiting = self._waiting.pop(json.loads(message.data)["data"]["call_id"], None)
        if waiting is not None and not waiting.done():
            waiting.set_result(time.perf_counter())

    async def call(self) -> None:
        """Publishes a call of a new caller and waits until it is in a case."""
        call_id = f"genuine-{uuid4().hex}"
        self._waiting[call_id] = asyncio.get_running_loop().create_future()
        heard, began = self._waiting[call_id], time.perf_counter()
        body = _call(self.key, f"@invented_{call_id}", call_id=call_id, channel=GENUINE)
        await self.client.jetstream(timeout=IN_A_CASE_WITHIN_S).publish(
            subjects.calls(GENUINE), body
        )
        self.took.append(await asyncio.wait_for(heard, IN_A_CASE_WITHIN_S) - began)

    async def call_while(self, working: asyncio.Event) -> None:
        """Calls once a second until `working` is cleared, whatever became of the calls before."""
        calls: list[asyncio.Task[None]] = []
        while working.is_set():
            calls.append(asyncio.create_task(self.call()))
            await asyncio.sleep(GENUINE_EVERY_S)
        await asyncio.gather(*calls)


def _call(
    key: PublicKey,
    address: str | None,
    *,
    code: str | None = None,
    call_id: str = "",
    channel: Channel = HOSTILE,
) -> bytes:
    call_id, now = call_id or f"call-{uuid4().hex}", datetime.now(UTC)
    call = Call(call_id, channel, address, "ru", now, "I want to live. (Invented.)", code)
    return envelope_of(call, key).model_dump_json(exclude_none=True).encode()


def end_of(call_id: str) -> bytes:
    """The end of a call on the hostile channel."""
    now = datetime.now(UTC)
    ended = CallEnded(call_id=call_id, channel=HOSTILE, ended_at=now)
    envelope = CallEnvelope[CallEnded](
        id=f"{call_id}-end",
        source=f"/channels/{HOSTILE}",
        type=type_of(CallEnded),
        subject=call_id,
        time=now,
        data=ended,
    )
    return envelope.model_dump_json(exclude_none=True).encode()


FLOODS: dict[str, Make] = {
    "ends of no call": lambda _key: end_of(f"never-{uuid4().hex}"),
    "one address": lambda key: _call(key, ONE_ADDRESS),
    "withheld numbers": lambda key: _call(key, None),
    "wrong codes": lambda key: _call(key, f"+38044{uuid4().int % 10**7:07}", code=WRONG_CODE),
}
KINDS = tuple(FLOODS.values())


def _any(key: PublicKey) -> bytes:
    return choice(KINDS)(key)  # noqa: S311 - no secret


def run(bench: Bench) -> Iterator[Measured]:
    """The rate at which each flood is worked off, and how long genuine calls took."""
    count = bench.count(MESSAGES, 5)
    flooded: list[float] = []
    with site_in(bench.folder_for("hostile")) as site:
        make_channel_keys(site.settings.keys_dir)
        quiet = asyncio.run(_quiet(site, bench.count(QUIET_CALLS, 3)))
        for name, make in {**FLOODS, "all of these": _any}.items():
            site.restart(RELAXED)
            asyncio.run(_fill(site, make, count))
            site.restart(SYNCED)
            wait_for_keys(site.settings)
            worked = asyncio.run(_work_off(site))
            flooded += worked.genuine
            yield Measured(
                f"hostile/{name}",
                rounded({"worked off": count / worked.seconds}),
                "messages/s",
                aim="300",
                notes={
                    "messages": count,
                    "genuine_p99_s": round(percentile(worked.genuine, 99), 3),
                    "intake_cpu_ms_a_message": round(MILLISECONDS * worked.cpu_s / count, 2),
                },
            )
    p99 = percentile(flooded, 99)
    yield Measured(
        "hostile/a genuine call on another channel",
        rounded({"p50": statistics.median(flooded), "p99": p99, "highest": max(flooded)}),
        "s",
        ratio=round(p99 / percentile(quiet, 99), 2),
        ratio_of="p99 in the flood / p99 when it is quiet",
        aim="p99 < 1",
        notes={"calls": len(flooded)},
    )


async def _fill(site: Site, make: Make, count: int) -> None:
    key = read_intake_public_key(site.settings.keys_dir)
    async with connected(site.settings.nats_url) as client:
        jetstream = client.jetstream(timeout=READY_WITHIN_S)
        for start in range(0, count, WINDOW_MESSAGES):
            bodies = [make(key) for _ in range(min(WINDOW_MESSAGES, count - start))]
            await asyncio.gather(
                *(jetstream.publish(subjects.calls(HOSTILE), body) for body in bodies)
            )


@asynccontextmanager
async def intake_process(site: Site) -> AsyncIterator[int]:
    """Runs intake in a process of its own; gives its pid."""
    environment = {
        **os.environ,
        "PASSAGE_NATS_URL": site.settings.nats_url,
        "PASSAGE_KEYS_DIR": str(site.settings.keys_dir),
        "PASSAGE_FSYNC": site.settings.fsync,
        "PASSAGE_LOG_LEVEL": "WARNING",
    }
    log_path: Path = site.settings.keys_dir.parent / "intake.log"
    process = ServiceProcess("intake", environment, log_path)
    process.launch()
    try:
        yield process.pid or 0
    finally:
        process.ask_to_stop()
        await asyncio.to_thread(process.end_by, time.monotonic() + STOPPED_WITHIN_S)


async def _quiet(site: Site, count: int) -> list[float]:
    async with connected(site.settings.nats_url) as client:
        genuine = Genuine(client, read_intake_public_key(site.settings.keys_dir))
        await genuine.listen()
        async with intake_process(site):
            for _ in range(count + 1):
                await genuine.call()
    return genuine.took[1:]  # Intake started under the first one.


async def _work_off(site: Site) -> Worked:
    async with connected(site.settings.nats_url) as client:
        genuine = Genuine(client, read_intake_public_key(site.settings.keys_dir))
        await genuine.listen()
        working = asyncio.Event()
        working.set()
        async with intake_process(site) as pid:
            await until_ready(client)
            began, cpu_s = time.perf_counter(), _cpu_s(pid)
            calling = asyncio.create_task(genuine.call_while(working))
            await _until_none_is_left(client)
            seconds, cpu_s = time.perf_counter() - began, _cpu_s(pid) - cpu_s
            working.clear()
            await calling
    return Worked(seconds, cpu_s, genuine.took)


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def until_ready(client: Client) -> None:
    """Waits until intake says that it is ready."""
    deadline = time.monotonic() + READY_WITHIN_S
    while not await answers(client, "intake"):
        if time.monotonic() > deadline:
            raise RuntimeError("intake isn't ready")
        await asyncio.sleep(LOOK_OFTEN_S)


async def _until_none_is_left(client: Client) -> None:
    jetstream, stream = client.jetstream(timeout=READY_WITHIN_S), subjects.calls_stream(HOSTILE)
    left = 1
    while left:
        left = (await jetstream.stream_info(stream)).state.messages
        await asyncio.sleep(LOOK_EVERY_S)
