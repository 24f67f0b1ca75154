"""Writes a backup of a running system into a new file, and reads it again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from passage.backup_errors import BackupDamagedError, BackupError
from passage.connecting import connected
from passage.folders import FILE_MODE, FOLDER_MODE, folders_of
from passage.install.backup_keys import SECRET, read_identity, read_recipient
from passage.integrity.backup.checking import PATTERN, check
from passage.integrity.backup.durable import HashedFile, hash_on_disk, remove_abandoned, sync
from passage.integrity.backup.sealed_file import SealedWriter, sealed
from passage.integrity.backup.signing import own_key
from passage.integrity.backup.taking import ORDER, Source, Taken, take
from passage.running import find_running

STEPS = len(ORDER) + 3
DRAFT = ".draft"


@dataclass(frozen=True)
class Written:
    path: Path
    taken: Taken
    bytes: int
    seconds: float
    opened: bool
    """Whether it was opened and compared; without backup.key only its bytes were read again."""
    is_signed: bool

    def as_json(self) -> dict[str, Any]:
        return {
            "file": str(self.path),
            "bytes": self.bytes,
            "seconds": round(self.seconds, 2),
            "checked": "opened" if self.opened else "bytes",
            "signed": self.is_signed,
            "read_models_missing": self.taken.read_models_missing,
            "checkpoints_missing": list(self.taken.witnesses_missing),
            **self.taken.manifest.summary(),
        }


def write_backup(data: Path, to: Path, told: Callable[[str], None] = lambda _: None) -> Written:
    """`told` is called with the next step. Raises BackupError of any kind."""
    started = time.monotonic()
    running = find_running(data)
    recipient, secret = read_recipient(running.keys), running.keys / SECRET
    to.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    remove_abandoned(to.glob(f"{PATTERN}{DRAFT}"))
    path = to / f"passage-{datetime.now(UTC):%Y%m%dT%H%M%S%f}Z.age"
    draft = path.with_name(f"{path.name}{DRAFT}")
    witness, signer = folders_of(data).witness, own_key(running.witness_keys or running.keys)

    async def fill(writer: SealedWriter) -> Taken:
        async with connected(running) as client:
            where = (running.database, running.replicas, witness, signer, running.witnesses)
            return await take(Source(client, *where), writer, told)

    try:
        with closing(HashedFile(draft, FILE_MODE)) as file:
            with sealed(file, recipient) as writer:
                taken = asyncio.run(fill(writer))
            digest = file.end()
        if hash_on_disk(draft) != digest:
            raise BackupDamagedError(f"{to} doesn't give back what was written; take another disk")
        if opens := secret.exists():
            public = signer.public_key() if signer is not None else None
            check(draft, read_identity(secret), lambda _bytes: None, public)
        draft.replace(path)
        sync(to)
    except OSError as error:
        raise BackupError(f"{to} doesn't take the backup ({error.strerror or error})") from None
    finally:
        draft.unlink(missing_ok=True)
    return Written(
        path=path,
        taken=taken,
        bytes=path.stat().st_size,
        seconds=time.monotonic() - started,
        opened=opens,
        is_signed=signer is not None,
    )
