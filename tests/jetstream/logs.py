"""Recorders and invented events for these tests."""

from collections.abc import Mapping
from uuid import UUID, uuid4

from eventsourcing.persistence import StoredEvent
from eventsourcing.utils import Environment

from shared.jetstream import JetStreamApplicationRecorder, JetStreamFactory


def open_log(settings: Mapping[str, str], **more: str) -> JetStreamApplicationRecorder:
    factory = JetStreamFactory(Environment("Test", {**settings, **more}))
    recorder = factory.application_recorder()
    assert isinstance(recorder, JetStreamApplicationRecorder)
    return recorder


def opened(case_id: UUID | None = None, version: int = 1, state: bytes = b"{}") -> StoredEvent:
    return StoredEvent(case_id or uuid4(), version, "CaseOpened", state)


def history(case_id: UUID, first: int, last: int) -> list[StoredEvent]:
    return [opened(case_id, version, b"%d" % version) for version in range(first, last + 1)]


def store_long(recorder: JetStreamApplicationRecorder, case_id: UUID, count: int) -> list[int]:
    sequences: list[int] = []
    for first in range(1, count + 1, 1000):
        events = history(case_id, first, min(first + 999, count))
        sequences += recorder.insert_events(events) or []
    return sequences
