"""The case that a caller's address leads to; its number may belong to several men.

caller.<key>    the first case of an address, or of a number that may be several
maybe.<key>     the case that such a number began, under each number that it may be
read.<channel>.<case_id>  which of these the case turned out to be: the first that called on its own
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from services.intake.entries import Entries
from services.intake.incoming import IncomingCall

LIKELY = 0.7
"""Several men may share a phone, so the same caller is only a likely link."""
DOUBTFUL = 0.5
"""The number may be this caller's, or another's."""


class CallerCase(NamedTuple):
    case_id: str
    key: str
    """His address, as the index knows it."""
    confidence: float = LIKELY
    is_new: bool = False


def case_of_caller(
    entries: Entries, call: IncomingCall, new_case_id: Callable[[], str]
) -> CallerCase:
    """The first case of a caller whose number isn't withheld, or a new one."""
    key, entry = entries.first("caller", call.caller_keys)
    if entry is not None:
        _note_readings(entries, call, entry["case_id"])
        return CallerCase(entry["case_id"], str(key))
    known = None if call.reading_keys else _began_unclear(entries, call)
    if known is None:
        other = _read(entries, call)
        if other is not None:
            # Nothing is written, so that a later call is decided on what is known by then.
            return CallerCase(other, str(key), DOUBTFUL)
    first, is_written = entries.create(f"caller.{key}", {"case_id": known or new_case_id()})
    _note_readings(entries, call, first["case_id"])
    if known is not None:
        return CallerCase(first["case_id"], str(key), DOUBTFUL)
    return CallerCase(first["case_id"], str(key), is_new=is_written)


def keep_caller(entries: Entries, call: IncomingCall, case_id: str) -> str:
    """Points an address without a case to this one; returns its key in the index."""
    key, entry = entries.first("caller", call.caller_keys)
    if entry is None:
        entries.create(f"caller.{key}", {"case_id": case_id})
        _note_readings(entries, call, case_id)
    return str(key)


def _note_readings(entries: Entries, call: IncomingCall, case_id: str) -> None:
    """Points each reading of an unclear number to this case. Idempotent after a crash."""
    for keys in call.reading_keys:
        if entries.first("maybe", keys).entry is None:
            entries.create(f"maybe.{keys[0]}", {"case_id": case_id})


def _began_unclear(entries: Entries, call: IncomingCall) -> str | None:
    """The case begun by an unclear number that may be this one, and isn't known to be another."""
    maybe = entries.first("maybe", call.caller_keys)
    if maybe.entry is None:
        return None
    case_id = str(maybe.entry["case_id"])
    read = _turned_out(entries, call, case_id)
    if read is None:
        made = {"case_id": case_id, "key": call.caller_keys[0]}
        read, _ = entries.create(f"read.{call.channel}.{case_id}", made)
    return case_id if read["key"] in call.caller_keys else None


def _turned_out(entries: Entries, call: IncomingCall, case_id: str) -> dict[str, Any] | None:
    """Each channel for itself: what one says of its numbers tells nothing of another's.

    Earlier versions kept one answer for all channels.
    """
    return entries.get(f"read.{case_id}") or entries.get(f"read.{call.channel}.{case_id}")


def _read(entries: Entries, call: IncomingCall) -> str | None:
    """The case that all readings of the number point to; None if they point to several."""
    for cases in (set(_cases_of(entries, call)), set(_cases_unclear(entries, call))):
        if cases:
            return cases.pop() if len(cases) == 1 else None
    return None


def _cases_of(entries: Entries, call: IncomingCall) -> Iterator[str]:
    for keys in call.reading_keys:
        entry = entries.first("caller", keys).entry
        if entry is not None:
            yield entry["case_id"]


def _cases_unclear(entries: Entries, call: IncomingCall) -> Iterator[str]:
    mine = {key for keys in call.reading_keys for key in keys}
    for keys in call.reading_keys:
        entry = entries.first("maybe", keys).entry
        if entry is None:
            continue
        read = _turned_out(entries, call, entry["case_id"])
        if read is None or read["key"] in mine:
            yield entry["case_id"]
