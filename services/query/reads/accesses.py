"""Reads from AUDIT who had personal values of a case opened."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain
from typing import NamedTuple

from pydantic import ValidationError

from shared import subjects
from shared.jetstream.stream import Page, Stream
from shared.keys.access import MANY, AccessRecord

PAGE_MESSAGES = 200


class Accesses(NamedTuple):
    """Records of access, oldest first; `unreadable` is how many can't be read."""

    records: list[AccessRecord]
    unreadable: int


def accesses_of(audit: Stream, case_id: str) -> Accesses:
    """Raises LogError."""
    pages = [
        partial(audit.read_subject, subject)
        for subject in (subjects.audit(case_id), subjects.audit(MANY))
    ]
    found = _read(chain.from_iterable(map(_bodies, pages)))
    return found._replace(records=[one for one in found.records if case_id in one.case_ids])


def _read(bodies: Iterable[bytes]) -> Accesses:
    records: list[AccessRecord] = []
    unreadable = 0
    for body in bodies:
        try:
            records.append(AccessRecord.model_validate_json(body))
        except ValidationError:
            unreadable += 1
    return Accesses(sorted(records, key=lambda one: one.at), unreadable)


def _bodies(read_page: Callable[[int, int], Page]) -> Iterator[bytes]:
    sequence = 1
    while True:
        page = read_page(sequence, PAGE_MESSAGES)
        yield from (message.body for message in page.messages)
        if page.is_last or not page.messages:
            return
        sequence = page.messages[-1].sequence + 1
