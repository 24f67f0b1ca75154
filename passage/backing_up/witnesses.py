"""The witness' checkpoints in a backup, and what they say of a log that came back.

A checkpoint says that the log had a sequence; one that is newer than the restored log says how
many events are lost. Signatures are the witness' matter and are checked by `passage verify`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from nats.aio.client import Client

from passage.backing_up.errors import WitnessUnreadableError
from passage.provisioning import ask
from shared import subjects

FOLDER = "witness"
INCARNATION = "passage_incarnation"
"""Key in the metadata of CASES: which life of the log this is."""


class Lost(NamedTuple):
    """The events that a checkpoint promises and the restored log lacks; none: 0."""

    events: int
    first: int
    last: int


def witness_folder(data: Path) -> Path:
    """Where a data folder's checkpoints lie: beside it, as the key folder does."""
    return data.with_name(f"{data.name}.witness")


def witness_files(folder: Path) -> dict[str, bytes]:
    """Gives the files of a witness folder; none where there is no folder."""
    if not folder.is_dir():
        return {}
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def newest_checkpoint(contents: Iterable[bytes]) -> int | None:
    """Gives the highest `sequence` of JSON lines; what isn't a checkpoint is passed over."""
    found = [sequence for one in contents for sequence in _sequences(one)]
    return max(found, default=None)


def read_witness(path: Path) -> int:
    """Gives a witness file's newest checkpoint. Raises WitnessUnreadableError."""
    try:
        newest = newest_checkpoint([path.read_bytes()])
    except OSError:
        newest = None
    if newest is None:
        raise WitnessUnreadableError(f"{path} holds no checkpoint; name another file")
    return newest


def lost_against(newest: int | None, last_sequence: int) -> Lost:
    """Compares the newest checkpoint with the last sequence that came back."""
    if newest is None or newest <= last_sequence:
        return Lost(0, 0, 0)
    return Lost(newest - last_sequence, last_sequence + 1, newest)


async def begin_incarnation(client: Client) -> str:
    """Gives CASES a new incarnation: sequences that were lost will be used again.

    Whoever remembers a sequence of the old one must not take the new events for those.
    """
    found = (await ask(client, f"STREAM.INFO.{subjects.CASES}", None))["config"]
    incarnation = uuid4().hex
    metadata = {**found.get("metadata", {}), INCARNATION: incarnation}
    await ask(client, f"STREAM.UPDATE.{subjects.CASES}", {**found, "metadata": metadata})
    return incarnation


def _sequences(content: bytes) -> Iterable[int]:
    for line in content.splitlines():
        try:
            sequence = json.loads(line)["sequence"]
        except (ValueError, KeyError, TypeError):
            continue
        if isinstance(sequence, int):
            yield sequence
