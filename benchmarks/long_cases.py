"""One channel ends calls in turn over more long cases than intake keeps in memory, another calls
once a second: how long a genuine call takes to become a case meanwhile.
"""

from __future__ import annotations

import asyncio
import json
import statistics
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from benchmarks.figures import Bench, Measured, percentile, rounded
from benchmarks.filling import Copy, Template, send
from benchmarks.holder_process import wait_for_keys
from benchmarks.hostile import HOSTILE, Genuine, end_of, intake_process, until_ready
from benchmarks.site import RELAXED, SYNCED, Site, site_in
from passage.connecting import connected
from services.intake.routing import CALLS_OF_A_CASE_MAX, new_case_id
from shared import subjects
from shared.events.base import FIRST_PREVHASH, chain_hash, type_of
from shared.events.catalogue import envelope_of
from shared.events.intake import CallLinked
from shared.keys.keyfiles import make_channel_keys, read_intake_public_key

CASES, ENDS = 14, 1_000
FLOODED_FOR_S = 60.0
CALLER_KEY = "0" * 64


class Called(NamedTuple):
    """What became of the calls of both channels."""

    genuine: list[float]
    """Seconds that each took to be in a case."""
    ends: int
    """How many were recorded meanwhile."""


def run(bench: Bench) -> Iterator[Measured]:
    """How long genuine calls took while hostile ends needed long cases, and while none did."""
    with site_in(bench.folder_for("long-cases")) as site:
        make_channel_keys(site.settings.keys_dir)
        site.restart(RELAXED)
        cases = _filled(site, bench.count(CALLS_OF_A_CASE_MAX, 10))
        asyncio.run(_index(site, cases, bench.count(ENDS, 5)))
        site.restart(SYNCED)
        wait_for_keys(site.settings)
        seconds = FLOODED_FOR_S * bench.count(100, 5) / 100
        quiet = asyncio.run(_called(site, seconds, []))
        ends = [f"call-{number}" for number in range(bench.count(ENDS, 5))]
        flooded = asyncio.run(_called(site, seconds, ends))
    p99 = percentile(flooded.genuine, 99)
    yield Measured(
        "long-cases/a genuine call on another channel",
        rounded({"p50": statistics.median(flooded.genuine), "p99": p99}),
        "s",
        ratio=round(p99 / percentile(quiet.genuine, 99), 2),
        ratio_of="p99 in the flood / p99 when it is quiet",
        aim="p99 < 1",
        notes={"calls": len(flooded.genuine), "long cases": CASES, "ends": flooded.ends},
    )


def _filled(site: Site, calls: int) -> list[str]:
    template = _template(calls)
    copies = [Copy(template) for _ in range(CASES)]
    messages = (copy.next() for copy in copies for _ in range(calls))
    asyncio.run(send(site, messages))
    return [copy.case_id for copy in copies]


def _template(calls: int) -> Template:
    case_id, bodies = new_case_id(), list[bytes]()
    now = datetime.now(UTC)
    for number in range(calls):
        linked = CallLinked(
            call_id=f"call-{number}",
            channel=HOSTILE,
            caller_key=CALLER_KEY,
            language="ru",
            started_at=now,
            basis="caller",
            confidence=1,
        )
        event = envelope_of(linked)(
            id=f"{case_id}-{number}",
            source="/services/intake",
            type=type_of(CallLinked),
            subject=case_id,
            time=now,
            data=linked,
            caseversion=number + 1,
            correlationid=linked.call_id,
            causationid=linked.call_id,
            actor=f"channel:{HOSTILE}",
            prevhash=chain_hash(bodies[-1]) if bodies else FIRST_PREVHASH,
        )
        bodies.append(event.model_dump_json(exclude_none=True).encode())
    return Template(case_id, [CallLinked.__name__] * calls, bodies)


async def _index(site: Site, cases: list[str], ends: int) -> None:
    """Has intake find a case for each call that will end, one case after the other."""
    async with connected(site.settings.nats_url) as client:
        bucket = await client.jetstream().key_value(subjects.INDEX_BUCKET)
        for number in range(ends):
            entry = {"case_id": cases[number % len(cases)]}
            await bucket.create(f"call.{HOSTILE}.call-{number}", json.dumps(entry).encode())


async def _called(site: Site, seconds: float, ends: list[str]) -> Called:
    async with connected(site.settings.nats_url) as client:
        for call_id in ends:
            await client.jetstream().publish(subjects.calls(HOSTILE), end_of(call_id))
        genuine = Genuine(client, read_intake_public_key(site.settings.keys_dir))
        await genuine.listen()
        working = asyncio.Event()
        working.set()
        async with intake_process(site):
            await until_ready(client)
            calling = asyncio.create_task(genuine.call_while(working))
            await asyncio.sleep(seconds)
            working.clear()
            await calling
        left = await client.jetstream().stream_info(subjects.calls_stream(HOSTILE))
    return Called(genuine.took, len(ends) - left.state.messages)
