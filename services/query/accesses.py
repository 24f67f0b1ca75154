"""Reads from AUDIT who had personal values of a case opened."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pydantic import ValidationError

from shared import subjects
from shared.access import MANY, AccessRecord
from shared.jetstream.stream import Stream

PAGE_MESSAGES = 200


class Accesses(NamedTuple):
    """The records that name a case, the oldest first; `unreadable` is how many can't be read."""

    records: list[AccessRecord]
    unreadable: int


def accesses_of(audit: Stream, case_id: str) -> Accesses:
    """Gives who opened what of a case. Raises LogError."""
    records: list[AccessRecord] = []
    unreadable = 0
    for subject in (subjects.audit(case_id), subjects.audit(MANY)):
        for body in _bodies(audit, subject):
            try:
                record = AccessRecord.model_validate_json(body)
            except ValidationError:
                unreadable += 1
                continue
            if case_id in record.case_ids:
                records.append(record)
    return Accesses(sorted(records, key=lambda one: one.at), unreadable)


def _bodies(audit: Stream, subject: str) -> Iterator[bytes]:
    sequence = 1
    while True:
        page = audit.read_subject(subject, sequence, PAGE_MESSAGES)
        yield from (message.body for message in page.messages)
        if page.is_last or not page.messages:
            return
        sequence = page.messages[-1].sequence + 1
