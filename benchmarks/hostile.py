"""One channel floods, another calls once a second: how fast intake works the flood off, and how
long a genuine call takes to become a case meanwhile.

The flood is stored before intake starts, a kind at a time: ends of calls that never were, calls
of one address, calls of withheld numbers, and calls with wrong return codes.
"""

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import choice
from typing import NamedTuple
from uuid import uuid4

from nacl.public import PublicKey
from nats.aio.client import Client

from benchmarks.calling import Caller, call_of
from benchmarks.figures import MILLISECONDS, Bench, Measured, percentile, spread
from benchmarks.site import RELAXED, SYNCED, Site, service_process, site_in, wait_for_keys
from passage.connecting import connected
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
READY_WITHIN_S = 60.0
WINDOW_MESSAGES = 1_000
LOOK_EVERY_S = 0.2
LOOK_OFTEN_S = 0.01
QUIET_CALLS = 20
ONE_ADDRESS, WRONG_CODE = "+380 44 000 00 01", "000 000 0000"

Make = Callable[[PublicKey], bytes]


class Worked(NamedTuple):
    seconds: float
    cpu_s: float
    """Processor time of intake, which isn't disturbed by what else runs on the machine."""
    genuine: list[float]
    """Seconds that each genuine call took meanwhile to be in a case."""


async def genuine_caller(site: Site, client: Client) -> Caller:
    caller = Caller(client, read_intake_public_key(site.settings.keys_dir), GENUINE)
    await caller.listen(client)
    return caller


async def _seconds_of_call(caller: Caller) -> float:
    called = await caller.call()
    return called.opened - called.began


async def call_while(caller: Caller, working: asyncio.Event) -> list[float]:
    """Calls once a second until `working` is cleared, whatever happened to the previous calls.

    Returns the seconds that each call took to be in a case.
    """
    calls: list[asyncio.Task[float]] = []
    while working.is_set():
        calls.append(asyncio.create_task(_seconds_of_call(caller)))
        await asyncio.sleep(GENUINE_EVERY_S)
    return await asyncio.gather(*calls)


def end_of(call_id: str) -> bytes:
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


def _any_number() -> str:
    return f"+38044{uuid4().int % 10**7:07}"


FLOODS: dict[str, Make] = {
    "ends of no call": lambda _key: end_of(f"never-{uuid4().hex}"),
    "one address": lambda key: call_of(key, HOSTILE, ONE_ADDRESS),
    "withheld numbers": lambda key: call_of(key, HOSTILE, None),
    "wrong codes": lambda key: call_of(key, HOSTILE, _any_number(), code=WRONG_CODE),
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
                {"worked off": count / worked.seconds},
                "messages/s",
                aim="300",
                notes={
                    "messages": count,
                    "genuine_p99_s": round(percentile(worked.genuine, 99), 3),
                    "intake_cpu_ms_a_message": round(MILLISECONDS * worked.cpu_s / count, 2),
                },
            )
    yield beside_quiet("hostile", flooded, quiet)


def beside_quiet(name: str, flooded: list[float], quiet: list[float], **notes: float) -> Measured:
    """The seconds that genuine calls took in a flood, and when it was quiet."""
    return spread(
        f"{name}/a genuine call on another channel",
        flooded,
        "s",
        ratio=round(percentile(flooded, 99) / percentile(quiet, 99), 2),
        ratio_of="p99 in the flood / p99 when it is quiet",
        aim="p99 < 1",
        notes={"calls": len(flooded), **notes},
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


async def _quiet(site: Site, count: int) -> list[float]:
    async with connected(site.settings.nats_url) as client:
        caller = await genuine_caller(site, client)
        with service_process("intake", site.settings, site.settings.keys_dir.parent):
            await caller.call()  # Intake starts under it.
            return [await _seconds_of_call(caller) for _ in range(count)]


async def _work_off(site: Site) -> Worked:
    async with connected(site.settings.nats_url) as client:
        caller = await genuine_caller(site, client)
        working = asyncio.Event()
        working.set()
        with service_process("intake", site.settings, site.settings.keys_dir.parent) as intake:
            await until_ready(client)
            began, cpu_s = time.perf_counter(), _cpu_s(intake.pid)
            calling = asyncio.create_task(call_while(caller, working))
            await _until_none_is_left(client)
            seconds, cpu_s = time.perf_counter() - began, _cpu_s(intake.pid) - cpu_s
            working.clear()
            return Worked(seconds, cpu_s, await calling)


def _cpu_s(pid: int | None) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def until_ready(client: Client) -> None:
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
