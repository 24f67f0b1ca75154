"""Makes a denied publish or request fail at once, rather than wait in vain for its answer."""

import asyncio
import re
from collections.abc import Awaitable
from typing import TypeVar

REFUSED = re.compile(r'permissions violation for publish to "([^"]+)"', re.IGNORECASE)

T = TypeVar("T")


class DeniedError(Exception):
    """The server refused: this identity may not publish to the subject."""


class Denials:
    """The requests under way on one connection, by subject."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[asyncio.Future[None]]] = {}

    def note(self, error: Exception) -> bool:
        """Handles an error of the connection; returns whether it was a refusal."""
        found = REFUSED.search(str(error))
        if found is None:
            return False
        # nats-py has lower-cased the server's text.
        for refused in self._waiting.get(found[1].lower(), ()):
            if not refused.done():
                refused.set_result(None)
        return True

    async def unless_denied(self, subject: str, answer: Awaitable[T]) -> T:
        """Awaits `answer`. Raises DeniedError as soon as the subject is refused."""
        refused: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = self._waiting.setdefault(subject.lower(), [])
        waiting.append(refused)
        task = asyncio.ensure_future(answer)
        try:
            await asyncio.wait((task, refused), return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            raise DeniedError(f"this process's identity may not publish to {subject}")
        finally:
            task.cancel()
            waiting.remove(refused)
            if not waiting:
                self._waiting.pop(subject.lower(), None)
