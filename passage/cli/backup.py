"""`passage backup`: copy a running system into one encrypted file, and check such a file."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from passage.backup_errors import BackupDamagedError, BackupError, BackupKeyError
from passage.cli.options import DEFAULT_DATA_DIR, AsJson, DataDir
from passage.connecting import connected
from passage.exits import Exit, VerbEndedError
from passage.folders import FILE_MODE, FOLDER_MODE, folders_of
from passage.install.backup_keys import SECRET, read_identity, read_recipient
from passage.install.quotas import Quota
from passage.integrity.backup.bars import byte_bar, step_bar
from passage.integrity.backup.checking import PATTERN, backups_in, check
from passage.integrity.backup.durable import HashedFile, hash_on_disk, remove_abandoned, sync
from passage.integrity.backup.manifest import Manifest
from passage.integrity.backup.sealed_file import SealedWriter, sealed
from passage.integrity.backup.signing import UNCHECKED, known_signer, own_key
from passage.integrity.backup.stream_configs import Definitions
from passage.integrity.backup.taking import ORDER, Source, Taken, take
from passage.integrity.backup.witnesses import witness_folder
from passage.printing import counted, err, out, print_json, print_table
from passage.running import Running, find_running, settings_of_environment
from shared import subjects
from shared.keyfiles import KeyFilesError, read_secret

STEPS = len(ORDER) + 3
DRAFT = ".draft"
KeyOption = Annotated[
    Path | None,
    typer.Option("--key", help="The backups' backup.key.", show_default="the key folder's"),
]
SignerOption = Annotated[
    Path | None,
    typer.Option("--signer", help="A copy of witness.pub.", show_default="the key folder's"),
]

backup = typer.Typer(
    help="Copy a running system into one encrypted file, or check such a file.",
    invoke_without_command=True,
)


@dataclass(frozen=True)
class Written:
    """A backup on the disk."""

    path: Path
    taken: Taken
    bytes: int
    seconds: float
    opened: bool
    """Whether it was opened and compared; without backup.key only its bytes were read again."""
    is_signed: bool
    """Whether its manifest is signed, with the witness's key."""

    def as_json(self) -> dict[str, Any]:
        return {
            "file": str(self.path),
            "bytes": self.bytes,
            "seconds": round(self.seconds, 2),
            "checked": "opened" if self.opened else "bytes",
            "signed": self.is_signed,
            "read_models_missing": self.taken.read_models_missing,
            "checkpoints_missing": list(self.taken.witnesses_missing),
            **summary(self.taken.manifest),
        }


@backup.callback()
def backup_verb(
    context: typer.Context,
    to: Annotated[Path | None, typer.Option("--to", help="Folder for the file.")] = None,
    keep: Annotated[
        int | None, typer.Option(min=1, help="Delete all but so many of the folder's backups.")
    ] = None,
    data: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Copy log, buckets, read models and checkpoints into a new encrypted file in a folder."""
    if context.invoked_subcommand is not None:
        return
    if to is None:
        raise VerbEndedError(Exit.USAGE, "name the folder for the backup with --to")
    written = write_backup(data, to, as_json)
    dropped = [] if keep is None else backups_in(to)[:-keep]
    for old in dropped:
        old.unlink()
    if as_json:
        print_json({**written.as_json(), "deleted": [str(old) for old in dropped]})
        return
    if written.taken.read_models_missing:
        err.print(f"without read models: {written.taken.read_models_missing}")
    for missing in written.taken.witnesses_missing:
        err.print(f"without the checkpoints of {missing}; name them in PASSAGE_WITNESS_FILES")
    if not written.is_signed:
        err.print("not signed: witness.key isn't among the key files here")
    out.print(
        f"{written.path}: {counted(events_of(written.taken.manifest), 'event')}, "
        f"{written.bytes} bytes, "
        f"{written.seconds:.1f} s"
    )


@backup.command("check")
def check_verb(
    file: Annotated[Path, typer.Argument(help="The backup.")],
    key: KeyOption = None,
    signer: SignerOption = None,
    data: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Open a backup, and compare it with its manifest and its streams with their definitions.

    Changes nothing. Exit code 1 where it is damaged, or a stream in it is defined otherwise.
    """
    definitions = Definitions(Quota.of(settings_of_environment()))
    identity = read_identity(key or folders_of(data).keys / SECRET)
    public = signer_of(signer, folders_of(data).keys)
    with byte_bar(file, as_json) as (_, read):
        manifest = check(file, identity, read, public, seen=definitions.take)
    if as_json:
        checked = {"file": str(file), "signature_checked": public is not None}
        print_json({**checked, **summary(manifest), "definitions": definitions.notes})
    else:
        _print_checked(file, manifest)
    if public is None:
        err.print(UNCHECKED)
    for note in definitions.notes:
        err.print(note)
    if definitions.notes:
        raise typer.Exit(Exit.FAILED)


def _print_checked(file: Path, manifest: Manifest) -> None:
    rows = [
        (one.name, one.messages, one.first_sequence, one.last_sequence) for one in manifest.streams
    ]
    print_table(f"{file} is whole", ("stream", "messages", "first", "last"), rows)


def write_backup(data: Path, to: Path, quiet: bool) -> Written:
    """Takes a backup into a new file and reads it again. Raises BackupError of any kind."""
    started = time.monotonic()
    running = find_running(data)
    recipient, secret = read_recipient(running.keys), running.keys / SECRET
    to.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    remove_abandoned(to.glob(f"{PATTERN}{DRAFT}"))
    path = to / f"passage-{datetime.now(UTC):%Y%m%dT%H%M%S%f}Z.age"
    draft = path.with_name(f"{path.name}{DRAFT}")
    witness, signer = witness_folder(folders_of(data).data), signing_key(running)

    async def fill(writer: SealedWriter, told: Callable[[str], None]) -> Taken:
        async with connected(running) as client:
            where = (running.database, running.replicas, witness, signer, running.witnesses)
            return await take(Source(client, *where), writer, told)

    try:
        with closing(HashedFile(draft, FILE_MODE)) as file:
            with step_bar(STEPS, quiet) as told, sealed(file, recipient) as writer:
                taken = asyncio.run(fill(writer, told))
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


def signing_key(running: Running) -> Ed25519PrivateKey | None:
    """Reads what signs this system's backups, or gives None. Raises BackupKeyError."""
    try:
        return own_key(running.witness_keys or running.keys)
    except KeyFilesError as error:
        raise BackupKeyError(str(error)) from None


def signer_of(named: Path | None, keys: Path) -> Ed25519PublicKey | None:
    """Reads who must have signed: the file named, else the key folder's. Raises BackupKeyError."""
    if named is None:
        return known_signer(keys)
    try:
        return Ed25519PublicKey.from_public_bytes(read_secret(named))
    except KeyFilesError as error:
        raise BackupKeyError(str(error)) from None


def summary(manifest: Manifest) -> dict[str, Any]:
    """A manifest's figures for scripts."""
    shown = manifest.model_dump(mode="json", include={"started_at", "ended_at", "incarnation"})
    return {
        "events": events_of(manifest),
        **shown,
        "newest_checkpoint": manifest.newest_checkpoint,
        "read_models": None if manifest.read_models is None else manifest.read_models.sequence,
        "streams": [one.model_dump() for one in manifest.streams],
    }


def events_of(manifest: Manifest) -> int:
    """How many events the backup holds."""
    return manifest.stream(subjects.CASES).messages
