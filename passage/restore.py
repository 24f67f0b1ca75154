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
from typing import Annotated, Any

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from passage.backing_up.bars import byte_bar
from passage.backing_up.checking import newest_of
from passage.backing_up.durable import sync, sync_tree
from passage.backing_up.errors import BackupError, TargetNotEmptyError
from passage.backing_up.messages import warning_of_messages
from passage.backing_up.putting_back import PutBack, Target, put_back
from passage.backing_up.recipient import SECRET, read_identity
from passage.backing_up.sealed_file import Member, opened
from passage.backing_up.signing import UNCHECKED
from passage.backing_up.taking import stream_names
from passage.backing_up.witnesses import (
    Lost,
    begin_incarnation,
    lost_against,
    newest_checkpoint,
    read_witness,
    witness_files,
    witness_folder,
)
from passage.backup import KeyOption, SignerOption, events_of, signer_of, summary
from passage.connecting import connected
from passage.exits import VerbEndedError
from passage.folders import LOCK_NAME, Folders, folders_of, locked
from passage.gating import Succession, check_gate, succeed
from passage.identities import make_identities
from passage.init import accounts_of
from passage.nats_server import NatsServer, NatsServerError
from passage.options import AsJson
from passage.printing import counted, err, out, print_json
from passage.provisioning import ask
from passage.quotas import Quota
from passage.running import Running, find_running, settings_of_environment
from passage.witness_places import FILE_NAME
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


REASON = "restored from a backup"


@dataclass(frozen=True)
class Place:
    """Where to restore: the servers and how to log in, the database, and the checkpoints."""

    running: Running
    witness: Path
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


Filled = tuple[PutBack, Lost, str | None]


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
            done, lost, incarnation = _into_running(folders, reading)
        else:
            done, lost, incarnation = _into_folder(folders, database, reading)
    warning = warning_of_messages(done.manifest, datetime.now(UTC))
    done.notes += [] if warning is None else [warning]
    done.notes += [] if public is not None else [UNCHECKED]
    restored = Restored(file, folders.data, done, lost, incarnation, time.monotonic() - started)
    print_json(restored.as_json()) if as_json else _print(restored)


def restore_into(folders: Folders, file: Path, identity: Any) -> None:
    """Restores a backup into an empty data folder, saying nothing. Raises BackupError."""
    with opened(file, identity, lambda _: None) as members:
        _into_folder(folders, None, Reading(members, [], lambda _: None, None))


def restoring_server(draft: Folders) -> NatsServer:
    """Gives the server that is filled, on a port that nobody knows.

    It doesn't sync each message: nats-server gives a restore up when it can't take the next chunk
    for five seconds, which synced writes of some thousand messages exceed. All is synced at once
    before the draft becomes the data folder; until then nobody relies on any of it.
    """
    make_identities(_passing_keys(draft))
    return NatsServer(
        data_dir=draft.nats, sync_interval='"1m"', extra_config=accounts_of(_passing_keys(draft))
    )


def restoring(draft: Folders, server: NatsServer) -> Running:
    """Gives how to log in to the server that is filled, and the draft's database."""
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


def _into_folder(folders: Folders, database: str | None, reading: Reading) -> Filled:
    with _draft_of(folders) as draft:
        try:
            # Started here, on the main thread: it dies with the thread that starts it.
            with restoring_server(draft) as server:
                running = restoring(draft, server)
                if database is not None:
                    running = running.model_copy(update={"database": database})
                place = Place(running, witness_folder(draft.data), folders.keys)
                filled = asyncio.run(_fill(place, reading))
        except NatsServerError as error:
            raise BackupError(str(error)) from None
        shutil.rmtree(_passing_keys(draft))
        reading.told("onto the disk")
        _move(draft, folders)
    return filled


def _into_running(folders: Folders, reading: Reading) -> Filled:
    running = find_running(folders.data)
    place = Place(running, witness_folder(folders.data), running.keys)

    async def fill_or_clear() -> Filled:
        try:
            return await _fill(place, reading)
        except TargetNotEmptyError:
            raise
        except BaseException:
            async with connected(place.running) as client:
                for name in await stream_names(client):  # There were none before.
                    await ask(client, f"STREAM.DELETE.{name}", None)
            raise

    return asyncio.run(fill_or_clear())


async def _fill(place: Place, reading: Reading) -> Filled:
    async with connected(place.running) as client:
        running = place.running
        copies, quota, signer = running.replicas, running.quota, reading.signer
        target = Target(client, running.database, copies, place.witness, quota, signer)
        done = await put_back(target, reading.members, reading.told)
        own = newest_checkpoint(witness_files(place.witness).values())
        newest = max([*reading.checkpoints, *([] if own is None else [own])], default=None)
        lost = lost_against(newest, done.manifest.stream(subjects.CASES).last_sequence)
        incarnation = await begin_incarnation(client) if lost.events else None
    if incarnation is not None:
        await _succeed(place, lost)
    return done, lost, incarnation


async def _succeed(place: Place, lost: Lost) -> None:
    """Signs that the log goes on under its new incarnation, where its witness files came back."""
    running = place.running.model_copy(
        update={"witnesses": (place.witness / FILE_NAME,), "witness_keys": place.keys}
    )
    try:
        gate = await check_gate(running)
        previous = min(gate.witnessed.current, default="")
        succeed(gate, running, Succession(previous, gate.heads.sequence, lost.events, REASON))
    except VerbEndedError as error:
        err.print(f"the gate will be closed, because no witness file knows this log: {error}")


@contextmanager
def _draft_of(folders: Folders) -> Iterator[Folders]:
    """Gives a folder beside the new one, which is gone afterwards; what an ended run left, too."""
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


def _move(draft: Folders, folders: Folders) -> None:
    """Makes the draft the data folder, in one step: before, there is none; after, it is whole."""
    sync_tree(draft.data)
    witness, old_witness = witness_folder(draft.data), witness_folder(folders.data)
    if witness.is_dir() and not old_witness.exists():
        sync_tree(witness)
        witness.rename(old_witness)
    draft.data.rename(folders.data)
    sync(folders.data.parent)


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
