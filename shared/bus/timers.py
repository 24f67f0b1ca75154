"""Durable timers: set under a name, delivered on `due.<service>.<name>` when due.

The server keeps them (message schedules, NATS ADR-51): they survive every restart, and one that
fell due meanwhile fires once. There is one timer per name; setting it again replaces it. What a
timer means is decided when it fires, on the case as it is then: a moot one records nothing.
"""

import hashlib
from datetime import UTC, datetime, time
from typing import Annotated

from pydantic import Field, ValidationError

from shared import subjects
from shared.events.fields import At, Id
from shared.jetstream.calls import Outgoing, RequestLostError
from shared.jetstream.connection import Connection
from shared.jetstream.stream import Ack, Stream
from shared.parked.parking import Delivery, UnprocessableError
from shared.written.models import Exact

CANCELLED_FOR = "1s"
"""How long a cancelled timer's marker stays in the stream; the server's minimum."""

Kind = Annotated[str, Field(pattern=r"^[a-z_]{1,24}$")]
"""What a timer is for; without dashes, so that kind and `about` stay separable."""

LATEST = datetime(2200, 1, 1, tzinfo=UTC)
"""nats-server counts nanoseconds in 64 bits: it has no timer after 2262."""


class Timer(Exact):
    """`about` is a case's id, or None if there is only one of its kind.

    `due_at` is None for a daily timer.
    """

    kind: Kind
    about: Id | None = None
    due_at: At | None = None

    @property
    def name(self) -> str:
        """Unique: one timer per name."""
        return self.kind if self.about is None else f"{self.kind}-{self.about}"

    @property
    def cause_id(self) -> str:
        """The cause of its events: the same timer fired twice is the same cause."""
        digest = hashlib.sha256(f"{self.name} {self.due_at}".encode()).hexdigest()
        return f"{self.kind}-{digest[:32]}"


class TimerRefusedError(Exception):
    """The server rejects the timer: its stream is missing, or not defined for schedules."""


class Timers:
    """The timers of one service, in its own stream; `timeout_s` is per request.

    All raise LogError if the server doesn't answer.
    """

    def __init__(self, connection: Connection, service: str, timeout_s: float) -> None:
        self._service = service
        name = subjects.timers_stream(service)
        self._stream = Stream(connection, name, timeout_s, 10 * timeout_s)

    def set(self, timer: Timer) -> None:
        """Sets a timer with a `due_at`; the newest of a name counts, a late one fires at once."""
        if timer.due_at is None:
            raise ValueError("a timer that is set once has a due_at")
        # No message id: setting it to A, then B, then A again isn't a repetition. A due time in the
        # log may be later than the server can count.
        at = min(timer.due_at, LATEST)
        self._schedule(timer, f"@at {at.astimezone(UTC).isoformat()}")

    def set_daily(self, kind: str, at: time) -> None:
        """Sets a timer that fires daily at a time in UTC; missed days count as one."""
        self._schedule(Timer(kind=kind), f"{at.second} {at.minute} {at.hour} * * *")

    def cancel(self, timer: Timer) -> None:
        """A timer that already fired may still be delivered."""
        self._publish(timer.name, b"", {"Nats-TTL": CANCELLED_FOR})

    def is_set(self, timer: Timer) -> bool:
        subject = subjects.timer(self._service, timer.name)
        found = self._stream.leader_message(last_by_subj=subject)
        return found is not None and bool(found.body)

    def _schedule(self, timer: Timer, when: str) -> None:
        target = subjects.due(self._service, timer.name)
        headers = {"Nats-Schedule": when, "Nats-Schedule-Target": target}
        self._publish(timer.name, timer.model_dump_json(exclude_none=True).encode(), headers)

    def _publish(self, name: str, body: bytes, headers: dict[str, str]) -> None:
        subject = subjects.timer(self._service, name)

        def attempt(timeout: float) -> Ack:
            ack = self._stream.publish_batch([Outgoing(subject, body, headers)], timeout)
            if ack.transient:
                raise RequestLostError(ack.error_text)
            return ack

        ack = self._stream.retry(attempt, f"setting {subject}")
        if not ack.is_stored:
            raise TimerRefusedError(f"{subject}: {ack.error_text} ({ack.error_code})")


def read_timer(delivery: Delivery) -> Timer:
    """Raises UnprocessableError."""
    try:
        timer = Timer.model_validate_json(delivery.body)
    except ValidationError:
        raise UnprocessableError("wrong_data", "", "a timer, as it was set") from None
    if delivery.subject.rpartition(".")[2] != timer.name:
        raise UnprocessableError("wrong_data", "kind", "the timer that the subject names")
    return timer
