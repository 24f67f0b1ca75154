"""Reads a backup to its end and compares it with its manifest; needs no server and no disk.

`backup.pub` says only for whom a file was made: anyone who has it can make one. So the witness's
key signs the manifest, which has a digest of everything else. The signature doesn't say that the
backup is the newest, nor that its log was right; checkpoints do.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from passage.backup_errors import BackupDamagedError, BackupForgedError, BackupKeyError
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
from shared.keys.keyfiles import KeyFilesError, KeyFilesOpenError, read_secret
from shared.witnesses.checkpoints import PUBLIC_NAME, read_public_key, read_signing_key

PATTERN = "passage-*.age"
_SIGNED_AS = b"passage backup manifest\n"
"""The key's other signatures begin otherwise, so neither passes for the other."""
UNCHECKED = (
    f"no signature was checked: {PUBLIC_NAME} isn't among the key files; name its copy with "
    "--signer"
)


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


def signature_of(key: Ed25519PrivateKey, manifest: bytes) -> bytes:
    return key.sign(_SIGNED_AS + manifest)


def check_signature(
    signer: Ed25519PublicKey | None, manifest: bytes, signature: bytes | None
) -> None:
    """Raises BackupForgedError unless the signer, if one is known, signed the manifest."""
    if signer is None:
        return
    if signature is None:
        raise BackupForgedError(
            "the backup isn't signed; only one that this site signed is accepted"
        )
    try:
        signer.verify(signature, _SIGNED_AS + manifest)
    except InvalidSignature:
        raise BackupForgedError(
            f"the backup's signature doesn't fit {PUBLIC_NAME}: another site made it, or a forger"
        ) from None


def own_key(folder: Path) -> Ed25519PrivateKey | None:
    """The signing key, if there is one. Raises BackupKeyError."""
    try:
        return read_signing_key(folder)
    except KeyFilesOpenError as error:
        raise BackupKeyError(str(error)) from None
    except KeyFilesError:
        return None


def known_signer(named: Path | None, keys: Path) -> Ed25519PublicKey | None:
    """Who must have signed: the named file's key, else the key folder's, else None.

    Raises BackupKeyError.
    """
    try:
        if named is not None:
            return Ed25519PublicKey.from_public_bytes(read_secret(named))
        return read_public_key(keys)
    except KeyFilesError as error:
        if named is not None:
            raise BackupKeyError(str(error)) from None
        return None
