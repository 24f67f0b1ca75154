"""Messages as a consumer hands them over, and timers in memory, which a test fires itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any

from typing_extensions import override

from shared import subjects
from shared.bus.timers import Timer, Timers
from shared.log.case_log import CaseLog
from shared.parked.parking import Delivery


def delivered(
    subject: str, body: bytes, stream: str = subjects.CASES, sequence: int = 1
) -> Delivery:
    return Delivery(stream=stream, sequence=sequence, subject=subject, body=body, deliveries=1)


def delivered_call(body: bytes, channel: str = "phone", sequence: int = 1) -> Delivery:
    return delivered(f"calls.{channel}", body, f"CALLS_{channel}", sequence)


def events_of(log: CaseLog[Any], case_id: str) -> list[Delivery]:
    """What a log in memory holds of a case, as CASES delivers it."""
    prefix = f"{subjects.CASES_PREFIX}.{case_id}"
    return [
        delivered(f"{prefix}.{one.originator_version}.{one.topic}", one.state)
        for one in log.recorder.select_events(case_id)
    ]


@dataclass
class MemoryTimers(Timers):
    """Keeps the promise that services rely on: one timer a name, the newest counts."""

    set_now: dict[str, Timer] = field(default_factory=dict)

    @override
    def set(self, timer: Timer) -> None:
        self.set_now[timer.name] = timer

    @override
    def set_daily(self, kind: str, at: time) -> None:
        self.set_now[kind] = Timer(kind=kind)

    @override
    def cancel(self, timer: Timer) -> None:
        self.set_now.pop(timer.name, None)

    @override
    def is_set(self, timer: Timer) -> bool:
        return timer.name in self.set_now

    def due(self, service: str, now: datetime) -> list[Delivery]:
        """Takes what is due and gives it as it is delivered."""
        fired = [one for one in self.set_now.values() if one.due_at and one.due_at <= now]
        for timer in fired:
            del self.set_now[timer.name]
        return [fire(service, timer) for timer in fired]


def fire(service: str, timer: Timer) -> Delivery:
    body = timer.model_dump_json(exclude_none=True).encode()
    return delivered(subjects.due(service, timer.name), body, subjects.timers_stream(service))
