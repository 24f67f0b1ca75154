"""Resident memory of every process, idle and after many events, and how fast the system ends.

The events are made as operators make them: calls on CALLS and commands to the services.
"""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import psutil
from nats.aio.client import Client

from benchmarks.calling import Caller
from benchmarks.figures import Bench, Measured
from benchmarks.site import Query
from benchmarks.story import OLENA, TRIAGE, WHERE, WHO
from benchmarks.system import System, system_in
from passage.connecting import connected
from passage.own_keys import as_person
from shared import subjects
from shared.commands.base import ANSWER, Command
from shared.commands.catalogue import ANSWERED_BY
from shared.commands.handover import RecordArrival, RecordContactLost
from shared.commands.intake import AddNote, ProvidePersonalData, TriageCall
from shared.keys.keyfiles import read_intake_public_key
from shared.subjects import channel_identity

EVENTS = 100_000
IN_FLIGHT = 64
EVENTS_OF_CASE = 10
NOTES = 3
"""The others: opened, triaged, data, what the registry says and what follows; arrived, lost."""
SETTLES_WITHIN_S = 120.0
ASK_AGAIN_S = 0.005
MEBIBYTE = 1_048_576
ANSWER_WITHIN_S = 30.0
AIM_OF_THE_END = "< 2"


def run(bench: Bench) -> Iterator[Measured]:
    """What each process holds, idle and afterwards, then how long their end takes."""
    with system_in(bench.folder_for("memory")) as system:
        yield _held("idle", system, 0)
        began = time.perf_counter()
        events = asyncio.run(_push(system, bench.count(EVENTS, EVENTS_OF_CASE)))
        with httpx.Client(
            base_url=system.running.http, trust_env=False, auth=as_person(system.running, None)
        ) as client:
            # Verification has caught up with the log then, and query with it.
            Query(client).wait(events, SETTLES_WITHIN_S)
        seconds = time.perf_counter() - began
        yield _held("afterwards", system, events, events_a_second=round(events / seconds))
        began = time.perf_counter()
        system.stop()
        ended = {"seconds": time.perf_counter() - began}
        yield Measured("memory/ended", ended, "s", aim=AIM_OF_THE_END)


def _held(when: str, system: System, events: int, **notes: float) -> Measured:
    pids = {**system.running.pids, "runner": system.runner.pid}
    held = {name: psutil.Process(pid).memory_info().rss / MEBIBYTE for name, pid in pids.items()}
    figures = {**held, "all": sum(held.values())}
    return Measured(f"memory/{when}", figures, "MiB", notes={"events": events, **notes})


@dataclass(frozen=True)
class Push:
    caller: Caller
    asker: Client
    """query, which alone may send commands."""

    async def case(self) -> None:
        case_id, call_id, *_ = await self.caller.call()
        await self._ask(TriageCall, case_id, call_id=call_id, **TRIAGE)
        await self._ask(ProvidePersonalData, case_id, identity=WHO.model_dump(mode="json"))
        for _ in range(NOTES):
            await self._ask(AddNote, case_id, text="Asked again. (Invented.)")
        await self._ask(RecordArrival, case_id, place=WHERE.model_dump(mode="json"))
        await self._ask(RecordContactLost, case_id, since=datetime.now(UTC).isoformat())

    async def _ask(self, command_type: type[Command], case_id: str, **fields: Any) -> None:
        who = {"command_id": uuid4().hex, "case_id": case_id, "by": OLENA}
        subject = subjects.command(ANSWERED_BY[command_type], command_type.__name__)
        body = json.dumps({**who, **fields}).encode()
        deadline = time.monotonic() + ANSWER_WITHIN_S
        while True:
            reply = await self.asker.request(subject, body, timeout=ANSWER_WITHIN_S)
            result = ANSWER.validate_json(reply.data).result
            if result in {"recorded", "repeated", "ignored"}:
                return
            # The event that opened the case was heard on its way, and may not be stored yet.
            if result != "refused" or time.monotonic() > deadline:
                raise RuntimeError(f"{command_type.__name__} was {result}")
            await asyncio.sleep(ASK_AGAIN_S)


async def _push(system: System, events: int) -> int:
    """Drives cases until this many `events` are in the log and shown; returns how many are."""
    running = system.running
    async with (
        connected(running) as keeper,
        connected(running, channel_identity("telegram")) as channel,
        connected(running, "query") as asker,
    ):
        caller = Caller(channel, read_intake_public_key(running.keys), "telegram")
        await caller.listen(keeper)
        push = Push(caller, asker)
        cases = -(-events // EVENTS_OF_CASE)
        left = iter(range(cases))

        async def drive() -> None:
            for _ in left:
                await push.case()

        await asyncio.gather(*(drive() for _ in range(IN_FLIGHT)))
    return cases * EVENTS_OF_CASE
