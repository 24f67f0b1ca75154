"""Reads a backup to its end and compares it with its manifest; needs no server and no disk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from passage.backup_errors import BackupDamagedError
from passage.integrity.backup.manifest import (
    HEADER,
    MANIFEST,
    SIGNATURE,
    Header,
    Manifest,
    Tally,
    compare,
    read_header,
    read_manifest,
)
from passage.integrity.backup.sealed_file import Member, opened
from passage.integrity.backup.signing import check_signature

PATTERN = "passage-*.age"


class Contents:
    """A backup's members but the manifest, compared with it once all are read.

    Reading raises the fitting BackupError; believe nothing before the end.
    """

    header: Header
    manifest: Manifest

    def __init__(self, members: Iterable[Member], signer: Ed25519PublicKey | None) -> None:
        self._members = members
        self._signer = signer

    def __iter__(self) -> Iterator[Member]:
        tally, manifest, signature = Tally(), None, None
        for member in self._members:
            if member.name == MANIFEST:
                manifest = member.content
            elif member.name == SIGNATURE:
                signature = member.content
            else:
                tally.take(member.name, member.content)
                if member.name == HEADER:
                    self.header = read_header(member.content)
                yield member
        self.manifest = read_manifest(manifest)
        check_signature(self._signer, manifest or b"", signature)
        compare(self.manifest, tally)


def check(
    path: Path,
    identity: Any,
    told: Callable[[int], None],
    signer: Ed25519PublicKey | None = None,
    seen: Callable[[Member], None] = lambda _: None,
) -> Manifest:
    """The manifest of a good backup; `seen` gets each member. Raises BackupError."""
    with opened(path, identity, told) as members:
        contents = Contents(members, signer)
        for member in contents:
            seen(member)
    return contents.manifest


def backups_in(folder: Path) -> list[Path]:
    """Oldest first: the names say when they were taken."""
    return sorted(folder.glob(PATTERN))


def newest_of(path: Path) -> Path:
    """The file itself, or the newest backup in a folder. Raises BackupDamagedError."""
    found = backups_in(path) if path.is_dir() else [path]
    if not found or not found[-1].is_file():
        raise BackupDamagedError(f"there is no backup at {path}")
    return found[-1]
