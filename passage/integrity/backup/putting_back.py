"""Fills an empty nats-server and an empty database from a backup, and checks the result.

Nothing is trusted until the manifest, the last member, is read. After an error the caller
discards what was made.
"""

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from nats.aio.client import Client

from passage.backup_errors import (
    BackupError,
    BackupIncompleteError,
    StreamRefusedError,
    TargetNotEmptyError,
)
from passage.folders import FILE_MODE, FOLDER_MODE
from passage.install.provisioning import ask, existing, provision
from passage.install.quotas import USUAL, Quota
from passage.integrity.backup import witnesses
from passage.integrity.backup.checking import Contents
from passage.integrity.backup.manifest import (
    BEGIN,
    HEADER,
    NOT_COPIED,
    READ_MODELS,
    STREAMS,
    Manifest,
    StreamPart,
)
from passage.integrity.backup.sealed_file import Member
from passage.integrity.backup.snapshots import Json, Restoring, begin_restoring, content_sha256
from passage.integrity.backup.stream_configs import config_for, notes_on
from passage.integrity.backup.taking import APPEND_ONLY, QUEUES, stream_names
from services.query.feed import copying
from services.query.feed.database import DatabaseFailedError


@dataclass(frozen=True)
class Target:
    """A server without streams, an empty database, a folder for witnesses.

    Files already in that folder stay as they are.
    """

    client: Client
    database: str
    replicas: int
    witness: Path
    quota: Quota = USUAL
    signer: Ed25519PublicKey | None = None
    """Who must have signed the backup; None: that isn't checked."""


@dataclass
class PutBack:
    """What came back; `notes` are for the person who restores."""

    manifest: Manifest
    streams: dict[str, StreamPart]
    read_models_sequence: int | None = None
    notes: list[str] = field(default_factory=list)


async def put_back(
    target: Target, members: Iterable[Member], told: Callable[[str], None]
) -> PutBack:
    """Restores everything; `told` is called with the next step.

    Raises BackupError of any kind; then discard the server.
    """
    if await stream_names(target.client):
        raise TargetNotEmptyError("the log has streams already; restore onto an empty server")
    contents = Contents(members, target.signer)
    with ExitStack() as stack:
        filling = _Sink(target, stack, told)
        for member in contents:
            await filling.take(member)
        await filling.end_stream()
        manifest = contents.manifest
        done = PutBack(manifest, filling.streams, notes=filling.notes)
        _compare_streams(manifest, done.streams)
        told("definitions")
        await _provision(target, done)
        await _reset_consumers(target.client, contents.header.positions)
        for part in manifest.streams:
            if part.content_sha256 is not None:
                told(f"reading {part.name}")
                if await content_sha256(target.client, part) != part.content_sha256:
                    raise StreamRefusedError(
                        f"{part.name} came back with content other than what was copied"
                    )
        _keep_read_models(manifest, filling.read_models, done)
    return done


class _Sink:
    def __init__(self, target: Target, stack: ExitStack, told: Callable[[str], None]) -> None:
        self._target = target
        self._stack = stack
        self._told = told
        self._restoring: tuple[str, Restoring] | None = None
        self.read_models: copying.Filling | None = None
        self.streams: dict[str, StreamPart] = {}
        self.notes: list[str] = []
        self._last = ""
        self._kept_witness = False

    async def take(self, member: Member) -> None:
        goes_on = member.name == self._last
        self._last = member.name
        first, *rest = PurePosixPath(member.name).parts
        if member.name == HEADER:
            return
        if rest and first == STREAMS:
            await self._take_of_stream(rest[0], rest[-1], member.content)
        elif rest and first == READ_MODELS:
            self._rows().take(rest[0], member.content)
            await asyncio.sleep(0)  # The connection answers the server between any two pieces.
        elif rest and first == witnesses.FOLDER:
            self._take_witness(rest[0], member.content, goes_on)
        else:
            raise BackupIncompleteError(f"the backup holds {first}, which is not known here")

    async def end_stream(self) -> None:
        """Lets the server read what it was given of the stream, if one is under way."""
        if self._restoring is not None:
            name, restoring = self._restoring
            self._restoring = None
            self.streams[name] = await restoring.end()

    async def _take_of_stream(self, name: str, piece: str, content: bytes) -> None:
        if piece == BEGIN:
            await self.end_stream()
            self._told(name)
            begin: dict[str, Json] = json.loads(content)
            found, quota = begin["config"], self._target.quota
            self.notes += notes_on(found, quota)
            config = config_for(found, self._target.replicas, quota)
            begun = await begin_restoring(self._target.client, config, begin["state"])
            self._restoring = (name, begun)
        elif self._restoring is not None and self._restoring[0] == name:
            await self._restoring[1].put(content)
        else:
            raise BackupIncompleteError(f"the backup lacks the beginning of stream {name}")

    def _rows(self) -> copying.Filling:
        if self.read_models is None:
            self._told("read models")
            self.read_models = self._stack.enter_context(_filling(self._target.database))
        return self.read_models

    def _take_witness(self, name: str, content: bytes, goes_on: bool) -> None:
        path = self._target.witness / name
        if not goes_on:
            # An existing one is newer, and tells of what is lost.
            self._kept_witness = path.exists()
        if self._kept_witness:
            return
        try:
            path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
            with path.open("ab") as file:
                file.write(content)
            path.chmod(FILE_MODE)
        except OSError as error:
            raise BackupError(f"{path} can't be written ({error.strerror})") from None


@contextmanager
def _filling(url: str) -> Iterator[copying.Filling]:
    try:
        with copying.filling(url) as filling:
            yield filling
    except copying.DatabaseNotEmptyError:
        raise TargetNotEmptyError(
            "the database has tables already; name an empty one with --database"
        ) from None
    except copying.RowsMissingError:
        raise BackupIncompleteError(
            "the read models have other rows than the manifest says"
        ) from None
    except DatabaseFailedError as error:
        raise BackupError(str(error)) from None


def _compare_streams(manifest: Manifest, restored: dict[str, StreamPart]) -> None:
    for part in manifest.streams:
        there = restored.get(part.name)
        if there is None or not came_back(part, there):
            raise StreamRefusedError(
                f"{part.name} came back with sequences other than the manifest says"
            )


def came_back(part: StreamPart, there: StreamPart) -> bool:
    """Whether a stream is whole: all that was there and hasn't been processed since.

    Between its answer, which the manifest repeats, and the copying, the server goes on storing and
    acknowledging messages; and what is due by now fires as soon as it is back.
    """
    added = there.last_sequence - part.last_sequence
    if added < 0 or there.messages > part.messages + added:
        return False
    if part.name in APPEND_ONLY:
        is_from_the_first = there.first_sequence == part.first_sequence
        return is_from_the_first and there.messages == part.messages + added
    return part.name in QUEUES or there.messages >= part.messages


def _keep_read_models(manifest: Manifest, filling: copying.Filling | None, done: PutBack) -> None:
    part = manifest.read_models
    if filling is None or part is None:
        done.notes.append("the backup holds no read models; query builds them from the log")
    elif part.shape != copying.shape():
        done.notes.append("the read models are another version's; query builds them from the log")
    else:
        filling.keep(part.sequence, part.rows)
        done.read_models_sequence = part.sequence


async def _provision(target: Target, done: PutBack) -> None:
    for one in await provision(target.client, target.replicas, quota=target.quota):
        if not one.is_usable or (one.kind, one.state) == ("consumer", "unknown"):
            # An undefined consumer may publish what is stored to any subject.
            raise StreamRefusedError(f"{one.kind} {one.name} came back {one.summary}")
        if one.kind == "stream" and one.state == "made" and one.name not in NOT_COPIED:
            done.notes.append(f"{one.name} is not in the backup and was made empty")


async def _reset_consumers(client: Client, positions: dict[str, int]) -> None:
    for name, floor in positions.items():
        stream, _, consumer = name.partition("/")
        if floor and await existing(client, f"CONSUMER.INFO.{stream}.{consumer}") is not None:
            await ask(client, f"CONSUMER.RESET.{stream}.{consumer}", {"seq": floor + 1})
