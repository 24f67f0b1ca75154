"""Checks regularly that new data can be stored: at the nats-servers and on this machine's disks.
Problems are in /readyz, on the pages and in the diagnostics."""

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from shared.diagnostics.logger import logger
from shared.jetstream.calls import Outgoing, RequestLostError, RequestRefusedError
from shared.jetstream.connection import Connection
from shared.servers.stores import ANSWERS_WITHIN_S, QUESTIONS, Disk, Refusing, disks_of, read_report

SAY_AGAIN_S = 10.0
"""A full disk may have swallowed the line before."""


class Storing:
    def __init__(self, reports: Callable[[], Iterable[bytes]], folders: Sequence[Path]) -> None:
        self._reports = reports
        self._folders = folders
        self._refusing: list[Refusing] = []
        self._full: list[Disk] = []
        self._is_low = False
        self._said_at: float | None = None

    @property
    def problems(self) -> list[str]:
        return [str(one) for one in (*self._refusing, *self._full)]

    def look(self) -> None:
        """Asks the servers and checks the disks; logs what is wrong."""
        disks = disks_of(self._folders)
        self._full = [one for one in disks if one.is_full]
        self._refusing = [one for body in self._reports() for one in read_report(body)]
        self._tell(time.monotonic())
        low = [one for one in disks if one.is_low]
        if low and not self._is_low:
            logger.warning("disk_low", mib=min(one.free for one in low) // 2**20)
        self._is_low = bool(low)

    def _tell(self, now: float) -> None:
        if not self.problems:
            if self._said_at is not None:
                logger.info("storing_again")
            self._said_at = None
        elif self._said_at is None or now - self._said_at >= SAY_AGAIN_S:
            self._said_at = now
            reason = self._refusing[0].cause if self._refusing else "no_space"
            count, disks = len(self._refusing), len(self._full)
            logger.error("storing_failed", streams=count, disks=disks, reason=reason)


def reports_of(connection: Connection, servers: int) -> list[bytes]:
    """Each nats-server's report; none if none answers, which is reported elsewhere."""
    try:
        return [
            one.body
            for asked in QUESTIONS.items()
            for one in connection.ask_all(Outgoing(*asked), servers, ANSWERS_WITHIN_S)
        ]
    except (RequestLostError, RequestRefusedError):
        return []
