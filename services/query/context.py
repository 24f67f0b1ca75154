"""What a request is answered with: everything that `main` puts together, in one place."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from services.query.feed.generations import Generations
from services.query.feed.metrics import Metrics
from services.query.feed.progress import Progress
from services.query.nats_connection import NatsConnection
from services.query.reads.access_pages import AccessPage
from services.query.reads.accesses import Accesses
from services.query.reads.cases import Reads
from services.query.reads.name_search import Names
from services.query.recorder import Log
from services.query.storing import Storing
from shared.keys.client import Keys
from shared.parked.messages import WaitingPage
from shared.parked.parking import Parked
from shared.refusals import Supervisors
from shared.settings import Settings


@dataclass(frozen=True)
class Context:
    """The parts of a running query service that routes use."""

    settings: Settings
    version: str
    generations: Generations
    reads: Reads
    progress: Progress
    metrics: Metrics
    nats: NatsConnection
    open_log: Callable[[], Log]
    keys: Keys
    names: Names
    storing: Storing
    accesses: Callable[[str], Accesses]
    newest_accesses: Callable[[str | None, int | None, int], AccessPage]
    """Of a case or of all, up to a sequence of AUDIT, at most so many."""
    parked_page: Callable[[int, int], WaitingPage]
    """After a sequence of PARKED, at most so many."""
    parked_at: Callable[[int], Parked | None]

    def is_supervisor(self, person: str | None) -> bool:
        """Whether somebody is named as a supervisor; where none is named, anybody is."""
        return person is not None and Supervisors(self.settings.supervisor_names).let(person)

    async def parked(self) -> int | None:
        """How many messages wait for a person, or None where the server doesn't say."""
        return await self.nats.parked_waiting()

    def behind(self) -> list[str]:
        """What the pages say of what is shown while an older read model is served."""
        if not self.generations.rebuilding:
            return []
        far = self.progress.catching_up.said(time.monotonic())
        return [
            f"what is shown ends at sequence {self.progress.sequence}: a new read model is being "
            f"built, {far}"
        ]

    def not_ready_because(self) -> list[str]:
        """What is missing; empty when query does all that it is for."""
        progress, reasons = self.progress, []
        if progress.stopped is not None:
            reasons.append(f"the projection stopped: {progress.stopped}")
        if progress.failing is not None:
            reasons.append(f"the projection is retrying after {progress.failing}")
        if not progress.caught_up and not self.generations.rebuilding:
            far = progress.catching_up.said(time.monotonic())
            reasons.append(f"the read model is being built, and shows what it has: {far}")
        if not self.nats.connected:
            reasons.append("the messaging server is not reachable")
        return reasons + self.storing.problems
