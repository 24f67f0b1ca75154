"""Reads witness files of any size in bounded memory: what thinning keeps, and what vouches for it.

A run is a stretch of lines, each linked to the one before: the signature of its last line vouches
for all. The signature of a line outside any run is checked, if the line is kept.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import BinaryIO, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from shared.witnesses import backlinks
from shared.witnesses.backlinks import KeptLines, Scanned, hash_of, scan
from shared.witnesses.checkpoints import BadLineError, Line, check_line, read_line, read_vouched

SHOWN_MAX = 50
"""How many problems, and gaps, are listed; the rest are counted."""
_PRUNE_ABOVE = 40_000


@dataclass
class _Run:
    lines: int = 0
    is_vouched: bool = False


class _Found(NamedTuple):
    path: Path
    place: int
    run: _Run


class FileScan:
    """Files are read one after the other; then `end` returns what they say together."""

    def __init__(self, key: Ed25519PublicKey) -> None:
        self._key = key
        self._kept = KeptLines()
        self._found: dict[bytes, _Found] = {}
        self._odd: list[Line] = []
        self._problems: list[str] = []
        self.warnings: list[str] = []

    def take(self, path: Path, file: BinaryIO) -> None:
        """Raises OSError."""
        run, before = _Run(), b""
        for line in scan(file):
            if not line.number:
                self._take_odd(path, line)
                continue
            if line.links is None or hash_of(before) not in line.links:
                self._end_run(run, before)
                run = _Run()
            run.lines += 1
            before = line.raw
            self._kept.take(line.number, line.level, line.raw)
            self._found[line.raw] = _Found(path, line.place, run)
            if len(self._found) > _PRUNE_ABOVE:
                self._found = {one: self._found[one] for _, one in self._kept.lines()}
        self._end_run(run, before)
        if is_torn(file):
            self.warnings.append(f"{path}: its last line is cut off")

    def end(self) -> tuple[list[Line], list[str], list[str]]:
        """The lines by number, those that nobody signed, and warnings."""
        lines: list[tuple[Line, bytes]] = []
        for _, raw in self._kept.lines():
            found = self._found[raw]
            try:
                lines.append((self._read(raw, found.run), raw))
            except BadLineError as error:
                self._problems.append(f"{found.path}, line {found.place}: {error}")
        warnings = [*self.warnings, *shortened(_gaps(lines))]
        read = [line for line, _ in lines] + self._odd
        return sorted(read, key=lambda line: line.number), [*shortened(self._problems)], warnings

    def _read(self, raw: bytes, run: _Run) -> Line:
        text = raw.decode("utf-8", errors="replace")
        return read_vouched(text) if run.is_vouched else read_line(text, self._key)

    def _take_odd(self, path: Path, line: Scanned) -> None:
        """Lines of the wrong form; an unsigned one is a problem at once."""
        try:
            self._odd.append(read_line(line.raw.decode("utf-8", errors="replace"), self._key))
        except BadLineError as error:
            self._problems.append(f"{path}, line {line.place}: {error}")

    def _end_run(self, run: _Run, last: bytes) -> None:
        if run.lines > 1:
            try:
                check_line(last.decode("utf-8", errors="replace"), self._key)
                run.is_vouched = True
            except BadLineError:  # Each of its kept lines is checked separately.
                pass


def bad_lines(
    path: Path, key: Ed25519PublicKey, ends_after: Callable[[int], bool] = lambda _: False
) -> Iterator[str]:
    """Checks the signature of each line of a file; names those that fail.

    `ends_after` is called with the place of each line, and may wait. Raises OSError.
    """
    with path.open("rb") as file:
        for line in scan(file):
            try:
                check_line(line.raw.decode("utf-8", errors="replace"), key)
            except BadLineError as error:
                yield f"{path}, line {line.place}: {error}"
            if ends_after(line.place):
                return


def is_torn(file: BinaryIO) -> bool:
    if not file.seek(0, os.SEEK_END):
        return False
    file.seek(-1, os.SEEK_END)
    return file.read(1) != b"\n"


def _gaps(lines: Sequence[tuple[Line, bytes]]) -> Iterator[str]:
    """Names gaps in what thinning keeps, from the newest back.

    Two lines may have one number, if two lives of a log are read together.
    """
    groups = [list(group) for _, group in groupby(lines, key=lambda one: one[0].number)]
    newer = [0] * len(backlinks.KEPT)
    for place in range(len(groups) - 1, -1, -1):
        before = groups[place - 1] if place else []
        hashes = {hash_of(raw) for _, raw in before}
        for line, _ in groups[place]:
            for level in range((line.level or 0) + 1):
                newer[level] += 1
        if not any(_follows(line, before, hashes, newer) for line, _ in groups[place]):
            first = before[0][0].number if before else 0
            yield (
                f"lines between number {first} and {groups[place][0][0].number} are in no witness "
                "file, though thinning keeps them"
            )


def _follows(
    line: Line, before: Sequence[tuple[Line, bytes]], hashes: set[str], newer: Sequence[int]
) -> bool:
    """Whether a line follows those before it, with nothing missing but by thinning.

    `newer`: how many lines of each level or above there are from this one on.
    """
    # Older versions had no links: another line may be missing before such a line.
    if line.links is None or any(one.links is None for one, _ in before):
        return True
    linked = [level for level, link in enumerate(line.links) if link in hashes]
    if not linked:
        return not line.links and not before
    return all(newer[level] >= backlinks.KEPT[level] for level in range(linked[0]))


def shortened(texts: Iterable[str]) -> Iterator[str]:
    """Yields the first texts, and how many more there are."""
    more = 0
    for place, text in enumerate(texts):
        if place < SHOWN_MAX:
            yield text
        else:
            more += 1
    if more:
        yield f"and {more} more"
