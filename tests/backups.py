"""Streams of a bare server for tests: what fills and reads them, and backups of them."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nats.aio.client import Client
from pyrage.x25519 import Identity  # type: ignore[import-untyped]

from passage.connecting import connected
from passage.folders import FILE_MODE
from passage.install.provisioning import ask
from passage.integrity.backup.durable import HashedFile
from passage.integrity.backup.manifest import MANIFEST, Manifest
from passage.integrity.backup.putting_back import PutBack, Target, put_back
from passage.integrity.backup.sealed_file import Member, opened, sealed
from passage.integrity.backup.taking import STEPS, Source, take
from passage.integrity.log_reading import last_sequence
from passage.runner.nats_server import NatsServer
from shared.subjects import timers_stream
from tests.waiting import WITHIN_S

FIRST_PARKED = 10
FIRST_CALLS = STEPS + FIRST_PARKED + 10
"""Each step of a backup takes one away: with fewer, a new bucket would leave nothing to take."""


async def put(client: Client, subject: str, body: bytes = b"", headers: Any = None) -> int:
    """Stores a message and gives its sequence."""
    reply = await client.request(subject, body, timeout=WITHIN_S, headers=headers)
    return int(json.loads(reply.data)["seq"])


async def delete(client: Client, stream: str, sequence: int) -> None:
    await ask(client, f"STREAM.MSG.DELETE.{stream}", {"seq": sequence})


async def messages(client: Client, stream: str) -> list[dict[str, Any]]:
    found = []
    for sequence in range(1, await last_sequence(client, stream) + 1):
        reply = await client.request(
            f"$JS.API.STREAM.MSG.GET.{stream}",
            json.dumps({"seq": sequence}).encode(),
            WITHIN_S,
        )
        answer = json.loads(reply.data)
        if "message" in answer:
            found.append(answer["message"])
    return found


class Arrivals:
    """Calls, parked messages and timers on their way into CASES, as services take them there."""

    def __init__(self, server: NatsServer) -> None:
        self._server = server
        self.accepted: set[str] = set()
        self._count = 0

    async def begin(self) -> None:
        async with connected(self._server.url) as client:
            for _ in range(FIRST_CALLS):
                await self._accept(client)
                await put(client, f"timers.intake.t{self._count}", b"t%d" % self._count)
                self.accepted.add(f"t{self._count}")
            for _ in range(FIRST_PARKED):  # So many rounds a message stays where it is.
                await self._park(client)

    async def round(self) -> None:
        """One message goes each of the ways; each step in the services' order."""
        async with connected(self._server.url) as client:
            await self._accept(client)
            await self._record(client, timers_stream("intake"))
            await self._record(client, "PARKED")
            await self._park(client)
            await self._record(client, "CALLS_phone")

    async def _accept(self, client: Client) -> None:
        self._count += 1
        await put(client, "calls.phone", b"c%d" % self._count)
        self.accepted.add(f"c{self._count}")

    async def _park(self, client: Client) -> None:
        first = (await messages(client, "CALLS_phone"))[0]
        await put(client, "parked.intake.fault", text(first).encode())
        await delete(client, "CALLS_phone", first["seq"])

    async def _record(self, client: Client, stream: str) -> None:
        first = (await messages(client, stream))[0]
        await put(client, f"$KV.INDEX.{text(first)}", b"{}")
        await put(client, f"$KV.KEYS.{text(first)}", b"key")
        await put(client, f"cases.{text(first)}.1.CaseOpened")
        await delete(client, stream, first["seq"])


def text(message: dict[str, Any]) -> str:
    return base64.b64decode(message["data"]).decode()


NO_DATABASE = "sqlite:////nowhere/query.db"


def new_identity() -> Any:
    return Identity.generate()


def silent(_step: object) -> None:
    """Hears what is copied, and does nothing."""


async def back_up(
    client: Client,
    path: Path,
    identity: Any,
    told: Callable[[str], None] = silent,
    replicas: int = 1,
) -> Manifest:
    """Copies a server's streams into a new file."""
    file = HashedFile(path, FILE_MODE)
    source = Source(client, NO_DATABASE, replicas, path.parent / "no-witness")
    with sealed(file, identity.to_public()) as writer:
        taken = await take(source, writer, told)
    file.end()
    return taken.manifest


async def restore(client: Client, path: Path, identity: Any, replicas: int = 1) -> PutBack:
    database = f"sqlite:///{path.parent / 'restored.db'}"
    target = Target(client, database, replicas, path.parent / "restored-witness")
    with opened(path, identity, silent) as members:
        return await put_back(target, members, silent)


def members_of(path: Path, identity: Any) -> list[Member]:
    with opened(path, identity, silent) as members:
        return list(members)


def write_members(path: Path, identity: Any, members: list[Member]) -> None:
    """Makes a backup of other members, as somebody could who has the public key."""
    file = HashedFile(path, FILE_MODE)
    with sealed(file, identity.to_public()) as writer:
        for member in members:
            writer.put(*member)
    file.end()


def with_manifest(members: list[Member], manifest: Manifest) -> list[Member]:
    others = [one for one in members if one.name != MANIFEST]
    return [*others, Member(MANIFEST, manifest.model_dump_json().encode())]
