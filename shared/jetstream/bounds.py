"""Bounds on an originator's events: by version, stream sequence or time."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from eventsourcing.persistence import ProgrammingError

MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Versions above `gt` up to `lte`, stored after a sequence, up to a sequence or a time.

    `ProgrammingError` for both upper bounds of storing, or for a time without a zone.
    """

    gt: int | None = None
    lte: int | None = None
    after_sequence: int | None = None
    up_to_sequence: int | None = None
    up_to_time: datetime | None = None

    def __post_init__(self) -> None:
        if self.up_to_sequence is not None and self.up_to_time is not None:
            raise ProgrammingError("give up_to_sequence or up_to_time, not both")
        if self.up_to_time is not None and self.up_to_time.tzinfo is None:
            raise ProgrammingError("up_to_time lacks a time zone")

    @property
    def lowest(self) -> int:
        return 0 if self.gt is None else self.gt + 1

    @property
    def leave_nothing(self) -> bool:
        """Whether nothing can match; the server takes sequence 0 for no bound."""
        lowest_sequence = (self.after_sequence or 0) + 1
        return (self.lte is not None and self.lte < self.lowest) or (
            self.up_to_sequence is not None and self.up_to_sequence < lowest_sequence
        )

    @property
    def look_back(self) -> bool:
        """Whether events as of some past moment are wanted."""
        return self.up_to_sequence is not None or self.up_to_time is not None

    @property
    def sequence_limits(self) -> dict[str, int | str]:
        """The bounds of storing under the names of the server's request."""
        limits: dict[str, int | str] = {}
        if self.after_sequence is not None:
            limits["seq"] = self.after_sequence + 1
        if self.up_to_sequence is not None:
            limits["up_to_seq"] = self.up_to_sequence
        if self.up_to_time is not None:
            # The server counts nanoseconds and `recorded_at` is cut to microseconds, so the bound
            # is the end of the microsecond: an event is in the past of its own time.
            utc = (self.up_to_time.astimezone(UTC) + MICROSECOND).replace(tzinfo=None)
            limits["up_to_time"] = f"{utc.isoformat(timespec='microseconds')}Z"
        return limits
