"""The witness's checkpoints in a backup, and what they say of a restored log.

A checkpoint says that the log had a sequence; one newer than the restored log tells how many
events are lost. Signatures are the witness's matter and are checked by `passage verify`.
"""

import contextlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, NamedTuple
from uuid import uuid4

from nats.aio.client import Client

from passage.backup_errors import BackupError, WitnessUnreadableError
from passage.exits import VerbEndedError
from passage.folders import FILE_MODE, FOLDER_MODE
from passage.install.provisioning import ask
from passage.integrity.backup.durable import hash_on_disk, sync
from passage.integrity.backup.manifest import is_name
from passage.integrity.gate import Succession, check_gate, succeed
from passage.printing import err
from passage.running import Running
from shared import subjects
from shared.witnesses.files import append_line, end_of_whole_lines

FOLDER = "witness"
PIECE_BYTES = 1_048_576
COMBINED = ".combined"
REASON = "restored from a backup"


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
    """The new incarnation of CASES: lost sequences will be used again.

    A reader that remembers the old one's sequences must not take the new events for the old ones.
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


@dataclass(frozen=True)
class Arriving:
    """Witness files extracted from a backup into `staging`, and where they belong."""

    staging: Path
    targets: tuple[Path, ...]
    folder: Path
    """Their usual folder; other files that the backup had of it go there too."""
    came: Path | None = None
    """One file with all the lines."""
    succession: str | None = None
    """The signed line that says how the log continues."""

    def combined(self) -> "Arriving":
        """Merges all lines into one file, newest last, as required."""
        by_content = {hash_on_disk(path): path for path in self._staged()}
        files = sorted(by_content.values(), key=last_number)
        if len(files) == 1:
            return replace(self, came=files[0])
        came = self.staging / COMBINED  # Missing if the backup had none.
        if files:
            with came.open("wb") as file:
                for piece in pieces_of(files):
                    file.write(piece)
        return replace(self, came=came)

    def newest(self) -> int:
        """The newest checkpoint of what came and what exists; 0 if there is none.

        Raises WitnessUnreadableError.
        """
        try:
            return newest_checkpoint(pieces_of(self._readable())) or 0
        except OSError as error:
            raise WitnessUnreadableError(
                f"{error.filename} can't be read ({error.strerror}): repair it, or move it away"
            ) from None

    async def succeeded(self, running: Running, keys: Path, lost: Lost) -> "Arriving":
        """Signs, after all known lines, that the log continues under its new incarnation."""
        paths, came = self._readable(), self.came or self.staging / COMBINED
        update = {"witnesses": tuple(dict.fromkeys([came, *paths])), "witness_keys": keys}
        running = running.model_copy(update=update)
        try:
            gate = await check_gate(running)
            previous = min(gate.witnessed.current, default="")
            succession = Succession(previous, gate.heads.sequence, lost.events, REASON)
            return replace(self, succession=succeed(gate.held, running, succession, only=came).text)
        except VerbEndedError as error:
            err.print(f"the gate will be closed, because no witness file knows this log: {error}")
            return self

    def put_in_place(self) -> None:
        """Raises BackupError."""
        there = [path for path in self.targets if path.exists()]
        if self.succession is not None:
            for failed in append_line(there, self.succession):
                err.print(f"the succession is not in {failed}")
        files = dict.fromkeys(self.targets, self.came)
        if self.folder in {path.parent for path in self.targets}:
            files = {**{self.folder / path.name: path for path in self._staged()}, **files}
        _copy(
            {
                target: source
                for target, source in files.items()
                if source is not None and source.exists() and not target.exists()
            }
        )

    def _staged(self) -> list[Path]:
        found = sorted(self.staging.iterdir()) if self.staging.is_dir() else []
        return [path for path in found if path.name != COMBINED]

    def _readable(self) -> list[Path]:
        came = [] if self.came is None else [self.came]
        return [path for path in (*came, *self.targets) if path.is_file()]


def _copy(files: Mapping[Path, Path]) -> None:
    """Synced to disk; `files`: destination -> source."""
    for target, source in files.items():
        draft = target.with_name(f".{target.name}.restoring")
        try:
            target.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
            shutil.copyfile(source, draft)
            draft.chmod(FILE_MODE)
            sync(draft)
            draft.rename(target)
            sync(target.parent)
        except OSError as error:
            raise BackupError(
                f"the checkpoints can't be written to {target} ({error.strerror}): make its "
                "folder writable, or name another file in PASSAGE_WITNESS_FILES"
            ) from None
        finally:
            with contextlib.suppress(OSError):
                draft.unlink()
