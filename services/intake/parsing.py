"""Reads as much of a call as can be read, and notes what that changed.

What an event can't hold is cleaned, shortened or replaced; the original is sealed with it.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import accumulate
from typing import Any, Protocol

from services.intake import cleaning
from shared.callers.return_codes import DIGITS
from shared.events.calls import Change
from shared.events.fields import Channel, Plain
from shared.events.upstream import Number, Upstream
from shared.keys.boxes import PREFIX, BoxBrokenError
from shared.keys.client import KeysUnavailableError

MEDIA_MAX = 20
HASHES_AT_ONCE, CHARACTERS_AT_ONCE = 256, 100_000
"""The limits of one request to the key holder."""
Wanted = Mapping[str, Sequence[tuple[str, str]]]
"""What must be hashed of a message: kind -> (purpose, value) pairs."""
Hashed = Mapping[str, Sequence[tuple[str, ...]]]
"""The hashes by kind, each with the newest pepper's first."""

_BOXED = ("caller_address", "display_name", "text", "return_code")
_CLEANED: dict[str, Change] = {
    "caller_address": "address_cleaned",
    "display_name": "name_cleaned",
    "text": "text_cleaned",
    "return_code": "code_cleaned",
}
_NAMING = frozenset({"caller_address", "display_name", "call_id", "region"})
"""What may tell who or where somebody is."""


class Opener(Protocol):
    """The part of the key holder that reading a call needs."""

    def unbox(self, boxes: Sequence[str]) -> list[bytes]:
        """Raises BoxBrokenError if one doesn't open."""

    def hashes(self, values: Sequence[tuple[str, str]]) -> list[tuple[str, ...]]:
        """For each (purpose, value) its keyed hashes, the newest pepper's first."""


@dataclass(frozen=True)
class ChannelMessage:
    upstream: Upstream
    channel: Channel
    received_at: datetime


@dataclass
class Parsed:
    """A call being read: what had to be changed, and the originals."""

    channel: Channel
    received_at: datetime
    changed: set[Change] = field(default_factory=set)
    originals: dict[str, Any] = field(default_factory=dict, repr=False)

    def note(self, change: Change, name: str, original: Any) -> None:
        self.changed.add(change)
        self.originals[name] = original

    def sealed(self, *, naming: bool) -> Plain | None:
        """The originals of one class of personal data, as one text to be sealed."""
        parts = {name: one for name, one in self.originals.items() if (name in _NAMING) == naming}
        kept = cleaning.original_of(parts)
        if kept.lossy:
            self.changed.add("oversize")
        return Plain(kept.value) if kept.value else None


def begin(message: ChannelMessage) -> Parsed:
    """Reads the message itself; the channel comes from the subject, not the message."""
    upstream = message.upstream
    parsed = Parsed(
        message.channel, message.received_at, set(upstream.changed), dict(upstream.set_aside)
    )
    said = upstream.fields.get("channel")
    if said is not None and said != message.channel:
        parsed.note("channel_corrected", "channel", said)
    return parsed


def unboxed(keys: Opener, fields: Mapping[str, Any], parsed: Parsed) -> dict[str, str]:
    """What the channel sealed, by field; without empty values.

    Also takes what it sent in the clear. Raises BoxBrokenError if nothing can be read.
    """
    given = {name: _sole(fields[name]) for name in _BOXED if fields.get(name) is not None}
    boxes = {name: one for name, one in given.items() if str(one).startswith(PREFIX)}
    said: dict[str, str] = {}
    for name, content in _contents(keys, boxes).items():
        if content is None:
            parsed.note("unopened", name, boxes[name])
            continue
        found = cleaning.decoded(content)
        said[name] = found.value or ""
        if found.lossy:
            parsed.note(_CLEANED[name], name, cleaning.in_json(content))
    for name in given.keys() - boxes.keys():
        parsed.changed.add("not_sealed")
        said[name] = _in_the_clear(name, given[name])
    if boxes and not said:
        raise BoxBrokenError("no box of a call opens with the intake key")
    return said


def _sole(value: Any) -> Any:
    """A box without surrounding blanks, or out of the one-element list it came in."""
    if isinstance(value, list) and len(value) == 1:
        (value,) = value
    is_box = isinstance(value, str) and value.strip().startswith(PREFIX)
    return value.strip() if is_box else value


def _contents(keys: Opener, boxes: Mapping[str, str]) -> dict[str, bytes | None]:
    """Contents by field; None for a box that doesn't open."""
    if all(one.isascii() for one in boxes.values()):
        try:
            return dict(zip(boxes, keys.unbox(list(boxes.values())), strict=True))
        except BoxBrokenError:
            pass
    return {name: _content(keys, box) for name, box in boxes.items()}


def _content(keys: Opener, box: str) -> bytes | None:
    try:
        return keys.unbox([box])[0] if box.isascii() else None
    except BoxBrokenError:
        return None


def _in_the_clear(name: str, value: Any) -> str:
    said = cleaning.plain(value)
    # A code written as a number has lost its leading zeros.
    return said.zfill(DIGITS) if name == "return_code" and isinstance(value, Number) else said


def line(said: Mapping[str, str], name: str, change: Change, parsed: Parsed) -> str | None:
    """A sealed field on one line, uncut."""
    found = cleaning.line(said.get(name, ""))
    if found.lossy and name not in parsed.originals:
        parsed.note(change, name, said[name])
    return found.value


def shortened(whole: str | None, name: str, change: Change, parsed: Parsed) -> Plain | None:
    """A line cut to what an event holds."""
    if whole is None:
        return None
    found = cleaning.shortened(whole)
    if found.lossy and name not in parsed.originals:
        parsed.note(change, name, whole)
    return Plain(found.value) if found.value else None


class GivenIds:
    """The ids that a channel gave, which may be anything, and those used internally."""

    def __init__(self, fields: Mapping[str, Any], words: str) -> None:
        self._given = cleaning.plain(fields.get("call_id") or "")
        # Without an id, a call is known by what it says, and when.
        self._call = self._given or digest("none", words, fields.get("started_at"))
        named = fields.get("recording_ref")
        self._recording = [] if named is None or named == "" else [cleaning.plain(named)]
        self._media = _listed(fields.get("media"))
        every = (self._call, *self._recording, *self._media[:MEDIA_MAX])
        self.unsafe = [one for one in dict.fromkeys(every) if not cleaning.is_token(one)]
        self._inside: dict[str, str] = {}

    def replace_by(self, hashes: Sequence[tuple[str, ...]], parsed: Parsed) -> None:
        """Replaces unsafe ids by keyed hashes; uses the oldest pepper's, which never changes."""
        self._inside = dict(zip(self.unsafe, map(oldest, hashes), strict=True))
        if self._given in self._inside:
            parsed.note("call_id_replaced", "call_id", self._given)
        if any(one in self._inside for one in self._recording):
            parsed.note("recording_replaced", "recording_ref", self._recording[0])
        if len(self._media) > MEDIA_MAX or any(one in self._inside for one in self._media):
            parsed.note("media_replaced", "media", self._media)

    @property
    def call_id(self) -> str:
        return self._inside.get(self._call, self._call)

    @property
    def recording(self) -> str | None:
        return next((self._inside.get(one, one) for one in self._recording), None)

    @property
    def media(self) -> tuple[str, ...]:
        return tuple(self._inside.get(one, one) for one in self._media[:MEDIA_MAX])


def _listed(media: Any) -> list[str]:
    if media is None or media == "":
        return []
    return [cleaning.plain(one) for one in (media if isinstance(media, list) else [media])]


def hashed(keys: Opener, wanted: Sequence[Wanted]) -> list[Hashed]:
    """Keyed hashes for as many of the first messages as can be hashed now.

    Raises KeysUnavailableError if the first can't be hashed completely.
    """
    values = [one for each in wanted for some in each.values() for one in some]
    made: list[tuple[str, ...]] = []
    try:
        for some in _at_once(values):
            made += keys.hashes(some)
    except KeysUnavailableError:
        # Hashes already made were counted; asking for all of them again might never finish.
        if not wanted or len(made) < _count(wanted[0]):
            raise
    left = iter(made)
    return [
        {kind: [next(left) for _ in some] for kind, some in each.items()}
        for each in wanted[: _complete(wanted, len(made))]
    ]


def _count(wanted: Wanted) -> int:
    return sum(map(len, wanted.values()))


def _complete(wanted: Sequence[Wanted], made: int) -> int:
    """The number of messages that are hashed completely."""
    return sum(needed <= made for needed in accumulate(map(_count, wanted)))


def _at_once(values: Sequence[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    """As many at a time as the key holder and the server take in one request."""
    some: list[tuple[str, str]] = []
    left = CHARACTERS_AT_ONCE
    for one in values:
        left -= len(one[1])
        if some and (left < 0 or len(some) == HASHES_AT_ONCE):
            yield some
            some, left = [], CHARACTERS_AT_ONCE - len(one[1])
        some.append(one)
    if some:
        yield some


def oldest(hashes: tuple[str, ...]) -> str:
    """The hash under the first pepper: a new pepper doesn't change it."""
    return hashes[-1].rpartition("-")[2]


def digest(*parts: Any) -> str:
    """One short value for anything JSON can hold; it still has to be hashed under a key."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
