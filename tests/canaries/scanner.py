"""Looks for canary persons in folders: each value in every encoding, compressed or not.

Every pattern is known by one window of eight bytes. A file is looked at as numbers of eight bytes,
from each of eight starts; Python's sets do that at some 20 MB/s for any number of patterns.
"""

import os
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.canaries.encodings import WINDOW_BYTES, encoded, members
from tests.canaries.persons import Canary

PIECE_BYTES = 16 * 2**20
OVERLAP_BYTES = 4_096
"""More than the longest pattern has."""
DEEPEST = 4
WRAPPED = re.compile(rb"=\r?\n|[A-Za-z0-9+/_-]{56,}\r?\n(?=[A-Za-z0-9+/_-]{4})")
"""Where text was broken into lines by quoted-printable or base64."""
BREAK = re.compile(rb"=?\r?\n")


@dataclass(frozen=True)
class Hit:
    path: Path
    person: int
    value: str
    encoding: str


@dataclass
class Scanned:
    hits: list[Hit] = field(default_factory=list)
    files: int = 0
    scanned_bytes: int = 0
    members: int = 0

    def told(self) -> str:
        return (
            f"{len(self.hits)} hits in {self.files} files, {self.scanned_bytes:,} bytes "
            f"({self.members} compressed members)"
        )


class Scanner:
    def __init__(self, persons: Iterable[Canary]) -> None:
        patterns: dict[bytes, tuple[int, str, str]] = {}
        for number, person in enumerate(persons):
            for value in person.values():
                for encoding, raw in encoded(value):
                    patterns.setdefault(raw, (number, value, encoding))
        self.patterns = patterns
        self._by_window: dict[int, list[bytes]] = {}
        often = Counter(window for raw in patterns for window in set(_windows(raw)))
        for raw in patterns:
            # The window that fewest share: a common beginning would be found everywhere.
            rarest = min(_windows(raw), key=often.__getitem__)
            self._by_window.setdefault(rarest, []).append(raw)
        self._wanted = frozenset(self._by_window)

    def scan(self, *folders: Path) -> Scanned:
        """Looks through every file below the folders; a folder may be a file."""
        done = Scanned()
        for path in sorted({path for folder in folders for path in _files(folder)}):
            self._scan_file(path, done)
        return done

    def found_in(self, content: bytes) -> set[tuple[int, str, str]]:
        """Person, value and encoding of each value found in the bytes, compressed or not."""
        done = Scanned()
        self._look(content, Path(), done, 0)
        return {(hit.person, hit.value, hit.encoding) for hit in done.hits}

    def _scan_file(self, path: Path, done: Scanned) -> None:
        done.files += 1
        name = os.fsencode(path.name)
        self._look(name.ljust(WINDOW_BYTES), path, done, DEEPEST)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return  # A file that a running system took away.
        self._look(content, path, done, 0)

    def _look(self, content: bytes, path: Path, done: Scanned, depth: int) -> None:
        done.scanned_bytes += len(content)
        for raw in self._in_pieces(content):
            person, value, encoding = self.patterns[raw]
            hit = Hit(path, person, value, encoding)
            if hit not in done.hits:
                done.hits.append(hit)
        if depth >= DEEPEST:
            return
        if WRAPPED.search(content):
            self._look(BREAK.sub(b"", content), path, done, DEEPEST)
        for member in members(content):
            done.members += 1
            self._look(member, path, done, depth + 1)

    def _in_pieces(self, content: bytes) -> Iterator[bytes]:
        for start in range(0, max(len(content), 1), PIECE_BYTES):
            piece = content[start : start + PIECE_BYTES + OVERLAP_BYTES]
            for window in self._windows_in(piece):
                yield from (raw for raw in self._by_window[window] if raw in piece)

    def _windows_in(self, piece: bytes) -> set[int]:
        found: set[int] = set()
        view = memoryview(piece)
        for start in range(WINDOW_BYTES):
            whole = (len(piece) - start) // WINDOW_BYTES * WINDOW_BYTES
            if whole > 0:
                found |= self._wanted.intersection(view[start : start + whole].cast("Q"))
        return found


def _windows(raw: bytes) -> Iterator[int]:
    for start in range(len(raw) - WINDOW_BYTES + 1):
        yield int.from_bytes(raw[start : start + WINDOW_BYTES], sys.byteorder)


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_file():
        yield folder
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent) / name
            if path.is_file() and not path.is_symlink():
                yield path
