"""A stream's content, saved to a file before the stream is rebuilt: one message per line.

An interrupted repair finds the file of the stream that it had begun to replace.
"""

import base64
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from passage.folders import FILE_MODE, FOLDER_MODE
from passage.integrity.log_reading import read_stream
from shared import subjects
from shared.jetstream.raw_client import RawClient
from shared.jetstream.stored import StoredMessage

DRAFT, UNFINISHED = ".draft", ".unfinished.jsonl"


@dataclass(frozen=True)
class Saved:
    """A stream's messages in a file; the first line says which stream it was."""

    path: Path
    incarnation: str
    floors: dict[str, int]
    """Durable -> the last sequence up to which it had acknowledged everything."""

    def messages(self) -> Iterator[StoredMessage]:
        """In stream order, missing ones left out."""
        with self.path.open("rb") as file:
            file.readline()
            for line in file:
                kept = json.loads(line)
                body = base64.b64decode(kept["body"])
                yield StoredMessage(int(kept["sequence"]), str(kept["subject"]), body)

    def begin(self) -> "Saved":
        """The old stream is about to go: from now on a repair starts from this file."""
        if self.path.name.endswith(UNFINISHED):
            return self
        name = self.path.name.replace(DRAFT, UNFINISHED)
        return replace(self, path=self.path.rename(self.path.with_name(name)))

    def finish(self) -> Path:
        """The new stream is whole; the file stays."""
        return self.path.rename(self.path.with_name(self.path.name.replace(UNFINISHED, ".jsonl")))

    def drop(self) -> None:
        """Deletes the file, unless a stream depends on it."""
        if self.path.name.endswith(DRAFT):
            self.path.unlink()


def unfinished_in(folder: Path) -> Saved | None:
    """The file of a repair that was interrupted after the old stream was deleted."""
    for path in sorted(folder.glob(f"*{UNFINISHED}")):
        with path.open("rb") as file:
            head = json.loads(file.readline())
        return Saved(path, head["incarnation"], head["floors"])
    return None


async def save_stream(
    client: RawClient, path: Path, incarnation: str, last: int, floors: dict[str, int]
) -> Saved:
    """Writes every readable message to a new file, synced to disk."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        head = {"stream": subjects.CASES, "incarnation": incarnation, "floors": floors}
        file.write(_line(head))
        async for one in read_stream(client, subjects.CASES, last):
            kept = {
                "sequence": one.sequence,
                "subject": one.subject,
                "recorded_at": one.stored_at,
                "body": base64.b64encode(one.body).decode(),
            }
            file.write(_line(kept))
        file.flush()
        os.fsync(file.fileno())
    return Saved(path, incarnation, floors)


def new_file(folder: Path, incarnation: str) -> Path:
    """The path of a future file, in a folder that exists afterwards."""
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    return folder / f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{incarnation[:8] or 'none'}{DRAFT}"


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"
