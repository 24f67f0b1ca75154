"""The checkpoints of a backup on their way to the witness files of the restored system.

They wait in a folder until everything else is back. A missing witness file then gets every line;
an existing one stays, and gets the line that says how the log continues, if there is one.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from passage.backup_errors import BackupError, WitnessUnreadableError
from passage.exits import VerbEndedError
from passage.folders import FILE_MODE, FOLDER_MODE
from passage.integrity.backup.durable import hash_on_disk, sync
from passage.integrity.backup.witnesses import Lost, last_number, newest_checkpoint, pieces_of
from passage.integrity.gate import Succession, check_gate, succeed
from passage.printing import err
from passage.running import Running
from shared.witnesses.files import append_line

COMBINED = ".combined"
REASON = "restored from a backup"


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
    """The signed line that says how the log goes on."""

    def combined(self) -> Arriving:
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
                f"{error.filename} can't be read ({error.strerror}): mend that, or move it away"
            ) from None

    async def succeeded(self, running: Running, keys: Path, lost: Lost) -> Arriving:
        """Signs, after all known lines, that the log goes on under its new incarnation."""
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
