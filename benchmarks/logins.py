"""What it costs a request to find out who asks, and how long a revoked session lets anybody in."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import uvicorn

from benchmarks.figures import MILLISECONDS, Bench, Measured, percentile, rounded
from benchmarks.sessions import ACCOUNT, AT_THE_DESK, session_on
from benchmarks.site import HOST, Query, Site, query_process, site_in
from services.query import main
from services.query.app import create_app
from services.query.http_connections import Connection
from services.query.logins.known import Caller, NotKnown
from services.query.logins.sessions import Sessions
from services.query.main import listen
from shared import subjects
from shared.events.people import SessionsEnded, log_of
from shared.jetstream.buckets import Bucket
from shared.keys.client import RemoteKeys
from shared.log.case_log import CaseLog, jetstream_env
from shared.log.transact import Cause, Writer, transact
from shared.people.directory import PEOPLE, Directory

REQUESTS = 1_500
ROUNDS = 20
AIM = "p95 <= 5 ms on top"
REVOKED_AIM = "<= 1 s"
ANYBODY = "without"
"""The token with which nobody looks who asks, as before there were logins."""
ANEW = "anew-"
"""Before a token: nothing is known of its session yet."""
PATH = "/api/cases?limit=1"


def run(bench: Bench) -> Iterator[Measured]:
    with site_in(bench.folder_for("logins")) as site:
        token = session_on(site.settings)["authorization"].removeprefix("Bearer ")
        taken = asyncio.run(_in_turns(site, token, bench.count(REQUESTS)))
        for name, of in (("known", token), ("anew", ANEW + token)):
            figures = {
                f"{which}_p{percent}": percentile(taken[one], percent)
                for which, one in (("without", ANYBODY), ("with", of))
                for percent in (50, 95)
            }
            on_top = {
                f"on_top_p{one}": figures[f"with_p{one}"] - figures[f"without_p{one}"]
                for one in (50, 95)
            }
            yield Measured(f"logins/{name}", figures, "ms", aim=AIM, notes=rounded(on_top))
        yield _revoked(site, bench.folder_for("logins-two"), bench.count(ROUNDS))


@dataclass
class InTurns:
    """Keeps the promises of `Logins`: with and without looking who asks."""

    known: Sessions
    anew: Callable[[], Sessions]

    async def caller(self, token: str) -> Caller | NotKnown:
        if token == ANYBODY:
            return Caller(ACCOUNT, frozenset(AT_THE_DESK), "key_file", ANYBODY)
        if token.startswith(ANEW):
            return await self.anew().caller(token.removeprefix(ANEW))
        return await self.known.caller(token)


async def _in_turns(site: Site, token: str, count: int) -> dict[str, list[float]]:
    """Milliseconds of each request, by its token."""
    log = CaseLog(PEOPLE, jetstream_env(site.settings, "passage-logins"))
    with closing(log), closing(Directory(log)) as directory:
        bucket = Bucket(log.connection, subjects.SESSIONS_BUCKET, site.settings.request_timeout_s)

        def sessions() -> Sessions:
            return Sessions(bucket, directory.person)

        taken: dict[str, list[float]] = {ANYBODY: [], token: [], ANEW + token: []}
        async with _served(site, InTurns(sessions(), sessions)) as http:
            for _ in range(count):
                for one, times in taken.items():
                    began = time.perf_counter()
                    answer = await http.get(PATH, headers={"authorization": f"Bearer {one}"})
                    times.append((time.perf_counter() - began) * MILLISECONDS)
                    answer.raise_for_status()
        return taken


@asynccontextmanager
async def _served(site: Site, logins: InTurns) -> AsyncIterator[httpx.AsyncClient]:
    """query in this process."""
    query, listener = main.Query(site.settings), listen(f"{HOST}:0")
    async with query.following() as context:
        config = uvicorn.Config(
            create_app(replace(context, logins=logins)),
            log_config=None,
            access_log=False,
            lifespan="off",
            http=Connection,
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve([listener]))
        try:
            address = f"http://{HOST}:{listener.getsockname()[1]}"
            async with httpx.AsyncClient(base_url=address) as http:
                yield http
        finally:
            server.should_exit = server.force_exit = True
            await serving


def _revoked(site: Site, folder: Path, rounds: int) -> Measured:
    """How long after its end a session still lets somebody in, on the slower of two processes."""
    other = replace(
        site,
        settings=site.settings.model_copy(update={"database_url": f"sqlite:///{folder}/two.db"}),
    )
    log = CaseLog(PEOPLE, jetstream_env(site.settings, "passage-revoking"))
    with query_process(site, folder) as one, query_process(other, folder) as two, closing(log):
        writer = Writer(log, RemoteKeys(log.connection, "desk", site.settings.request_timeout_s))
        taken = [_ended(site, writer, number, (one, two)) for number in range(rounds)]
    figures = {"p50": percentile(taken, 50), "most": max(taken)}
    return Measured("logins/revoked", figures, "ms", aim=REVOKED_AIM, notes={"processes": 2})


def _ended(site: Site, writer: Writer, number: int, queries: tuple[Query, ...]) -> float:
    headers = session_on(site.settings)
    for query in queries:
        query.client.get("/api/me", headers=headers).raise_for_status()
    cause = Cause(
        f"end-{number}", f"end-{number}", "service:desk", "/services/desk", datetime.now(UTC)
    )
    transact(writer, log_of(ACCOUNT), cause, lambda _: [SessionsEnded(by=ACCOUNT)])
    began = time.perf_counter()
    for query in queries:
        while query.client.get("/api/me", headers=headers).is_success:
            pass
    return (time.perf_counter() - began) * MILLISECONDS
