"""`passage restore`: make an empty data folder what a backup says, all of it or nothing."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from passage.backup_errors import BackupError, TargetNotEmptyError
from passage.cli.backup import KeyOption, SignerOption, events_of, signer_of, summary
from passage.cli.options import AsJson
from passage.connecting import connected
from passage.folders import LOCK_NAME, Folders, folders_of, locked
from passage.install.backup_keys import SECRET, read_identity
from passage.install.identities import make_identities
from passage.install.installation import accounts_of
from passage.install.provisioning import ask
from passage.install.quotas import Quota
from passage.integrity.backup.arriving import Arriving
from passage.integrity.backup.bars import byte_bar
from passage.integrity.backup.checking import newest_of
from passage.integrity.backup.durable import sync, sync_tree
from passage.integrity.backup.messages import warning_of_messages
from passage.integrity.backup.putting_back import PutBack, Target, put_back
from passage.integrity.backup.sealed_file import Member, opened
from passage.integrity.backup.signing import UNCHECKED
from passage.integrity.backup.taking import stream_names
from passage.integrity.backup.witnesses import (
    Lost,
    begin_incarnation,
    lost_against,
    read_witness,
    witness_folder,
)
from passage.integrity.witness_places import FILE_NAME, witnesses_of
from passage.printing import counted, err, out, print_json
from passage.runner.nats_server import NatsServer, NatsServerError
from passage.running import Running, find_running, settings_of_environment
from shared import subjects


@dataclass(frozen=True)
class Restored:
    """A system that came back."""

    file: Path
    data: Path
    done: PutBack
    lost: Lost
    incarnation: str | None
    """The new one, where events were lost."""
    seconds: float

    def as_json(self) -> dict[str, Any]:
        return {
            **summary(self.done.manifest),
            "file": str(self.file),
            "bytes": self.file.stat().st_size,
            "data": str(self.data),
            "seconds": round(self.seconds, 2),
            "read_models": self.done.read_models_sequence,
            "lost": self.lost._asdict(),
            "new_incarnation": self.incarnation,
            "notes": self.done.notes,
        }


@dataclass(frozen=True)
class Place:
    """Where to restore: the servers and how to log in, the database, and the checkpoints."""

    running: Running
    checkpoints: Arriving
    keys: Path
    """Where the witness's key is; the servers' identities may be passing ones."""


@dataclass(frozen=True)
class Reading:
    """A backup being read, with what is known of later checkpoints and whom to tell."""

    members: Iterable[Member]
    checkpoints: list[int]
    told: Callable[[str], None]
    signer: Ed25519PublicKey | None
    """Who must have signed the backup, if that is known here."""


class Filled(NamedTuple):
    """What came back, what didn't, and how the log goes on if something is lost."""

    done: PutBack
    lost: Lost
    incarnation: str | None
    checkpoints: Arriving


def restore_verb(  # noqa: PLR0913, PLR0917 - the options of a verb
    source: Annotated[Path, typer.Option("--from", help="A backup, or a folder: its newest.")],
    data: Annotated[Path, typer.Option("--data", help="New data folder; empty or not there.")],
    key: KeyOption = None,
    signer: SignerOption = None,
    witness: Annotated[
        list[Path] | None,
        typer.Option("--witness", help="A checkpoint file: says what is lost. May be repeated."),
    ] = None,
    database: Annotated[
        str | None, typer.Option("--database", help="An empty PostgreSQL instead of SQLite.")
    ] = None,
    into_running: Annotated[
        bool, typer.Option("--into-running", help="Fill the environment's empty nats-servers.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Restore a backup into an empty data folder; afterwards `passage up` and `passage verify`."""
    folders, file = folders_of(data), newest_of(source)
    identity = read_identity(key or folders.keys / SECRET)
    keys = find_running(folders.data).keys if into_running else folders.keys
    public = signer_of(signer, keys)
    checkpoints = [read_witness(path) for path in witness or ()]
    started = time.monotonic()
    with byte_bar(file, as_json) as (told, read), opened(file, identity, read) as members:
        reading = Reading(members, checkpoints, told, public)
        if into_running:
            done, lost, incarnation, _ = _into_running(folders, reading)
        else:
            witnesses = witnesses_of(folders)
            done, lost, incarnation, _ = _into_folder(folders, database, reading, witnesses)
    warning = warning_of_messages(done.manifest, datetime.now(UTC))
    done.notes += [] if warning is None else [warning]
    done.notes += [] if public is not None else [UNCHECKED]
    restored = Restored(file, folders.data, done, lost, incarnation, time.monotonic() - started)
    print_json(restored.as_json()) if as_json else _print(restored)


def restore_into(folders: Folders, file: Path, identity: Any) -> None:
    """Restores a backup into an empty data folder, saying nothing. Raises BackupError.

    Its checkpoints come to lie beside the folder, whatever witness files are named for others.
    """
    witnesses = (folders.witness / FILE_NAME,)
    with opened(file, identity, lambda _: None) as members:
        _into_folder(folders, None, Reading(members, [], lambda _: None, None), witnesses)


def restoring_server(draft: Folders) -> NatsServer:
    """The server that is filled, on a port that nobody knows.

    It doesn't sync each message: nats-server gives a restore up when it can't take the next chunk
    for five seconds, which synced writes of some thousand messages exceed. All is synced at once
    before the draft becomes the data folder; until then nobody relies on any of it.
    """
    make_identities(_passing_keys(draft))
    return NatsServer(
        data_dir=draft.nats, sync_interval='"1m"', extra_config=accounts_of(_passing_keys(draft))
    )


def restoring(draft: Folders, server: NatsServer) -> Running:
    """How to log in to the server that is filled, and the draft's database."""
    return Running.bare(server.url).model_copy(
        update={
            "keys": _passing_keys(draft),
            "database": draft.database_url,
            "quota": Quota.of(settings_of_environment()),
        }
    )


def _passing_keys(draft: Folders) -> Path:
    """The keeper of the draft's server has a seed of its own: the real key folder may be away."""
    return draft.data / "restoring.keys"


def _into_folder(
    folders: Folders, database: str | None, reading: Reading, witnesses: tuple[Path, ...]
) -> Filled:
    with _draft_of(folders) as draft:
        try:
            # Started here, on the main thread: it dies with the thread that starts it.
            with restoring_server(draft) as server:
                running = restoring(draft, server)
                if database is not None:
                    running = running.model_copy(update={"database": database})
                arriving = Arriving(witness_folder(draft.data), witnesses, folders.witness)
                place = Place(running, arriving, folders.keys)
                filled = asyncio.run(_fill(place, reading))
        except NatsServerError as error:
            raise BackupError(str(error)) from None
        shutil.rmtree(_passing_keys(draft))
        reading.told("onto the disk")
        sync_tree(draft.data)
        filled.checkpoints.put_in_place()
        draft.data.rename(folders.data)
        sync(folders.data.parent)
    return filled


def _into_running(folders: Folders, reading: Reading) -> Filled:
    running, witnesses = find_running(folders.data), witnesses_of(folders)
    # Beside the first of them, for nothing else may be writable.
    first = witnesses[0] if witnesses else folders.witness / FILE_NAME
    staging = first.with_name(f".{first.name}.restored")
    shutil.rmtree(staging, ignore_errors=True)
    place = Place(running, Arriving(staging, witnesses, folders.witness), running.keys)

    async def fill_or_clear() -> Filled:
        try:
            filled = await _fill(place, reading)
            filled.checkpoints.put_in_place()
        except TargetNotEmptyError:
            raise
        except BaseException:
            async with connected(place.running) as client:
                for name in await stream_names(client):  # There were none before.
                    await ask(client, f"STREAM.DELETE.{name}", None)
            raise
        return filled

    try:
        return asyncio.run(fill_or_clear())
    finally:
        shutil.rmtree(staging, ignore_errors=True)


async def _fill(place: Place, reading: Reading) -> Filled:
    async with connected(place.running) as client:
        running = place.running
        copies, quota, signer = running.replicas, running.quota, reading.signer
        folder = place.checkpoints.staging
        target = Target(client, running.database, copies, folder, quota, signer)
        done = await put_back(target, reading.members, reading.told)
        checkpoints = place.checkpoints.combined()
        newest = max([*reading.checkpoints, checkpoints.newest()], default=0)
        lost = lost_against(newest, done.manifest.stream(subjects.CASES).last_sequence)
        incarnation = await begin_incarnation(client) if lost.events else None
    if incarnation is not None:
        checkpoints = await checkpoints.succeeded(running, place.keys, lost)
    return Filled(done, lost, incarnation, checkpoints)


@contextmanager
def _draft_of(folders: Folders) -> Iterator[Folders]:
    """A folder beside the new one, which is gone afterwards; what an ended run left, too."""
    if folders.data.exists() and (not folders.data.is_dir() or any(folders.data.iterdir())):
        raise TargetNotEmptyError(f"{folders.data} is not empty; name a new folder with --data")
    draft = Folders(folders.data.with_name(f".{folders.data.name}.restoring"))
    draft.make()
    with locked(draft):
        try:
            _clear(draft)
            draft.make()
            yield draft
        finally:
            shutil.rmtree(witness_folder(draft.data), ignore_errors=True)
            shutil.rmtree(draft.data, ignore_errors=True)


def _clear(draft: Folders) -> None:
    """Takes away what an ended run left, but for the lock that is held."""
    shutil.rmtree(witness_folder(draft.data), ignore_errors=True)
    for path in draft.data.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != LOCK_NAME:
            path.unlink()


def _print(restored: Restored) -> None:
    done, lost = restored.done, restored.lost
    for note in done.notes:
        err.print(note)
    out.print(
        f"{restored.data}: {counted(events_of(done.manifest), 'event')} of "
        f"{done.manifest.started_at} from {restored.file.stat().st_size} bytes in "
        f"{restored.seconds:.1f} s"
    )
    if lost.events:
        out.print(f"events lost: {lost.events} (sequence {lost.first} to {lost.last})")
        out.print(f"the log has a new incarnation: {restored.incarnation}")
    else:
        out.print("events lost: none that a checkpoint knows of")
    out.print("next: the key files back into place, `passage up`, `passage verify`")
