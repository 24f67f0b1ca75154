"""The log for verbs that also work on a stopped system: they start a nats-server of their own."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from passage.connecting import connected
from passage.exits import Exit, VerbEndedError
from passage.folders import Folders, folders_of, is_held, locked
from passage.install.identities import FOLDER as SEEDS
from passage.install.installation import accounts_of
from passage.runner.health import answers
from passage.runner.nats_server import NatsServer, NatsServerError
from passage.running import (
    NATS_URL_VARIABLE,
    Running,
    find_running,
    settings_of_environment,
    stopped,
)
from services import handover, intake, verification, witness

WRITERS = (intake.SERVICE, verification.SERVICE, handover.SERVICE, witness.SERVICE)
"""The services that must not run while the log is replaced."""


@contextmanager
def log_of(data_dir: Path) -> Iterator[Running]:
    """The running system; else holds the data folder and starts nats-server alone on it.

    Raises VerbEndedError if neither is possible.
    """
    folders = folders_of(data_dir)
    in_use = is_held(folders.data) or NATS_URL_VARIABLE in os.environ
    if in_use or not folders.data.is_dir():
        yield find_running(data_dir)
        return
    with stopped_log_of(folders) as running:
        yield running


@contextmanager
def stopped_log_of(folders: Folders) -> Iterator[Running]:
    """Runs nats-server on a data folder that nobody uses, for the length of the block."""
    with locked(folders):
        accounts = accounts_of(folders.keys) if (folders.keys / SEEDS).is_dir() else ""
        server = NatsServer(data_dir=folders.nats, extra_config=accounts)
        try:
            server.start(settings_of_environment().stuck_after_s)
        except NatsServerError as error:
            raise VerbEndedError(Exit.FAILED, str(error)) from None
        try:
            yield stopped(folders, server.url)
        finally:
            server.stop()


@contextmanager
def quiet_log_of(data_dir: Path) -> Iterator[Running]:
    """As `log_of`, of a system without services. Raises VerbEndedError (1) if any runs."""
    if is_held(folders_of(data_dir).data):
        raise VerbEndedError(
            Exit.FAILED, f"`passage up` is running on {data_dir}; stop it, then try again"
        )
    with log_of(data_dir) as running:
        found = asyncio.run(_services_of(running))
        if found:
            raise VerbEndedError(
                Exit.FAILED, f"services are running: {', '.join(found)}; stop them, then try again"
            )
        yield running


async def _services_of(running: Running) -> list[str]:
    async with connected(running) as client:
        return [name for name in WRITERS if await answers(client, name, ready=False)]
