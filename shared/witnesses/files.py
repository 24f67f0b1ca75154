"""The witness files: signed lines outside the log, read together, appended to, and thinned.

Each file holds every line; one that was unavailable for a while lacks some, which is harmless.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from shared.keys.keyfiles import sync_folder
from shared.witnesses.backlinks import KeptLines, place_after, scan
from shared.witnesses.checkpoints import BadLineError, Line, read_line, signed
from shared.witnesses.parsing import FileScan

FILE_MODE = 0o600
FOLDER_MODE = 0o700
LINE_MAX_BYTES = 4_096


@dataclass(frozen=True)
class Witnessed:
    lines: Sequence[Line]
    """By number, each once; of old lines those that thinning keeps."""
    problems: Sequence[str] = ()
    """Lines that nobody signed: the file and the line's place in it."""
    warnings: Sequence[str] = field(default=())
    """A missing file, or one whose last line was cut off while being written; and lines missing
    from every file, though their neighbours say that they were signed."""

    @property
    def newest(self) -> Line | None:
        return self.lines[-1] if self.lines else None

    @cached_property
    def current(self) -> frozenset[str]:
        """The incarnations without a successor; there must be only one."""
        ended = {line.previous for line in self.lines}
        return frozenset(line.incarnation for line in self.lines) - ended

    @cached_property
    def binding(self) -> Mapping[int, Sequence[Line]]:
        """Sequence -> the lines whose digest the log must have there."""
        limits = self._limits()
        found: dict[int, list[Line]] = {}
        for line in self.lines:
            limit = limits.get(line.incarnation)
            if line.sequence and (limit is None or line.sequence <= limit):
                found.setdefault(line.sequence, []).append(line)
        return found

    @cached_property
    def binding_audit(self) -> Mapping[int, Sequence[Line]]:
        """Sequence of AUDIT -> the lines whose digest it must have there.

        A repair or restore of CASES begins a new incarnation, and with it AUDIT's comparison.
        """
        found: dict[int, list[Line]] = {}
        for line in self.lines:
            if line.audit_sequence is not None and line.incarnation in self.current:
                found.setdefault(line.audit_sequence, []).append(line)
        return found

    @property
    def ended_at(self) -> int | None:
        """The sequence at which the log ended properly, if nothing has opened it since."""
        newest = self.newest
        return newest.sequence if newest is not None and newest.kind == "ended" else None

    def _limits(self) -> dict[str, int]:
        """Up to where the lines of each ended incarnation still bind."""
        limits: dict[str, int] = {}
        # Newest first: an earlier succession can't have kept what a later one gave up.
        for line in reversed(self.lines):
            if line.kind == "succession" and line.previous is not None and line.kept is not None:
                after = limits.get(line.incarnation, line.kept)
                limits[line.previous] = min(line.kept, after, limits.get(line.previous, after))
        return limits


def read_witness_files(paths: Iterable[Path], key: Ed25519PublicKey) -> Witnessed:
    """What one thinned file would hold of all files together, in bounded memory.

    Follows links, and checks the signature they hang on, as well as that of each line without a
    link to it.
    """
    reading = FileScan(key)
    for path in paths:
        try:
            with path.open("rb") as file:
                reading.take(path, file)
        except OSError as error:
            reading.warnings.append(f"{path}: {error.strerror}")
    return Witnessed(*reading.end())


def newest_of(paths: Iterable[Path], key: Ed25519PublicKey) -> tuple[Line, str] | None:
    """The newest line of all files, also as signed, reading only their ends."""
    newest: tuple[Line, str] | None = None
    for path in paths:
        with contextlib.suppress(OSError, BadLineError), path.open("rb") as file:
            end = end_of_whole_lines(file)
            start = max(0, end - LINE_MAX_BYTES)
            file.seek(start)
            *whole, _ = file.read(end - start).split(b"\n")
            text = whole[-1].decode(errors="replace") if whole else ""
            line = read_line(text, key) if whole else None
            if line is not None and (newest is None or line.number > newest[0].number):
                newest = line, text
    return newest


class Signed(NamedTuple):
    """A line that was signed; `failed`: the files without it, and why."""

    line: Line
    text: str
    failed: list[str]


def sign_next(
    paths: Sequence[Path],
    key: Ed25519PrivateKey,
    at: datetime,
    fields: Mapping[str, Any],
    only: Path | None = None,
) -> Signed:
    """Signs a line that follows the newest one of all files, and appends it to each.

    `fields` lacks the line's place and time. `only`: to this file alone.
    """
    to = list(paths) if only is None else [only]
    with held(paths):
        newest = newest_of(paths, key.public_key())
        place = place_after(newest, fields["incarnation"], at, fields["kind"])
        line = Line(at=at, **place._asdict(), **fields)
        text = signed(line, key)
        return Signed(line, text, append_line(to, text))


@contextmanager
def held(paths: Iterable[Path]) -> Iterator[None]:
    """Locks out others that add lines or thin, if the disk supports it."""
    with ExitStack() as stack:
        for folder in sorted({path.resolve().parent for path in paths}):
            with contextlib.suppress(OSError):
                descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
                stack.callback(os.close, descriptor)
                fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield


def append_line(paths: Iterable[Path], text: str) -> list[str]:
    """Appends a line to every file, synced to disk; returns the files that failed."""
    failed = []
    for path in paths:
        try:
            _append(path, text)
        except OSError as error:
            failed.append(f"{path}: {error.strerror}")
    return failed


def _append(path: Path, text: str) -> None:
    path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    is_new = not path.exists()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, FILE_MODE)
    with os.fdopen(descriptor, "r+b") as file:
        # A line that a power cut left unfinished doesn't count as a line.
        file.truncate(end_of_whole_lines(file))
        file.seek(0, os.SEEK_END)
        file.write(text.encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    if is_new:
        sync_folder(path.parent)


def end_of_whole_lines(file: BinaryIO) -> int:
    """The end of the last whole line; a power cut may leave anything after it, of any size."""
    end = file.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - LINE_MAX_BYTES)
        file.seek(start)
        last = file.read(end - start).rfind(b"\n")
        if last >= 0:
            return start + last + 1
        end = start
    return 0


def thin(path: Path) -> int:
    """Keeps one old line an hour, a day, a month, each as it was signed; returns how many went.

    Raises OSError. Doesn't check signatures: the caller has.
    """
    with path.open("rb") as file:
        kept, count, size = KeptLines(), 0, 0
        for line in scan(file):
            kept.take(line.number, line.level, line.raw)
            count += 1
            size += len(line.raw) + 1
        left = {raw for _, raw in kept.lines()}
        gone = count - len(left)
        if gone:
            with held([path]):
                _rewrite(path, file, left, size)
        return gone


def _rewrite(path: Path, file: BinaryIO, left: set[bytes], size: int) -> None:
    """Replaces the file atomically; what was appended after `size` meanwhile is kept, too."""
    draft = path.with_name(f".{path.name}.thinned")
    try:
        with draft.open("wb") as target:
            os.fchmod(target.fileno(), os.fstat(file.fileno()).st_mode & 0o777)
            file.seek(0)
            for line in scan(file):
                if size > 0 and line.raw in left:
                    target.write(line.raw + b"\n")
                    left.discard(line.raw)  # A second, equal line says nothing more.
                elif size <= 0:
                    target.write(line.raw + b"\n")
                size -= len(line.raw) + 1
            target.flush()
            os.fsync(target.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(path.parent)
