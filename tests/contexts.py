"""Services' handlers without a server: a log in memory, and what is delivered, asked and opened."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import Any, TypeVar
from uuid import uuid4

import pytest
from nacl.public import PrivateKey
from typing_extensions import override

from services.keyholder.holder import Holder
from services.keyholder.ring import KeyRing
from services.keyholder.secrets import Secrets
from shared import subjects
from shared.bus.timers import Timer, Timers
from shared.commands.base import Command, Decision
from shared.events.base import Event
from shared.events.signatures import Signature
from shared.jetstream.buckets import Bucket, BucketEntry, Change, TakenError
from shared.keys.access import AccessRecord, Spotted
from shared.log.case_log import CaseLog, Fold
from shared.log.transact import Cause, Writer, transact
from shared.parked.parking import Delivery
from shared.refusals import RefusedError
from shared.skeleton.service import Context
from tests.examples import CASE, NOON

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)


class MemoryBucket(Bucket):
    """A bucket in memory that keeps the promises services rely on: a key is created once, and
    changed only by who read its newest value."""

    def __init__(self) -> None:
        self.kept: dict[str, BucketEntry] = {}
        self._revision = 0
        self._lock = threading.Lock()

    @override
    def get_all(self, keys: Sequence[str]) -> list[BucketEntry | None]:
        found = [self.kept.get(key) for key in keys]
        return [one if one is not None and one.value else None for one in found]

    @override
    def there(self, keys: Sequence[str]) -> set[str]:
        return self.kept.keys() & set(keys)

    @override
    def create(self, key: str, value: bytes) -> int:
        with self._lock:
            if key in self.kept:
                raise TakenError(key)
            return self._put(key, value)

    @override
    def change(self, changes: Sequence[Change]) -> list[int]:
        with self._lock:
            if any(self.kept[one.key].revision != one.revision for one in changes):
                raise TakenError(f"{len(changes)} keys")
            return [self._put(one.key, one.value) for one in changes]

    @override
    def entries(self) -> Iterator[tuple[str, BucketEntry]]:
        left = [(key, one) for key, one in self.kept.items() if one.value]
        yield from sorted(left, key=lambda entry: entry[1].revision)

    def _put(self, key: str, value: bytes) -> int:
        self._revision += 1
        self.kept[key] = BucketEntry(value, self._revision)
        return self._revision


def secrets() -> Secrets:
    return Secrets({1: b"k" * 32}, {1: b"p" * 32}, PrivateKey(b"i" * 32))


def key_holder(bucket: Bucket | None = None) -> Holder:
    return Holder(KeyRing(bucket or MemoryBucket(), secrets()))


def record(
    writer: Writer,
    *events: Event,
    case_id: str = CASE,
    at: datetime = NOW,
    source: str = "/services/story",
    causation_id: str | None = None,
    signatures: tuple[Signature, ...] = (),
) -> None:
    for event in events:
        cause = Cause(
            *(causation_id or uuid4().hex, "story", "operator:Olena Example", source, at),
            signed=lambda: signatures,
        )
        transact(writer, case_id, cause, partial(_only, event))


def _only(event: Event, _state: object) -> list[Event]:
    return [event]


def context_for(service: str, fold: Fold[Any], now: datetime = NOW) -> Context:
    log: CaseLog[Any] = CaseLog(fold, {"PERSISTENCE_MODULE": "eventsourcing.popo"})
    return Context(service, Writer(log, key_holder()), lambda: now)


def delivered(
    subject: str, body: bytes, stream: str = subjects.CASES, sequence: int = 1
) -> Delivery:
    return Delivery(stream=stream, sequence=sequence, subject=subject, body=body, deliveries=1)


def takes(pattern: str, subject: str) -> bool:
    """Whether a subject is one of a consumer's that filters by a pattern."""
    wanted, given = pattern.split("."), subject.split(".")
    if wanted[-1] == ">" and len(given) >= len(wanted):
        wanted, given = wanted[:-1], given[: len(wanted) - 1]
    pairs = zip(wanted, given, strict=False)
    return len(wanted) == len(given) and all(one in {"*", other} for one, other in pairs)


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
        """What is due, as it is delivered; it is set no longer."""
        fired = [one for one in self.set_now.values() if one.due_at and one.due_at <= now]
        for timer in fired:
            del self.set_now[timer.name]
        return [fire(service, timer) for timer in fired]


def fire(service: str, timer: Timer) -> Delivery:
    body = timer.model_dump_json(exclude_none=True).encode()
    return delivered(subjects.due(service, timer.name), body, subjects.timers_stream(service))


CommandT = TypeVar("CommandT", bound=Command)

OLENA = "Olena Example"
PETRO = "Petro Example"


def ask(command_type: type[CommandT], /, by: str = OLENA, **fields: Any) -> CommandT:
    who: dict[str, Any] = {"command_id": "cmd-1", "case_id": CASE, "by": by}
    if issubclass(command_type, Decision):
        who["seen_version"] = 0
    return command_type.model_validate({**who, **fields})


def refused_by(guard: str, decide: Callable[..., Any], *arguments: Any) -> None:
    with pytest.raises(RefusedError) as refused:
        decide(*arguments)
    assert refused.value.guard.name == guard


def access_record(
    *case_ids: str, hours: float = 0, by: str = "Olena Example", service: str = "query"
) -> AccessRecord:
    """Who opened where these men are, so many hours after noon."""
    return AccessRecord(
        access_id=f"{by.partition(' ')[0]}-{hours}",
        at=NOON + timedelta(hours=hours),
        by=by,
        service=service,
        purpose="he is on the line",
        values=tuple(
            Spotted(case_id=one, version=4, type_name="PersonalDataProvided", field="identity")
            for one in case_ids
        ),
    )
