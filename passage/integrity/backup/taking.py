"""Takes a backup of a running system, without stopping it.

The system keeps running, so the order keeps the copy consistent: sources first, then what they
rely on:

1. positions of the durable consumers: later work is repeated after a restore, which is harmless,
   because messages are idempotent by id. Taken later, a consumer could claim to have set a timer
   that was not yet in the copy of TIMERS.
2. checkpoints: none is newer than the copied log; otherwise the backup would contradict itself.
3. read models: they follow the log, so the copied log has all that they have.
4. TIMERS, calls, early ends, PARKED: a message leaves them only after its events are in CASES. A
   call that its copy lacks is therefore in the copy of CASES; one in both is a repetition.
5. CASES.
6. INDEX, KEYS: entry and data key are written before the event that relies on them, so every
   copied event finds its own. They may hold more: reservations of events that came too late.
7. AUDIT, and streams that this program doesn't know.

OUTBOUND is left out: its messages were given to a channel, and may not be given to it again.

So a backup holds everything acknowledged before it began, whatever came in while it was taken.
"""

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from nats.aio.client import Client

from passage.backup_errors import BackupDamagedError, BackupError
from passage.connecting import connected
from passage.folders import FILE_MODE, FOLDER_MODE, folders_of
from passage.install.backup_keys import SECRET, read_identity, read_recipient
from passage.install.comparing import incarnation_of
from passage.install.definitions import TIMED
from passage.install.provisioning import all_streams, consumers_of
from passage.integrity.backup.checking import PATTERN, check, own_key, signature_of
from passage.integrity.backup.durable import HashedFile, hash_on_disk, remove_abandoned, sync
from passage.integrity.backup.manifest import (
    BEGIN,
    HEADER,
    MANIFEST,
    NOT_COPIED,
    READ_MODELS,
    SIGNATURE,
    STREAMS,
    Header,
    Manifest,
    ReadModelsPart,
    StreamPart,
)
from passage.integrity.backup.sealed_file import SealedWriter, sealed
from passage.integrity.backup.snapshots import Json, content_sha256, snapshot_of
from passage.integrity.backup.witnesses import (
    FOLDER,
    files_to_copy,
    newest_checkpoint,
    pieces_of,
    size_of,
)
from passage.running import find_running
from services.query.feed import copying
from services.query.feed.database import DatabaseFailedError
from shared import subjects
from shared.policy import policy

INDEX = f"KV_{subjects.INDEX_BUCKET}"
KEYS = f"KV_{subjects.KEYS_BUCKET}"
EARLY_ENDS = f"KV_{subjects.EARLY_ENDS_BUCKET}"
COUNTERS = (f"KV_{subjects.COUNTERS_BUCKET}", f"KV_{subjects.LOGIN_COUNTERS_BUCKET}")
TIMERS = tuple(map(subjects.timers_stream, TIMED))
ORDER = (
    *TIMERS,
    *map(subjects.calls_stream, policy().channels.names),
    EARLY_ENDS,
    subjects.PARKED,
    subjects.CASES,
    INDEX,
    KEYS,
    *COUNTERS,
    subjects.AUDIT,
)
"""The order of the streams; others come last."""
APPEND_ONLY = frozenset({subjects.CASES, INDEX, subjects.AUDIT})
"""Streams whose messages up to a sequence never change, so that they can be read apart."""
QUEUES = frozenset({*TIMERS, *map(subjects.calls_stream, policy().channels.names), subjects.PARKED})
"""Streams that messages leave once they are processed."""
STEPS = len(ORDER) + 3
DRAFT = ".draft"

Told = Callable[[str], None]
"""Called with the next step."""


@dataclass(frozen=True)
class Source:
    """What to copy: the log, the database, and the checkpoints.

    `witness` is the checkpoints' usual folder, `witnesses` the named files.
    """

    client: Client
    database: str
    replicas: int
    witness: Path
    signer: Ed25519PrivateKey | None = None
    """Signs the manifest; without it nobody can tell who made the backup."""
    witnesses: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Taken:
    """What was copied; `read_models_missing` says why there are none, if so."""

    manifest: Manifest
    read_models_missing: str = ""
    witnesses_missing: tuple[str, ...] = ()
    """Named witness files that couldn't be copied, and why."""


async def take(source: Source, writer: SealedWriter, told: Told) -> Taken:
    """Raises StreamRefusedError, BackupIncompleteError, and VerbEndedError (5) on no answer."""
    client, started_at = source.client, datetime.now(UTC)
    told("positions")
    names = [one for one in await stream_names(client) if one not in NOT_COPIED]
    positions = await _positions(client, names)
    header = Header(passage_version=version("passage"), started_at=started_at, positions=positions)
    writer.put(HEADER, header.model_dump_json().encode())
    told("checkpoints")
    newest, not_copied = await asyncio.to_thread(_checkpoints, source, writer)
    told("read models")
    # In a thread, or a large database would keep the connection from answering the server.
    read_models, missing = await asyncio.to_thread(_read_models, source.database, writer)
    parts, incarnation = [], None
    for name in names:
        told(name)
        part, config = await _stream(client, name, writer)
        parts.append(part)
        if name == subjects.CASES:
            incarnation = incarnation_of(config) or None
    manifest = Manifest(
        passage_version=header.passage_version,
        nats_server_version=str(client.connected_server_version),
        started_at=started_at,
        ended_at=datetime.now(UTC),
        incarnation=incarnation,
        replicas=source.replicas,
        streams=tuple(parts),
        read_models=read_models,
        newest_checkpoint=newest,
        parts=writer.tally.parts(),
    )
    content = manifest.model_dump_json().encode()
    writer.put(MANIFEST, content)
    if source.signer is not None:
        writer.put(SIGNATURE, signature_of(source.signer, content))
    return Taken(manifest, missing, not_copied)


async def stream_names(client: Client) -> list[str]:
    known = {name: place for place, name in enumerate(ORDER)}
    return sorted(await all_streams(client), key=lambda name: (known.get(name, len(known)), name))


async def _positions(client: Client, names: list[str]) -> dict[str, int]:
    positions: dict[str, int] = {}
    for stream in names:
        for one in await consumers_of(client, stream):
            if one["config"].get("durable_name"):
                positions[f"{stream}/{one['name']}"] = one["ack_floor"]["stream_seq"]
    return positions


async def _stream(client: Client, name: str, writer: SealedWriter) -> tuple[StreamPart, Json]:
    folder = f"{STREAMS}/{name}"
    async with snapshot_of(client, name) as snapshot:
        begin = {"config": snapshot.config, "state": snapshot.state}
        writer.put(f"{folder}/{BEGIN}", json.dumps(begin).encode())
        number = 0
        async for chunk in snapshot.chunks:
            writer.put(f"{folder}/{number:08}", chunk)
            number += 1
    part = snapshot.part()
    if name in APPEND_ONLY:
        content = await content_sha256(client, part)
        part = part.model_copy(update={"content_sha256": content})
    return part, snapshot.config


def _checkpoints(source: Source, writer: SealedWriter) -> tuple[int | None, tuple[str, ...]]:
    """Copies the witness files, of any size, and finds their newest checkpoint."""
    newest, missing = [], [f"{path}: not there" for path in source.witnesses if not path.is_file()]
    for name, path in files_to_copy(source.witness, source.witnesses).items():
        try:
            found = newest_checkpoint(pieces_of([path]))
            file = path.open("rb")
        except OSError as error:
            missing.append(f"{path}: {error.strerror}")
            continue
        with file:
            writer.put_file(f"{FOLDER}/{name}", file, size_of(file))
        newest += [] if found is None else [found]
    return max(newest, default=None), tuple(missing)


def _read_models(url: str, writer: SealedWriter) -> tuple[ReadModelsPart | None, str]:
    """Copies the read models; a database that is down must not keep the log from being copied."""
    try:
        with copying.copying(url) as copy:
            for name, content in copy.members():
                writer.put(f"{READ_MODELS}/{name}", content)
            part = ReadModelsPart(shape=copying.shape(), sequence=copy.sequence, rows=copy.rows)
            return part, ""
    except (copying.NoReadModelsError, DatabaseFailedError) as error:
        return None, str(error)


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


def write_backup(data: Path, to: Path, told: Told = lambda _: None) -> Written:
    """Into a new file, which is read again. Raises BackupError of any kind."""
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
            raise BackupDamagedError(f"{to} doesn't return what was written; use another disk")
        if opens := secret.exists():
            public = signer.public_key() if signer is not None else None
            check(draft, read_identity(secret), lambda _bytes: None, public)
        draft.replace(path)
        sync(to)
    except OSError as error:
        raise BackupError(f"{to} doesn't accept the backup ({error.strerror or error})") from None
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
