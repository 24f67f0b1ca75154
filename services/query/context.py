"""What requests are answered with: everything that `main` wires, in one place."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from services.query.feed.generations import Generations
from services.query.feed.metrics import Metrics
from services.query.feed.progress import Progress
from services.query.logins.known import Logins
from services.query.logins.refused import Refused
from services.query.logins.tries import Tries
from services.query.logins.ways import Ways
from services.query.nats_connection import NatsConnection
from services.query.reads.accesses import Accesses, AccessPage
from services.query.reads.cases import Reads
from services.query.reads.name_search import Names
from services.query.recorder import Log
from services.query.storing import Storing
from shared.keys.client import Keys
from shared.parked.messages import WaitingPage
from shared.parked.parking import Parked
from shared.settings import Settings


@dataclass(frozen=True)
class Context:
    settings: Settings
    version: str
    generations: Generations
    reads: Reads
    progress: Progress
    metrics: Metrics
    nats: NatsConnection
    logins: Logins
    ways: Ways
    tries: Tries
    refused: Refused
    log: Log
    keys: Keys
    names: Names
    storing: Storing
    accesses: Callable[[str], Accesses]
    newest_accesses: Callable[[str | None, int | None, int], AccessPage]
    """(case_id or None for all, up to this AUDIT sequence, limit)."""
    parked_page: Callable[[int, int, str | None], WaitingPage]
    """(after this PARKED sequence, limit, only of this stream)."""
    parked_at: Callable[[int], Parked | None]

    def behind(self) -> list[str]:
        """The pages' notice while an older read model is served."""
        if not self.generations.rebuilding:
            return []
        far = self.progress.catching_up.said(time.monotonic())
        return [
            f"what is shown ends at sequence {self.progress.sequence}: a new read model is being "
            f"built, {far}"
        ]

    def not_ready_because(self) -> list[str]:
        """What is missing; empty when query is fully working."""
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


async def _of_request(request: Request) -> Context:
    context: Context = request.app.state.context
    return context


AppContext = Annotated[Context, Depends(_of_request)]
"""What a route is answered with: the context of the app that it is asked through."""
