"""Pending requests and their replies, as plain bytes."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import NamedTuple

from nats.errors import Error as NatsError
from nats.errors import MaxPayloadError

STATUS_AT = len(b"NATS/1.0")


class RequestLostError(Exception):
    """No answer came: timeout or lost connection. What was sent may still take effect."""


class RequestRefusedError(Exception):
    """The server or the client refused to send it; it has no effect."""


class Reply(NamedTuple):
    """A message to our inbox as it came: `headers` with the NATS/1.0 line, or empty."""

    reply_to: bytes
    headers: bytes
    body: bytes

    @property
    def status(self) -> int:
        """The status in the header line (204 end, 404 nothing, 503 nobody there); 0 if none."""
        if self.headers[STATUS_AT : STATUS_AT + 1] != b" ":
            return 0
        return int(self.headers[STATUS_AT + 1 : STATUS_AT + 4])

    @property
    def status_text(self) -> str:
        line = self.headers.partition(b"\r\n")[0]
        return line[STATUS_AT + 1 :].decode(errors="replace")


@dataclass(frozen=True, slots=True)
class Outgoing:
    subject: str
    body: bytes
    headers: dict[str, str] | None = None


class Call:
    """A request under way; `many` takes replies until one carries a status.

    `subjects` are those of all that was sent; the last one asks for the reply.
    """

    def __init__(self, subjects: Sequence[str], token: bytes, *, many: bool) -> None:
        self.subject = subjects[-1]
        self.token = token
        self.sends_to = {subject.lower() for subject in subjects}
        self._many = many
        self._replies: list[Reply] = []
        self._expected = 0
        self._outcome: SimpleQueue[Exception | None] = SimpleQueue()

    def add(self, reply: Reply) -> None:
        self._replies.append(reply)
        if not self._many or reply.status or len(self._replies) == self._expected:
            self._outcome.put(None)

    def fail(self, error: Exception) -> None:
        self._outcome.put(error)

    def not_sent(self, error: NatsError) -> None:
        """Fail as refused if it is too large, however often it is sent."""
        text = f"not sent on {self.subject}: {error}"
        is_too_large = isinstance(error, MaxPayloadError)
        self.fail(RequestRefusedError(text) if is_too_large else RequestLostError(text))

    def gather(self, expected: int, timeout: float) -> list[Reply]:
        """The first `expected` replies without a status, or those that came in time."""
        self._expected = expected
        if len(self._replies) < expected:
            with contextlib.suppress(RequestLostError):
                self.wait(timeout)
        return [reply for reply in self._replies if not reply.status]

    def wait(self, timeout: float) -> list[Reply]:
        try:
            error = self._outcome.get(timeout=max(timeout, 0.0))
        except Empty:
            raise RequestLostError(f"no answer on {self.subject} in {timeout:.3f} s") from None
        if error is not None:
            raise error
        # A cluster may answer one request twice, e.g. for a stream that exists already.
        return self._replies if self._many else self._replies[:1]
