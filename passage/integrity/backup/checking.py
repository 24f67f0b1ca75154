"""Reads a backup to its end and compares it with its manifest; needs no server and no disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from passage.backup_errors import BackupDamagedError
from passage.integrity.backup.manifest import (
    HEADER,
    MANIFEST,
    SIGNATURE,
    Manifest,
    Tally,
    compare,
    read_header,
    read_manifest,
)
from passage.integrity.backup.sealed_file import Member, opened
from passage.integrity.backup.signing import check_signature

PATTERN = "passage-*.age"


def check(
    path: Path,
    identity: Any,
    told: Callable[[int], None],
    signer: Ed25519PublicKey | None = None,
    seen: Callable[[Member], None] = lambda _: None,
) -> Manifest:
    """The manifest of a good backup; `seen` gets each member.

    Raises BackupError, of the kind that fits.
    """
    tally, last, signature = Tally(), None, None
    with opened(path, identity, told) as members:
        for member in members:
            if member.name == MANIFEST:
                last = member.content
                continue
            if member.name == SIGNATURE:
                signature = member.content
                continue
            tally.take(member.name, member.content)
            seen(member)
            if member.name == HEADER:
                read_header(member.content)
    manifest = read_manifest(last)
    check_signature(signer, last or b"", signature)
    compare(manifest, tally)
    return manifest


def backups_in(folder: Path) -> list[Path]:
    """The backups in a folder, the oldest first: their names say when they were taken."""
    return sorted(folder.glob(PATTERN))


def newest_of(path: Path) -> Path:
    """The file itself, or the newest backup in a folder. Raises BackupDamagedError."""
    found = backups_in(path) if path.is_dir() else [path]
    if not found or not found[-1].is_file():
        raise BackupDamagedError(f"there is no backup at {path}")
    return found[-1]
