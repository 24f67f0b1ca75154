"""The part of `shared.jetstream`'s recorder that query uses."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, Self
from uuid import UUID


class RecordedEvent(Protocol):
    @property
    def id(self) -> int: ...
    @property
    def originator_id(self) -> UUID | str: ...
    @property
    def originator_version(self) -> int: ...
    @property
    def topic(self) -> str: ...
    @property
    def state(self) -> bytes: ...
    @property
    def recorded_at(self) -> datetime: ...


class Subscription(Protocol):
    """The log from one sequence on, in order."""

    def next_batch(self, max_events: int, timeout: float) -> Sequence[RecordedEvent]: ...
    def stop(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *args: object, **kwargs: object) -> None: ...


class Log(Protocol):
    def subscribe(self, gt: int | None = None) -> Subscription: ...
    def max_notification_id(self) -> int | None: ...
    def select_notifications(
        self, start: int | None, limit: int, *, inclusive_of_start: bool = True
    ) -> Sequence[RecordedEvent]: ...
    def select_events(
        self,
        originator_id: str,
        *,
        lte: int | None = None,
        up_to_sequence: int | None = None,
        up_to_time: datetime | None = None,
    ) -> Sequence[RecordedEvent]: ...
