"""Backups for tests: a key pair, and copies of a bare server that holds what the test put there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from nats.aio.client import Client
from pyrage.x25519 import Identity  # type: ignore[import-untyped]

from passage.folders import FILE_MODE
from passage.integrity.backup.durable import HashedFile
from passage.integrity.backup.manifest import MANIFEST, Manifest
from passage.integrity.backup.putting_back import PutBack, Target, put_back
from passage.integrity.backup.sealed_file import Member, opened, sealed
from passage.integrity.backup.taking import Source, take

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
