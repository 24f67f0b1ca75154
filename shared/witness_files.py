"""The witness files: signed lines that stand outside of the log, read together and appended to.

Each file holds every line; one that was away for a while lacks some, and that is no harm.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from shared.checkpoints import BadLineError, Line, read_line

FILE_MODE = 0o600
FOLDER_MODE = 0o700
LINE_MAX_BYTES = 4_096


@dataclass(frozen=True)
class Witnessed:
    """What all files together say."""

    lines: Sequence[Line]
    """By number, each once."""
    problems: Sequence[str] = ()
    """Lines that nobody signed: the file and the line's place in it."""
    warnings: Sequence[str] = field(default=())
    """A file that isn't there, or whose last line was cut off while it was written."""

    @property
    def newest(self) -> Line | None:
        return self.lines[-1] if self.lines else None

    @property
    def next_number(self) -> int:
        return self.lines[-1].number + 1 if self.lines else 1

    @cached_property
    def current(self) -> frozenset[str]:
        """The incarnations that no other one succeeded; more than one is one too many."""
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
        """The sequence at which the log was ended in good order, if nothing opened it since."""
        newest = self.newest
        return newest.sequence if newest is not None and newest.kind == "ended" else None

    def _limits(self) -> dict[str, int]:
        """Gives, of each incarnation that has ended, up to where its lines still bind."""
        limits: dict[str, int] = {}
        # The newest first: what a later succession gave up, an earlier one can't have kept.
        for line in reversed(self.lines):
            if line.kind == "succession" and line.previous is not None and line.kept is not None:
                after = limits.get(line.incarnation, line.kept)
                limits[line.previous] = min(line.kept, after, limits.get(line.previous, after))
        return limits


def read_witness_files(paths: Iterable[Path], key: Ed25519PublicKey) -> Witnessed:
    """Reads all files, each line's signature checked."""
    lines: dict[str, Line] = {}
    problems: list[str] = []
    warnings: list[str] = []
    for path in paths:
        try:
            content = path.read_bytes()
        except OSError as error:
            warnings.append(f"{path}: {error.strerror}")
            continue
        *whole, torn = content.split(b"\n")
        if torn:
            warnings.append(f"{path}: its last line is cut off")
        for place, raw in enumerate(whole, start=1):
            text = raw.decode("utf-8", errors="replace")
            if text in lines:
                continue
            try:
                lines[text] = read_line(text, key)
            except BadLineError as error:
                problems.append(f"{path}, line {place}: {error}")
    by_number = sorted(lines.values(), key=lambda line: line.number)
    return Witnessed(by_number, problems, warnings)


def newest_text(paths: Iterable[Path], key: Ed25519PublicKey) -> str | None:
    """Gives the newest line of all files as it stands there, signature and all."""
    return _newest(paths, key)[1]


def read_newest(paths: Iterable[Path], key: Ed25519PublicKey) -> Line | None:
    """Gives the newest line of all files, by their ends alone."""
    return _newest(paths, key)[0]


def _newest(paths: Iterable[Path], key: Ed25519PublicKey) -> tuple[Line | None, str | None]:
    newest, text = None, None
    for path in paths:
        with contextlib.suppress(OSError, BadLineError), path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - LINE_MAX_BYTES))
            *whole, _torn = file.read().split(b"\n")
            line = read_line(whole[-1].decode(), key) if whole else None
            if line is not None and (newest is None or line.number > newest.number):
                newest, text = line, whole[-1].decode()
    return newest, text


def append_line(paths: Iterable[Path], text: str) -> list[str]:
    """Appends a line to every file, on the disk when this returns; gives the files that failed."""
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
        # What a power cut left of a line never was one.
        file.truncate(_end_of_whole_lines(file))
        file.seek(0, os.SEEK_END)
        file.write(text.encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    if is_new:
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _end_of_whole_lines(file: BinaryIO) -> int:
    size = file.seek(0, os.SEEK_END)
    start = max(0, size - LINE_MAX_BYTES)
    file.seek(start)
    return start + file.read().rfind(b"\n") + 1
