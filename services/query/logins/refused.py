"""Refused attempts, told to desk, which records them and alarms supervisors.

The first of a kind is told at once; while more come, what came meanwhile is told together.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import NamedTuple
from uuid import uuid4

from prometheus_client import Counter as Metric

from services.query.nats_connection import NobodyAnswersError
from shared import subjects
from shared.commands.people import ReportAttempts
from shared.diagnostics.logger import logger
from shared.events.people import Attempted, log_of

TELL_EVERY_S = 10.0
NOBODY = "nobody"
"""In whose log attempts stand that name no account which anybody has."""
TELLER = "query"

Request = Callable[[str, bytes, float], Awaitable[bytes]]


class Attempt(NamedTuple):
    account: str
    kind: Attempted
    why: str


class Refused:
    """On the event loop."""

    def __init__(self, request: Request, counted: Metric) -> None:
        self._request = request
        self._counted = counted
        self._untold: Counter[Attempt] = Counter()
        self._telling: dict[Attempt, asyncio.Task[None]] = {}

    def note(self, kind: Attempted, account: str, why: str) -> None:
        """`account` is empty if nobody has it."""
        attempt = Attempt(account or NOBODY, kind, why)
        self._counted.labels(kind, why).inc()
        logger.warning("login_refused", kind=kind)
        self._untold[attempt] += 1
        if attempt not in self._telling:
            self._telling[attempt] = asyncio.create_task(self._tell(attempt))

    async def _tell(self, attempt: Attempt) -> None:
        try:
            while count := self._untold.pop(attempt, 0):
                if not await self._told(attempt, count):
                    self._untold[attempt] += count
                await asyncio.sleep(TELL_EVERY_S)
        finally:
            del self._telling[attempt]

    async def _told(self, attempt: Attempt, count: int) -> bool:
        command = ReportAttempts(
            command_id=uuid4().hex,
            case_id=log_of(attempt.account),
            by=TELLER,
            kind=attempt.kind,
            why=attempt.why,
            count=count,
        )
        subject = subjects.command("desk", type(command).__name__)
        body = command.model_dump_json(exclude_none=True).encode()
        try:
            await self._request(subject, body, TELL_EVERY_S)
        except NobodyAnswersError:
            return False
        return True

    async def close(self) -> None:
        for task in list(self._telling.values()):
            task.cancel()
