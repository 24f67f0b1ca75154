"""Reads AUDIT: who had what opened, of one case or of all.

Pages newest first cost what they ask for, however long the stream is. JetStream reads only
forwards, so such a page is read in windows of sequences from its upper end down. A window with more
than one batch, which the server ends by count or by bytes, is halved and read again.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from pydantic import ValidationError

from shared import subjects
from shared.jetstream.stored import StoredMessage
from shared.jetstream.stream import Page, Stream
from shared.keys.access import MANY, AccessRecord

PAGE_MESSAGES = 200

_Read = Callable[[int, int], Page]
"""(most messages, first sequence)."""


class AccessPage(NamedTuple):
    """Records of access, newest first, and notes about the page."""

    records: list[AccessRecord]
    unreadable: int
    following: int | None
    """The sequence at which the next page begins; None if there is nothing older."""
    cut_day: str | None
    """The day (UTC) of which this page has only a part, being longer than a page."""


class Accesses(NamedTuple):
    """Records of access, oldest first; `unreadable` is how many can't be read."""

    records: list[AccessRecord]
    unreadable: int


class _Opening(NamedTuple):
    sequence: int
    record: AccessRecord | None


def accesses_of(audit: Stream, case_id: str) -> Accesses:
    """Raises LogError."""
    read = [_record(one) for page in _pages_of(audit, case_id) for one in _messages(page)]
    there = sorted((one for one in read if one is not None), key=lambda one: one.at)
    records = [one for one in there if case_id in one.case_ids]
    return Accesses(records, len(read) - len(there))


def newest_accesses(
    audit: Stream, case_id: str | None, begin: int | None, limit: int
) -> AccessPage:
    """At most `limit` records up to the sequence `begin`, of a case or of all.

    A day that doesn't fit is left to the next page, where its counts are whole. Raises LogError.
    """
    last = audit.last_sequence()
    begin = last if begin is None else min(begin, last)
    reads = [audit.read_from] if case_id is None else _pages_of(audit, case_id)
    found = [one for read in reads for one in _newest(read, begin, limit + 1)]
    found.sort(key=lambda one: one.sequence, reverse=True)
    page = [_Opening(one.sequence, _record(one)) for one in found[:limit]]
    if len(found) <= limit:
        return _of_case(page, case_id, None, None)
    held_back = _last_day(page)
    if held_back is None:
        return _of_case(page, case_id, found[limit].sequence, _oldest_day(page))
    whole = [one for one in page if one.sequence > held_back]
    return _of_case(whole, case_id, held_back, None)


def _pages_of(audit: Stream, case_id: str) -> list[_Read]:
    """Read the case's subject, and the one for many cases at once."""
    names = (subjects.audit(case_id), subjects.audit(MANY))
    return [partial(audit.read_subject, name) for name in names]


def _messages(read: _Read) -> Iterator[StoredMessage]:
    sequence = 1
    while True:
        page = read(sequence, PAGE_MESSAGES)
        yield from page.messages
        if page.is_last or not page.messages:
            return
        sequence = page.messages[-1].sequence + 1


def _newest(read: _Read, begin: int, limit: int) -> list[StoredMessage]:
    """At most `limit` messages up to a sequence, newest first."""
    found: list[StoredMessage] = []
    top, size = begin, min(PAGE_MESSAGES, limit)
    while top > 0 and len(found) < limit:
        size = min(size, top)
        batch = min(PAGE_MESSAGES, size)
        page = read(top - size + 1, batch)
        if page.messages and not page.is_last and page.messages[-1].sequence < top:
            size //= 2
            continue
        within = [one for one in page.messages if one.sequence <= top]
        found += reversed(within)
        top -= size
        if 2 * len(within) < batch:
            size *= 2
    return found[:limit]


def _record(message: StoredMessage) -> AccessRecord | None:
    try:
        return AccessRecord.model_validate_json(message.body)
    except ValidationError:
        return None


def _day(opening: _Opening) -> str | None:
    return opening.record.at.date().isoformat() if opening.record is not None else None


def _oldest_day(page: list[_Opening]) -> str | None:
    return min((day for one in page if (day := _day(one)) is not None), default=None)


def _last_day(page: list[_Opening]) -> int | None:
    """Where the oldest day of a page begins, from above; None if it has only one day."""
    days = [(day, one.sequence) for one in page if (day := _day(one)) is not None]
    oldest = _oldest_day(page)
    newest_of_it = max((sequence for day, sequence in days if day == oldest), default=None)
    # By sequence, so nothing is lost or repeated if clocks differ around midnight.
    if newest_of_it is None or not any(sequence > newest_of_it for _, sequence in days):
        return None
    return newest_of_it


def _of_case(
    page: list[_Opening], case_id: str | None, following: int | None, cut_day: str | None
) -> AccessPage:
    records = [one.record for one in page if one.record is not None]
    return AccessPage(
        [one for one in records if case_id is None or case_id in one.case_ids],
        len(page) - len(records),
        following,
        cut_day,
    )
