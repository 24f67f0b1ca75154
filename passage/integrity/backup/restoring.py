"""Fills an empty data folder, or empty nats-servers, from a backup: all of it or nothing."""

import asyncio
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from passage.backup_errors import BackupError, TargetNotEmptyError
from passage.connecting import connected
from passage.folders import LOCK_NAME, Folders, locked
from passage.install.identities import make_identities
from passage.install.installation import accounts_of
from passage.install.provisioning import ask
from passage.install.quotas import Quota
from passage.integrity.backup.durable import sync, sync_tree
from passage.integrity.backup.putting_back import PutBack, Target, put_back
from passage.integrity.backup.sealed_file import Member, opened
from passage.integrity.backup.taking import stream_names
from passage.integrity.backup.witnesses import Arriving, Lost, begin_incarnation, lost_against
from passage.runner.nats_server import NatsServer, NatsServerError
from passage.running import (
    WITNESS_FILE,
    Running,
    find_running,
    settings_of_environment,
    witnesses_of,
)
from shared import subjects


@dataclass(frozen=True)
class Incoming:
    """A backup to restore, what is known of it here, and whom to tell about progress."""

    file: Path
    identity: Any
    signer: Ed25519PublicKey | None = None
    """Who must have signed it; None: that isn't checked."""
    checkpoints: Sequence[int] = ()
    """The newest of other witness files: they say what is lost."""
    told: Callable[[str], None] = lambda _: None
    read: Callable[[int], None] = lambda _: None


@dataclass(frozen=True)
class Restored:
    """What came back, what didn't, and how the log continues if something is lost."""

    done: PutBack
    lost: Lost
    incarnation: str | None
    """The new one, if events were lost."""
    checkpoints: Arriving


def restore(
    folders: Folders, backup: Incoming, witnesses: tuple[Path, ...], database: str | None = None
) -> Restored:
    """Restores into an empty data folder, or its rows into another database. Raises BackupError.

    `witnesses`: where its checkpoints go, beside the folder or elsewhere.
    """
    with opened(backup.file, backup.identity, backup.read) as members, _draft_of(folders) as draft:
        arriving = Arriving(draft.witness, witnesses, folders.witness)
        try:
            # Started here, on the main thread: it dies with the thread that starts it.
            with restoring_server(draft) as server:
                running = restoring(draft, server)
                if database is not None:
                    running = running.model_copy(update={"database": database})
                restored = asyncio.run(_fill(running, folders.keys, arriving, backup, members))
        except NatsServerError as error:
            raise BackupError(str(error)) from None
        shutil.rmtree(_passing_keys(draft))
        backup.told("onto the disk")
        sync_tree(draft.data)
        restored.checkpoints.put_in_place()
        draft.data.rename(folders.data)
        sync(folders.data.parent)
    return restored


def restore_into_running(folders: Folders, backup: Incoming) -> Restored:
    """Fills the empty nats-servers of the environment. Raises BackupError."""
    running, witnesses = find_running(folders.data), witnesses_of(folders)
    # Beside the first of them, for nothing else may be writable.
    first = witnesses[0] if witnesses else folders.witness / WITNESS_FILE
    staging = first.with_name(f".{first.name}.restored")
    shutil.rmtree(staging, ignore_errors=True)
    arriving = Arriving(staging, witnesses, folders.witness)

    async def fill_or_clear(members: Iterable[Member]) -> Restored:
        try:
            restored = await _fill(running, running.keys, arriving, backup, members)
            restored.checkpoints.put_in_place()
        except TargetNotEmptyError:
            raise
        except BaseException:
            async with connected(running) as client:
                for name in await stream_names(client):  # There were none before.
                    await ask(client, f"STREAM.DELETE.{name}", None)
            raise
        return restored

    try:
        with opened(backup.file, backup.identity, backup.read) as members:
            return asyncio.run(fill_or_clear(members))
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def restoring_server(draft: Folders) -> NatsServer:
    """The server being filled, on a port that nobody knows.

    It doesn't sync each message: nats-server aborts a restore if it can't accept the next chunk
    for five seconds, which synced writes of some thousand messages exceed. Everything is synced at
    once before the draft becomes the data folder; until then nobody relies on any of it.
    """
    make_identities(_passing_keys(draft))
    return NatsServer(
        data_dir=draft.nats, sync_interval='"1m"', extra_config=accounts_of(_passing_keys(draft))
    )


def restoring(draft: Folders, server: NatsServer) -> Running:
    """How to log in to the server being filled, and the draft's database."""
    return Running.bare(server.url).model_copy(
        update={
            "keys": _passing_keys(draft),
            "database": draft.database_url,
            "quota": Quota.of(settings_of_environment()),
        }
    )


def _passing_keys(draft: Folders) -> Path:
    """The draft server's keeper has a seed of its own: the real key folder may be missing."""
    return draft.data / "restoring.keys"


async def _fill(
    running: Running, keys: Path, arriving: Arriving, backup: Incoming, members: Iterable[Member]
) -> Restored:
    """`keys`: where the witness's key is; the servers' identities may be temporary ones."""
    async with connected(running) as client:
        copies, quota, folder = running.replicas, running.quota, arriving.staging
        target = Target(client, running.database, copies, folder, quota, backup.signer)
        done = await put_back(target, members, backup.told)
        checkpoints = arriving.combined()
        newest = max([*backup.checkpoints, checkpoints.newest()], default=0)
        lost = lost_against(newest, done.manifest.stream(subjects.CASES).last_sequence)
        incarnation = await begin_incarnation(client) if lost.events else None
    if incarnation is not None:
        checkpoints = await checkpoints.succeeded(running, keys, lost)
    return Restored(done, lost, incarnation, checkpoints)


@contextmanager
def _draft_of(folders: Folders) -> Iterator[Folders]:
    """A temporary folder beside the new one; also removes what an ended run left."""
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
            shutil.rmtree(draft.witness, ignore_errors=True)
            shutil.rmtree(draft.data, ignore_errors=True)


def _clear(draft: Folders) -> None:
    """Removes what an ended run left, except the lock that is held."""
    shutil.rmtree(draft.witness, ignore_errors=True)
    for path in draft.data.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != LOCK_NAME:
            path.unlink()
