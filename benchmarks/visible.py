"""From a call published to the case shown by the API of query, with every part a process.

Calls come one after another at a low steady rate, as on a quiet evening.
"""

import asyncio
import time
from collections.abc import Iterator

from benchmarks.calling import Caller
from benchmarks.figures import MILLISECONDS, Bench, Measured, spread
from benchmarks.system import system_in
from passage.api import Api, api_of
from passage.connecting import connected
from passage.own_keys import as_person
from passage.running import Running
from shared.keys.keyfiles import read_intake_public_key

CALLS = 300
WARM_UP_CALLS = 10
CALLS_A_SECOND = 10.0
VISIBLE_WITHIN_S = 60.0
AIMS = {
    "acknowledged": "",
    "decided by intake": "",
    "shown by the API": "p99 < 30",
    "another look": "",
}


def run(bench: Bench) -> Iterator[Measured]:
    """Each part of a call's way, in milliseconds."""
    with system_in(bench.folder_for("visible")) as system:
        ways = asyncio.run(_watch_calls(system.running, bench.count(CALLS, 3)))
    notes = {"calls": len(ways), "calls_a_second": CALLS_A_SECOND}
    for (name, aim), taken in zip(AIMS.items(), zip(*ways, strict=True), strict=True):
        yield spread(f"visible/{name}", taken, "ms", aim=aim, notes=notes)


async def _watch_calls(running: Running, count: int) -> list[tuple[float, ...]]:
    key, ways = read_intake_public_key(running.keys), list[tuple[float, ...]]()
    async with connected(running) as client, api_of(running, as_person(running, None)) as api:
        caller = Caller(client, key, "telegram")
        await caller.listen(client)
        before = int((await api.get("cases", limit=1)).body["sequence"])
        for number in range(before + 1, before + WARM_UP_CALLS + count + 1):
            began = time.perf_counter()
            ways.append(await _call(caller, api, number))
            await asyncio.sleep(max(0.0, began + 1 / CALLS_A_SECOND - time.perf_counter()))
    return ways[WARM_UP_CALLS:]


async def _call(caller: Caller, api: Api, recorded: int) -> tuple[float, ...]:
    """Calls and asks the API for the case; returns the milliseconds by the order of AIMS.

    Nothing else is recorded meanwhile, so the case's event has the next sequence; with
    `min_sequence` query answers as soon as it shows that. One more look holds as much as the time
    until the case was shown does for its own.
    """
    called = await caller.call()
    while not (await api.get(f"cases/{called.case_id}", min_sequence=recorded)).ok:
        if time.perf_counter() - called.began > VISIBLE_WITHIN_S:
            raise RuntimeError(f"case {called.case_id} is not shown")
    visible_at = time.perf_counter()
    await api.get(f"cases/{called.case_id}")
    look_s = time.perf_counter() - visible_at
    moments = (called.acknowledged, called.opened, visible_at, called.began + look_s)
    return tuple(MILLISECONDS * (moment - called.began) for moment in moments)
