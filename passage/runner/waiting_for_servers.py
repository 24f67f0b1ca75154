"""Provisioning that waits for enough nats-servers and the database, and names the silent ones."""

import asyncio
import os
import ssl
import time
from contextlib import closing
from urllib.parse import urlsplit

from nats.aio.client import Client
from nats.errors import Error as NatsError
from sqlalchemy.exc import SQLAlchemyError

from passage.connecting import connected
from passage.exits import Exit, VerbEndedError
from passage.install.comparing import Provisioned
from passage.install.definitions import consumers, streams
from passage.install.provisioning import provision
from passage.printing import err
from passage.running import Running
from services.query.feed.database import open_database
from shared.jetstream.tls import tls_context

ANSWERS_WITHIN_S = 3.0
LEADER_WITHIN_S = 1.0
AGAIN_AFTER_S = 0.5
TOLD_EVERY_S = 10.0
NATS_PORT = 4222
REFUSED = "FATAL"
NOT_YET = ("starting up", "shutting down", "not yet accepting", "in recovery", "too many clients")
SET_RIGHT = (
    "PostgreSQL's container makes database and role, and takes the password, at each start; "
    "`docker compose restart postgres`"
)
LOOK = "its own log says why; `docker compose logs %s`"


async def provisioned(running: Running, update: bool = False) -> list[Provisioned]:
    async with connected(running) as client:
        return await provision(client, running.replicas, update, running.quota)


async def provision_within(seconds: float, running: Running, update: bool) -> list[Provisioned]:
    """Provisions as soon as the servers allow it, and waits for the database.

    Raises VerbEndedError (5), which names what doesn't answer, after `seconds`.
    """
    began = told = time.monotonic()
    while True:
        try:
            async with connected(running, attempts=1) as client:
                await _require_leaders(client)
                done = await provision(client, running.replicas, update, running.quota)
            await asyncio.to_thread(require_database, running)
        except VerbEndedError as error:
            now = time.monotonic()
            if error.code != Exit.UNAVAILABLE:
                raise
            if now - began >= seconds:
                silent = await silent_servers(running)
                raise VerbEndedError(error.code, silent or str(error)) from None
            if now - told >= TOLD_EVERY_S:
                told = now
                err.print(f"waiting: {error}")
            await asyncio.sleep(AGAIN_AFTER_S)
            continue
        if silent := await silent_servers(running):
            err.print(f"{silent}; continuing without it")
        return done


async def _require_leaders(client: Client) -> None:
    """Raises VerbEndedError (5) if an existing stream or consumer has no leader.

    Without a leader, a request about it would get no answer.
    """
    asked = [
        "INFO",
        *(f"{one.kind.upper()}.INFO.{one.path}" for one in (*streams(1), *consumers())),
    ]
    told = await asyncio.gather(*(_is_told(client, one) for one in asked))
    silent = [one for one, is_told in zip(asked, told, strict=True) if not is_told]
    if silent:
        raise VerbEndedError(
            Exit.UNAVAILABLE, f"JetStream has no leader for {silent[0]} and {len(silent) - 1} more"
        )


async def _is_told(client: Client, subject: str) -> bool:
    try:
        await client.request(f"$JS.API.{subject}", b"", timeout=LEADER_WITHIN_S)
    except NatsError:
        return False
    return True


async def silent_servers(running: Running) -> str:
    """One line with each silent nats-server and the reason; empty if all answer."""
    servers = [urlsplit(one.strip()) for one in running.nats.split(",")]
    tls = None if running.ca is None else tls_context(str(running.ca))
    asked = [_problem(one.hostname or "", one.port or NATS_PORT, tls) for one in servers]
    found = list(zip(servers, await asyncio.gather(*asked), strict=True))
    silent = [f"{one.hostname} doesn't answer ({why})" for one, why in found if why]
    first = next((one.hostname for one, why in found if why), None)
    return f"{'; '.join(silent)}: {LOOK % first}" if silent else ""


def require_database(running: Running) -> None:
    """Raises VerbEndedError: 1 if PostgreSQL refuses the log-in, 5 if it doesn't answer yet.

    A SQLite file is made later.
    """
    if running.database.startswith("sqlite"):
        return
    database = open_database(running.database)
    try:
        database.reader.connect().close()
    except SQLAlchemyError as error:
        # The text of a failed connection names host, user, database and reason, no secret.
        said = str(getattr(error, "orig", None) or type(error).__name__).strip().splitlines()[-1]
        if REFUSED in said and not any(one in said for one in NOT_YET):
            raise VerbEndedError(
                Exit.FAILED, f"the database refuses ({said}): {SET_RIGHT}"
            ) from None
        raise VerbEndedError(
            Exit.UNAVAILABLE, f"the database doesn't answer ({said}): {LOOK % 'postgres'}"
        ) from None
    finally:
        database.dispose()


async def _problem(host: str, port: int, tls: ssl.SSLContext | None) -> str:
    try:
        async with asyncio.timeout(ANSWERS_WITHIN_S):
            reader, writer = await asyncio.open_connection(host, port, ssl=tls)
            with closing(writer):
                # The system accepts connections for a hanging process too.
                greeting = await reader.read(1)
    except TimeoutError:
        return "no answer in time, or no such host"
    except ssl.SSLCertVerificationError as error:
        return f"{error.verify_message}; look at the certificates in the key folder, and the clocks"
    except OSError as error:
        # asyncio replaces the system's words by its own.
        return os.strerror(error.errno) if error.errno else type(error).__name__
    return "" if greeting else "it closes the connection without a greeting"
