"""Whether what comes can be stored, as the keeper sees it: asked of the nats-servers, looked up on
this machine's disks, and watched by the runner.
"""

from __future__ import annotations

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
from passage.folders import Folders
from passage.printing import err
from passage.running import Running
from shared.stores import ANSWERS_WITHIN_S, LIMIT, QUESTIONS, Disk, Refusing, disks_of, read_report

LOOK_EVERY_S = 2.0
RESTART_AGAIN_AFTER_S = 60.0
"""Where a new start didn't help, the next one is tried so much later."""
RESERVE_NAME = "reserve"
RESERVE_BYTES = 1_048_576
FILE_MODE = 0o600


async def refusing_of(client: Client, servers: int) -> list[Refusing]:
    """What the nats-servers don't write any more; nothing where none says."""
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
        return found  # The others are away, which is said elsewhere.
    finally:
        with contextlib.suppress(NatsError):
            await subscription.unsubscribe()
    return found


def folders_stored_in(folders: Folders, witnesses: Sequence[Path]) -> tuple[Path, ...]:
    """The folders of a system whose disks must have room."""
    return (folders.data, folders.nats, folders.logs, *(one.parent for one in witnesses))


@dataclass
class StoreWatch:
    """The runner's look at its nats-server and disks; says on the terminal what changes."""

    folders: tuple[Path, ...]
    logs: Path
    running: Callable[[], Running]
    refusing: list[Refusing] = field(default_factory=list)
    full: list[Disk] = field(default_factory=list)
    _low: bool = False
    _said: tuple[str, ...] = ()
    _restart_at: float = 0.0

    async def run(self) -> None:
        """Looks until it is cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Looks once."""
        disks = disks_of(self.folders)
        self.full = [one for one in disks if one.is_full]
        self._keep_reserve()
        try:
            async with connected(self.running()) as client:
                self.refusing = await refusing_of(client, servers=1)
        except (VerbEndedError, NatsError, OSError):
            self.refusing = []  # It doesn't run; whoever started it sees to that.
        self._tell(disks)

    def must_restart(self, now: float) -> bool:
        """Whether nats-server refuses to write what there is room for; true once a minute."""
        helps = any(one.cause != LIMIT for one in self.refusing)
        if not helps or self.full or now < self._restart_at:
            return False
        self._restart_at = now + RESTART_AGAIN_AFTER_S
        return True

    def _tell(self, disks: Sequence[Disk]) -> None:
        # How much is left of a full disk changes all the time, and says nothing new.
        found = tuple(map(str, self.refusing)) + tuple(str(one.folder) for one in self.full)
        if found != self._said:
            self._said = found
            for one in (*self.refusing, *self.full):
                err.print(f"{one}")
            if self.full:
                err.print("make room; what is refused meanwhile stays with who sent it")
            if not found:
                err.print("everything can be stored again")
        is_low = any(one.is_low for one in disks)
        if is_low and not self._low and not self.full:
            err.print("; ".join(str(one) for one in disks if one.is_low))
        self._low = is_low

    def _keep_reserve(self) -> None:
        """Keeps some room for the lines that say that there is no room."""
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
