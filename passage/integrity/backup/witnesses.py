"""The witness's checkpoints in a backup, and what they say of a restored log.

A checkpoint says that the log had a sequence; one newer than the restored log tells how many
events are lost. Signatures are the witness's matter and are checked by `passage verify`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple
from uuid import uuid4

from nats.aio.client import Client

from passage.backup_errors import WitnessUnreadableError
from passage.install.provisioning import ask
from passage.integrity.backup.manifest import is_name
from shared import subjects
from shared.witnesses.files import end_of_whole_lines

FOLDER = "witness"
PIECE_BYTES = 1_048_576


class Lost(NamedTuple):
    """The events that a checkpoint promises and the restored log lacks; none: 0."""

    events: int
    first: int
    last: int


def files_to_copy(folder: Path, named: Sequence[Path]) -> dict[str, Path]:
    """The named witness files and the rest of the folder, each under a name of its own.

    Two of one name on two disks are two; a missing one is left out.
    """
    others = sorted(folder.iterdir()) if folder.is_dir() else []
    found = dict.fromkeys(path.resolve() for path in (*named, *others) if path.is_file())
    files: dict[str, Path] = {}
    for path in found:
        if path.name.startswith(".") or not is_name(path.name):
            continue
        name, number = path.name, 2
        while name in files:
            name, number = f"{path.stem}-{number}{path.suffix}", number + 1
        files[name] = path
    return files


def size_of(file: BinaryIO) -> int:
    """Up to where to copy a witness file: without a line being written now."""
    size = file.seek(0, os.SEEK_END)
    whole = end_of_whole_lines(file)
    file.seek(0)
    return whole or size


def newest_checkpoint(pieces: Iterable[bytes]) -> int | None:
    """The highest `sequence` in JSON lines of the newest line's incarnation.

    A succeeding incarnation may begin below the end of the previous one. Skips anything but
    checkpoints.
    """
    numbers: dict[object, int] = {}
    sequences: dict[object, int] = {}
    for number, incarnation, sequence in (one for piece in pieces for one in _lines(piece)):
        numbers[incarnation] = max(number, numbers.get(incarnation, 0))
        sequences[incarnation] = max(sequence, sequences.get(incarnation, 0))
    newest = max(numbers, key=numbers.__getitem__, default=None)
    return sequences.get(newest)


def pieces_of(paths: Iterable[Path]) -> Iterator[bytes]:
    """The contents of files, in pieces that end at line ends. Raises OSError."""
    for path in paths:
        with path.open("rb") as file:
            while piece := file.read(PIECE_BYTES):
                yield piece + file.readline(PIECE_BYTES)


def last_number(path: Path) -> int:
    """The number of a witness file's last line; 0 if it has none."""
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - PIECE_BYTES))
        return max((number for number, _, _ in _lines(file.read())), default=0)


def read_witness(path: Path) -> int:
    """The newest checkpoint of a witness file. Raises WitnessUnreadableError."""
    try:
        newest = newest_checkpoint(pieces_of([path]))
    except OSError:
        newest = None
    if newest is None:
        raise WitnessUnreadableError(f"{path} holds no checkpoint; name another file")
    return newest


def lost_against(newest: int | None, last_sequence: int) -> Lost:
    if newest is None or newest <= last_sequence:
        return Lost(0, 0, 0)
    return Lost(newest - last_sequence, last_sequence + 1, newest)


async def begin_incarnation(client: Client) -> str:
    """Gives CASES a new incarnation: lost sequences will be used again.

    Whoever remembers a sequence of the old one must not take the new events for those.
    """
    found = (await ask(client, f"STREAM.INFO.{subjects.CASES}", None))["config"]
    incarnation = uuid4().hex
    metadata = {**found.get("metadata", {}), subjects.INCARNATION: incarnation}
    await ask(client, f"STREAM.UPDATE.{subjects.CASES}", {**found, "metadata": metadata})
    return incarnation


def _lines(content: bytes) -> Iterable[tuple[int, object, int]]:
    for line in content.splitlines():
        try:
            found = json.loads(line)
            number, sequence = found.get("number"), found["sequence"]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            continue
        if isinstance(sequence, int):
            numbered = number if isinstance(number, int) else 0
            yield numbered, str(found.get("incarnation")), sequence
