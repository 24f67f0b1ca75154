"""One channel ends calls in turn over more long cases than intake keeps in memory, another calls
once a second: how long a genuine call takes to become a case meanwhile.
"""

import asyncio
import json
from collections.abc import Iterator

from benchmarks.casework_events import DAY
from benchmarks.figures import Bench, Measured
from benchmarks.filling import Copy, Template, send
from benchmarks.hostile import (
    HOSTILE,
    beside_quiet,
    call_while,
    end_of,
    genuine_caller,
    until_ready,
)
from benchmarks.site import RELAXED, SYNCED, Site, service_process, site_in, wait_for_keys
from benchmarks.story import CALLER_KEY
from passage.connecting import connected
from services.intake.routing import CALLS_OF_A_CASE_MAX
from shared import subjects
from shared.events.intake import CallLinked
from shared.keys.keyfiles import make_channel_keys

CASES, ENDS = 14, 1_000
FLOODED_FOR_S = 60.0


def run(bench: Bench) -> Iterator[Measured]:
    with site_in(bench.folder_for("long-cases")) as site:
        make_channel_keys(site.settings.keys_dir)
        site.restart(RELAXED)
        cases = _filled(site, bench.count(CALLS_OF_A_CASE_MAX, 10))
        asyncio.run(_index(site, cases, bench.count(ENDS, 5)))
        site.restart(SYNCED)
        wait_for_keys(site.settings)
        seconds = FLOODED_FOR_S * bench.count(100, 5) / 100
        quiet, _ = asyncio.run(_called(site, seconds, []))
        ends = [f"call-{number}" for number in range(bench.count(ENDS, 5))]
        flooded, ended = asyncio.run(_called(site, seconds, ends))
    notes = {"long cases": CASES, "ends": ended}
    yield beside_quiet("long-cases", flooded, quiet, **notes)


def _filled(site: Site, calls: int) -> list[str]:
    linked = [
        CallLinked(
            call_id=f"call-{number}",
            channel=HOSTILE,
            caller_key=CALLER_KEY,
            language="ru",
            started_at=DAY,
            basis="caller",
            confidence=1,
        )
        for number in range(calls)
    ]
    template = Template.of(linked)
    copies = [Copy(template) for _ in range(CASES)]
    asyncio.run(send(site, (copy.next() for copy in copies for _ in range(calls))))
    return [copy.case_id for copy in copies]


async def _index(site: Site, cases: list[str], ends: int) -> None:
    """Has intake find a case for each call that will end, one case after another."""
    async with connected(site.settings.nats_url) as client:
        bucket = await client.jetstream().key_value(subjects.INDEX_BUCKET)
        for number in range(ends):
            entry = {"case_id": cases[number % len(cases)]}
            await bucket.create(f"call.{HOSTILE}.call-{number}", json.dumps(entry).encode())


async def _called(site: Site, seconds: float, ends: list[str]) -> tuple[list[float], int]:
    """The seconds that each genuine call took, and how many ends were recorded meanwhile."""
    async with connected(site.settings.nats_url) as client:
        for call_id in ends:
            await client.jetstream().publish(subjects.calls(HOSTILE), end_of(call_id))
        caller = await genuine_caller(site, client)
        working = asyncio.Event()
        working.set()
        with service_process("intake", site.settings, site.settings.keys_dir.parent):
            await until_ready(client)
            calling = asyncio.create_task(call_while(caller, working))
            await asyncio.sleep(seconds)
            working.clear()
            genuine = await calling
        left = await client.jetstream().stream_info(subjects.calls_stream(HOSTILE))
    return genuine, len(ends) - left.state.messages
