"""Whether new messages can be stored: by the nats-servers, and on this machine's disks.

The keeper asks the servers; the runner watches both.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nats.aio.client import Client
from nats.errors import Error as NatsError

from passage.connecting import connected
from passage.exits import VerbEndedError
from passage.folders import FILE_MODE, Folders, is_held
from passage.printing import err
from passage.runner.health import READY
from passage.running import Running
from shared.servers.stores import (
    ANSWERS_WITHIN_S,
    LIMIT,
    QUESTIONS,
    Disk,
    Refusing,
    disks_of,
    read_report,
)

LOOK_EVERY_S = 2.0
RESTART_AGAIN_AFTER_S = 60.0
"""The pause before the next restart, if one didn't help."""
RESERVE_NAME = "reserve"
RESERVE_BYTES = 1_048_576


async def refusing_of(client: Client, servers: int) -> list[Refusing]:
    """What the nats-servers no longer write; empty if none answers."""
    inbox = client.new_inbox()
    subscription = await client.subscribe(inbox)
    found: list[Refusing] = []
    until = time.monotonic() + ANSWERS_WITHIN_S
    try:
        for subject, question in QUESTIONS.items():
            await client.publish(subject, question, reply=inbox)
        for _ in range(servers * len(QUESTIONS)):
            answer = await subscription.next_msg(timeout=max(0.01, until - time.monotonic()))
            found += read_report(answer.data)
    except NatsError:
        return found  # The other servers are down, which is reported elsewhere.
    finally:
        with contextlib.suppress(NatsError):
            await subscription.unsubscribe()
    return found


def folders_stored_in(folders: Folders, witnesses: Sequence[Path]) -> tuple[Path, ...]:
    """The folders whose disks must have space left."""
    return (folders.data, folders.nats, folders.logs, *(one.parent for one in witnesses))


async def storing_state(running: Running, folders: Folders) -> str:
    """What can't be stored: by the nats-servers, and on the disks if they are on this machine."""
    async with connected(running) as client:
        refusing = await refusing_of(client, len(running.nats.split(",")))
    here = folders_stored_in(folders, running.witnesses) if is_held(folders.data) else ()
    found: list[Refusing | Disk] = [*refusing, *(one for one in disks_of(here) if one.is_full)]
    return "; ".join(map(str, found)) or READY


@dataclass
class StoreWatch:
    """Watches the runner's nats-server and disks; prints every change on the terminal."""

    folders: tuple[Path, ...]
    logs: Path
    running: Callable[[], Running]
    refusing: list[Refusing] = field(default_factory=list)
    full: list[Disk] = field(default_factory=list)
    _low: bool = False
    _said: tuple[str, ...] = ()
    _restart_at: float = 0.0

    async def run(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        disks = disks_of(self.folders)
        self.full = [one for one in disks if one.is_full]
        self._keep_reserve()
        try:
            async with connected(self.running()) as client:
                self.refusing = await refusing_of(client, servers=1)
        except (VerbEndedError, NatsError, OSError):
            self.refusing = []  # It isn't running; the supervisor handles that.
        self._tell(disks)

    def must_restart(self, now: float) -> bool:
        """Whether nats-server refuses to write although there is space; true once a minute."""
        helps = any(one.cause != LIMIT for one in self.refusing)
        if not helps or self.full or now < self._restart_at:
            return False
        self._restart_at = now + RESTART_AGAIN_AFTER_S
        return True

    def _tell(self, disks: Sequence[Disk]) -> None:
        # The space left on a full disk keeps changing, which isn't news.
        found = tuple(map(str, self.refusing)) + tuple(str(one.folder) for one in self.full)
        if found != self._said:
            self._said = found
            for one in (*self.refusing, *self.full):
                err.print(f"{one}")
            if self.full:
                err.print("make room; until then, senders keep what is refused")
            if not found:
                err.print("everything can be stored again")
        is_low = any(one.is_low for one in disks)
        if is_low and not self._low and not self.full:
            err.print("; ".join(str(one) for one in disks if one.is_low))
        self._low = is_low

    def _keep_reserve(self) -> None:
        """Reserves some space for the log lines that say the disk is full."""
        path = self.logs / RESERVE_NAME
        with contextlib.suppress(OSError):
            if self.full:
                path.unlink(missing_ok=True)
            elif not path.exists():
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, FILE_MODE)
                try:
                    os.posix_fallocate(descriptor, 0, RESERVE_BYTES)
                finally:
                    os.close(descriptor)
