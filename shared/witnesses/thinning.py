"""Thins a witness file: keeps one old line per hour, day or month, each as it was signed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

from shared.witnesses.backlinks import KeptLines, scan
from shared.witnesses.files import held

COPY_BYTES = 1_048_576


def thin(path: Path) -> int:
    """Keeps what `KeptLines` keeps; returns how many lines went. Raises OSError.

    Doesn't check signatures: the caller has.
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
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
