"""What each request costs to find out who asks: a session known already, or asked for anew."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import closing

from benchmarks.figures import MILLISECONDS, Bench, Measured, percentile
from benchmarks.sessions import session_on
from benchmarks.site import site_in
from services.query.logins.sessions import Sessions
from shared import subjects
from shared.jetstream.buckets import Bucket
from shared.log.case_log import CaseLog, jetstream_env
from shared.people.directory import PEOPLE, Directory

REQUESTS = 2_000
AIM = "p95 <= 5 ms"


def run(bench: Bench) -> Iterator[Measured]:
    with site_in(bench.folder_for("logins")) as site:
        token = session_on(site.settings)["authorization"].removeprefix("Bearer ")
        log = CaseLog(PEOPLE, jetstream_env(site.settings, "passage-logins"))
        with closing(log), closing(Directory(log)) as directory:
            timeout_s = site.settings.request_timeout_s
            bucket = Bucket(log.connection, subjects.SESSIONS_BUCKET, timeout_s)

            def sessions() -> Sessions:
                return Sessions(bucket, directory.person)

            known = sessions()
            times = {"anew": (sessions, REQUESTS // 4), "known": (lambda: known, REQUESTS)}
            for name, (of, count) in times.items():
                taken = asyncio.run(_timed(of, token, bench.count(count)))
                figures = {"p50": percentile(taken, 50), "p95": percentile(taken, 95)}
                yield Measured(f"logins/{name}", figures, "ms", aim=AIM)


async def _timed(sessions: Callable[[], Sessions], token: str, count: int) -> list[float]:
    taken = []
    for _ in range(count):
        asked = sessions()
        began = time.perf_counter()
        found = await asked.caller(token)
        if isinstance(found, str):
            raise TypeError(found)
        taken.append((time.perf_counter() - began) * MILLISECONDS)
    return taken
