"""A service says that it is ready once the server has all that it listens to, and not before."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from nats.aio.client import Client
from nats.aio.transport import TcpTransport
from nats.errors import FlushTimeoutError, NoRespondersError

from passage.runner.nats_server import NatsServer
from services.verification import CASES
from shared import subjects
from shared.commands.intake import ProvidePersonalData
from tests.waiting import WITHIN_S
from tests.wire.conftest import WIRES, Site


async def is_ready(site: Site) -> bool:
    """Asks intake, which may not listen yet."""
    try:
        reply = await site.client.request(subjects.health("intake"), b"", timeout=WITHIN_S)
    except NoRespondersError:
        return False
    return bool(json.loads(reply.data)["ready"])


async def test_a_service_is_ready_when_the_server_has_every_subscription(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard, asked, flush = asyncio.Event(), asyncio.Event(), Client.flush

    async def held_up(client: Client, timeout: int = 10) -> None:  # noqa: ASYNC109 - nats-py's own
        if not asked.is_set():
            asked.set()
            raise FlushTimeoutError  # As where the server is away for a while: it is asked again.
        await heard.wait()
        await flush(client, timeout)

    service = WIRES["intake"](site.settings)
    monkeypatch.setattr(Client, "flush", held_up)
    starting = asyncio.create_task(service.bus.broker.start())
    try:
        async with asyncio.timeout(WITHIN_S):
            await asked.wait()
        assert not await is_ready(site)
        heard.set()
        await starting
        assert await is_ready(site)
    finally:
        starting.cancel()
        heard.set()
        await service.bus.broker.stop()
        service.close()


async def test_a_service_has_started_when_its_last_subscription_was_answered_for(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[bytes] = []
    write: Any = TcpTransport.write
    writelines: Any = TcpTransport.writelines

    def written(transport: TcpTransport, payload: bytes) -> None:
        sent.append(payload)
        write(transport, payload)

    def lines_written(transport: TcpTransport, payload: list[bytes]) -> None:
        sent.extend(payload)
        writelines(transport, payload)

    service = WIRES["handover"](site.settings)
    # The log has a connection of its own, whose subscription isn't meant.
    await asyncio.to_thread(service.log.connection.wait_connected, WITHIN_S)
    monkeypatch.setattr(TcpTransport, "write", written)
    monkeypatch.setattr(TcpTransport, "writelines", lines_written)
    await service.bus.broker.start()
    told = [one.partition(b" ")[0].strip() for one in sent]
    await service.bus.broker.stop()
    service.close()
    assert b"PING" in told[len(told) - told[::-1].index(b"SUB") :]


@asynccontextmanager
async def running(module: str, site: Site) -> AsyncIterator[Process]:
    """Runs a module as a process on a site; it is killed if it still runs afterwards."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module),
        env=environment_on(site),
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()  # It closes the pipes as well.


def environment_on(site: Site) -> dict[str, str]:
    settings = site.settings
    return {
        **os.environ,
        "PYTHONUNBUFFERED": "",
        "PASSAGE_NATS_URL": settings.nats_url,
        "PASSAGE_KEYS_DIR": str(settings.keys_dir),
        "PASSAGE_REGISTRY_FILE": str(settings.registry_file),
        "PASSAGE_FSYNC": settings.fsync,
        "PASSAGE_THREADS": str(settings.threads),
        "PASSAGE_LOG_LEVEL": settings.log_level,
    }


async def test_a_registry_that_is_stuck_does_not_hold_up_the_end(intake: Site) -> None:
    async with (
        asyncio.timeout(WITHIN_S),
        running("tests.wire.stuck_verification", intake) as stuck,
    ):
        assert stuck.stdout is not None
        assert stuck.stderr is not None
        case_id = await intake.opened()
        await intake.record(ProvidePersonalData, case_id, identity={"surname": "Beispiel"})
        assert await stuck.stdout.readline() == b"asked\n"
        stuck.terminate()
        # Nobody has written to its standard input: the registry hangs still.
        assert await stuck.wait() == 0
        assert await stuck.stdout.read() == b"and said, but not flushed"
        assert await stuck.stderr.read() == b""
    # Its question is delivered again, and nothing of it is recorded.
    claims = await intake.jetstream.consumer_info(subjects.CASES, CASES.name)
    assert claims.num_ack_pending == 1
    assert await intake.history(case_id) == ["CaseOpened", "PersonalDataProvided"]


def frozen(server: NatsServer) -> None:
    assert server.pid is not None
    os.kill(server.pid, signal.SIGSTOP)


@pytest.mark.parametrize("hung", [frozen, NatsServer.kill])
async def test_without_a_server_the_end_is_none_by_a_fault(
    site: Site, hung: Callable[[NatsServer], None]
) -> None:
    pid = site.server.pid
    assert pid is not None
    try:
        async with (
            asyncio.timeout(WITHIN_S),
            running("services.verification", site) as process,
        ):
            await answers(site, "verification")
            hung(site.server)
            process.terminate()
            assert process.stderr is not None
            assert await process.wait() == 0
            assert b"ended_by_fault" not in await process.stderr.read()
    finally:
        if site.server.pid is None:
            site.server.start()
        os.kill(site.server.pid or pid, signal.SIGCONT)
    await answers(site, "keyholder")  # The site's own connections are there again.


async def answers(site: Site, service: str) -> None:
    while True:
        with suppress(NoRespondersError):
            await site.client.request(subjects.health(service), timeout=WITHIN_S)
            return
