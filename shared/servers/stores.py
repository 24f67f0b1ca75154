"""Whether new data can be stored: what nats-servers say of their streams, and free disk space.

A stream on which a write failed accepts nothing until its nats-server is restarted (ADR 33).
"""

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from typing_extensions import override

from shared import subjects

QUESTIONS = {
    subjects.SERVERS_HEALTH: json.dumps({"details": True}).encode(),
    subjects.STORAGE: json.dumps({"config": True}).encode(),
}
"""The questions to nats-servers, and their subjects; each server answers for itself."""
ANSWERS_WITHIN_S = 1.0
FULL_BELOW_BYTES = 32 * 1024 * 1024
FULL_BELOW_FILES = 64
LOW_BELOW_BYTES = 2 * 1024 * 1024 * 1024
LOW_BELOW_SHARE = 0.05
MIB = 1024 * 1024
WRITE_ERROR = "write error: "
JETSTREAM_IS_OFF = "JETSTREAM"
CAUSES = {
    "no space left on device": "no_space",
    "disk quota exceeded": "quota",
    "read-only file system": "read_only",
    "input/output error": "io",
    "permission denied": "permission",
}
"""Endings of the server's texts; the rest of them are paths."""
LIMIT = "limit"
OTHER = "other"
LIMIT_SHARE = 0.98
"""Of its limit on disk; above it a nats-server refuses everything."""


class Refusing(NamedTuple):
    """A stream that a nats-server no longer writes to; without a stream, all of them."""

    server: str
    stream: str
    cause: str
    """One of CAUSES, `limit` or `other`."""

    @override
    def __str__(self) -> str:
        what = self.stream or "any stream"
        texts = {word: text for text, word in CAUSES.items()}
        texts[LIMIT] = "its limit on disk (max_file_store) is used up"
        why = texts.get(self.cause, "its log says why")
        return f"nats-server {self.server} can't write {what}: {why}"


class Disk(NamedTuple):
    """Free space on a folder's disk; `files` is None without a limit on files."""

    folder: Path
    free: int
    size: int
    files: int | None

    @property
    def is_full(self) -> bool:
        return self.free < FULL_BELOW_BYTES or (
            self.files is not None and self.files < FULL_BELOW_FILES
        )

    @property
    def is_low(self) -> bool:
        return self.free < min(LOW_BELOW_BYTES, LOW_BELOW_SHARE * self.size)

    @override
    def __str__(self) -> str:
        if self.files is not None and self.files < FULL_BELOW_FILES:
            return f"the disk of {self.folder} takes only {self.files} more files"
        state = "is full" if self.is_full else "is almost full"
        return f"the disk of {self.folder} {state}: {self.free // MIB} MiB left"


def read_report(body: bytes) -> list[Refusing]:
    """One server's report; an invalid one says nothing, as when nobody knows the question."""
    try:
        told = json.loads(body)
        return [*_refusing_in(str(told["server"]["name"]), told["data"])]
    except (ValueError, KeyError, TypeError, AttributeError):
        return []


def _refusing_in(server: str, told: dict[str, Any]) -> Iterator[Refusing]:
    for error in told.get("errors") or ():
        one = _refusing(server, error)
        if one is not None:
            yield one
    limit = int((told.get("config") or {}).get("max_storage") or 0)
    if limit and int(told.get("storage") or 0) > LIMIT_SHARE * limit:
        yield Refusing(server, "", LIMIT)


def _refusing(server: str, error: dict[str, Any]) -> Refusing | None:
    """Leaves out what recovers automatically, such as a lagging replica."""
    text, is_off = str(error.get("error", "")), error.get("type") == JETSTREAM_IS_OFF
    if not (is_off or WRITE_ERROR in text):
        return None
    cause = next((word for end, word in CAUSES.items() if text.endswith(end)), OTHER)
    return Refusing(server, str(error.get("stream", "")), cause)


def disks_of(folders: Iterable[Path]) -> list[Disk]:
    """The folders' disks, each once; unreadable ones are left out."""
    found: dict[int, Disk] = {}
    for folder in folders:
        try:
            there = next(one for one in (folder, *folder.absolute().parents) if one.exists())
            device, room = there.stat().st_dev, os.statvfs(there)
        except (OSError, StopIteration):
            continue
        free, size = room.f_bavail * room.f_frsize, room.f_blocks * room.f_frsize
        files = room.f_favail if room.f_files else None
        found.setdefault(device, Disk(folder, free, size, files))
    return list(found.values())
