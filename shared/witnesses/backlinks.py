"""The lines of a witness file as they stand there: their order, their levels, and their links.

A line of level 1, 2 or 3 is the first of an hour, a day, a month; all others are of level 0. Each
has four links: the SHA-256 of the newest line before it of level 0 or above, 1 or above, and so
on. So a thinned file is still a chain, and the newest signature vouches for it all (ADR 32).
"""

import hashlib
import heapq
import re
from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO, NamedTuple

from shared.witnesses.checkpoints import Line

MONTH = 3
KEPT = (2_880, 1_440, 1_100, 10_000)
"""How many of the newest lines of each level or above are kept: two days of minutes, sixty days of
hours, three years of days, and months."""
_PREFIXES = (len("2026-11"), len("2026-11-30"), len("2026-11-30T12"))
_LINE = re.compile(
    rb'\{"kind":"([a-z]+)","number":(\d{1,18}),"incarnation":"([0-9a-f]{32})","sequence":\d+,'
    rb'"cases":\d+,"digest":"[0-9a-f]{64}","at":"(\d{4}-\d\d-\d\dT\d\d)[^"]*"'
)
_LINKS = re.compile(rb'"level":([0-3]),"links":\[([^\]]*)\]')


class Scanned(NamedTuple):
    """A line of a file, parsed but not checked; `number` 0: it is none."""

    place: int
    """Its line number in the file."""
    raw: bytes
    number: int
    level: int
    links: tuple[str, ...] | None
    """None: a line of an older version, which is linked to nothing."""


def scan(file: BinaryIO) -> Iterator[Scanned]:
    """The whole lines of a file, one at a time, without a torn last one."""
    before: tuple[bytes, bytes] | None = None
    for place, ended in enumerate(file, start=1):
        if not ended.endswith(b"\n"):
            return
        raw = ended[:-1]
        found = _LINE.match(raw)
        if found is None:
            yield Scanned(place, raw, 0, MONTH, None)
            continue
        kind, number, incarnation, hour = found.groups()
        linked = _LINKS.search(raw, found.end())
        if linked is not None:
            links = tuple(one.strip('"') for one in linked[2].decode().split(",") if one)
            yield Scanned(place, raw, int(number), int(linked[1]), links)
        else:
            level = _level(before, incarnation, hour, kind)
            yield Scanned(place, raw, int(number), level, None)
        before = (incarnation, hour)


def hash_of(raw: bytes) -> str:
    """What the next lines link to: a raw line, without the line end."""
    return hashlib.sha256(raw).hexdigest()


class LinePlace(NamedTuple):
    number: int
    level: int
    links: tuple[str, ...]


def place_after(
    before: tuple[Line, str] | None, incarnation: str, at: datetime, kind: str
) -> LinePlace:
    """Links a new line to the newest one, as parsed and as raw text; None: to nothing."""
    if before is None:
        return LinePlace(1, MONTH, ())
    line, text = before
    newest = hash_of(text.encode())
    known = line.links or (newest,) * len(KEPT)
    reached = MONTH if line.level is None else line.level
    links = tuple(newest if level <= reached else known[level] for level in range(len(KEPT)))
    last = (line.incarnation.encode(), _hour(line.at))
    level = _level(last, incarnation.encode(), _hour(at), kind.encode())
    return LinePlace(line.number + 1, level, links)


class KeptLines:
    """Lines in any order; keeps those that a thinned file has, in bounded memory.

    A line is kept while fewer lines of its level or of one below it, and above that, are newer
    than `KEPT` has for that level.
    """

    def __init__(self) -> None:
        self._newest: list[list[tuple[int, bytes]]] = [[] for _ in KEPT]
        self._held: list[set[bytes]] = [set() for _ in KEPT]

    def take(self, number: int, level: int, raw: bytes) -> None:
        """Idempotent."""
        for at_least in range(level + 1):
            newest, held = self._newest[at_least], self._held[at_least]
            if raw in held:
                continue
            held.add(raw)
            if len(newest) < KEPT[at_least]:
                heapq.heappush(newest, (number, raw))
            else:
                held.discard(heapq.heappushpop(newest, (number, raw))[1])

    def lines(self) -> list[tuple[int, bytes]]:
        return sorted({one for newest in self._newest for one in newest})


def _level(before: tuple[bytes, bytes] | None, incarnation: bytes, hour: bytes, kind: bytes) -> int:
    """A line's level, by the one before it: what begins with it."""
    if before is None or kind == b"succession" or before[0] != incarnation:
        return MONTH
    for level, length in zip((3, 2, 1), _PREFIXES, strict=True):
        if before[1][:length] != hour[:length]:
            return level
    return 0


def _hour(at: datetime) -> bytes:
    return at.isoformat()[: _PREFIXES[-1]].encode()
