"""The key holder's own files: a folder that only it can read, and that no backup holds.

holder/kek-<epoch>.key       wraps the data keys of cases (AES-256); the newest epochs are kept
holder/pepper-<version>.key  keys the hashes by which callers, numbers and codes are found again
holder/intake.key            opens what channels sealed with intake.pub (X25519)
"""

import fcntl
import hashlib
import hmac
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from nacl.public import PrivateKey, PublicKey

from shared.keys import keyfiles

HOLDER = "holder"
EPOCHS_KEPT = 3
"""The most key-encryption keys kept: older backups open no personal value."""

FIRST = 1
_NUMBERED = re.compile(r"^(kek|pepper)-([0-9]{1,5})\.key$")


@dataclass(frozen=True)
class Secrets:
    keks: dict[int, bytes] = field(repr=False)
    """By epoch."""
    peppers: dict[int, bytes] = field(repr=False)
    """By version."""
    intake_private: PrivateKey = field(repr=False)

    @property
    def epoch(self) -> int:
        """The epoch that wraps data keys now."""
        return max(self.keks)

    @property
    def intake_public(self) -> PublicKey:
        return self.intake_private.public_key

    def hashes(self, purpose: str, value: str) -> tuple[str, ...]:
        """The HMAC-SHA-256 of a value for one purpose, the newest pepper's first."""
        return tuple(
            _named(version, hmac.new(self.peppers[version], message, hashlib.sha256).hexdigest())
            for message in (f"{purpose}|{value}".encode(),)
            for version in sorted(self.peppers, reverse=True)
        )


def make_key_files(folder: Path) -> None:
    """Makes what is missing in the key folder; never replaces a file."""
    holder = folder / HOLDER
    for kind in ("kek", "pepper"):
        if not _numbered(holder, kind):
            keyfiles.write_once(holder / f"{kind}-{FIRST}.key", os.urandom(keyfiles.SECRET_BYTES))
    keyfiles.write_once(holder / "intake.key", bytes(PrivateKey.generate()))
    stored = PrivateKey(keyfiles.read_secret(holder / "intake.key"))
    keyfiles.write_once(folder / keyfiles.INTAKE_PUBLIC, bytes(stored.public_key))


def read_secrets(folder: Path) -> Secrets:
    """Raises KeyFilesError, also if intake.key and intake.pub differ."""
    holder = folder / HOLDER
    secrets = Secrets(
        keks=_read_numbered(holder, "kek"),
        peppers=_read_numbered(holder, "pepper"),
        intake_private=PrivateKey(keyfiles.read_secret(holder / "intake.key")),
    )
    if secrets.intake_public != keyfiles.read_intake_public_key(folder):
        # Calls are sealed for intake.pub: with another key, every one would be parked.
        raise keyfiles.SecretUnusableError(folder / keyfiles.INTAKE_PUBLIC, keyfiles.NO_PAIR)
    return secrets


def newest_kek_made_at(folder: Path) -> datetime:
    """When the last rotation began, by its key file."""
    newest = max(_numbered(folder / HOLDER, "kek").items())[1]
    return datetime.fromtimestamp(newest.stat().st_mtime, UTC)


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Locks the secrets: two key holders at once would undo each other's rotations.

    The kernel frees the lock when the process ends, however it ends. Raises KeyFilesError while
    another process holds it.
    """
    path = folder / HOLDER
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        wrong = keyfiles.UNREADABLE if isinstance(error, PermissionError) else keyfiles.MISSING
        raise keyfiles.SecretUnusableError(path, wrong) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise keyfiles.SecretUnusableError(path, keyfiles.HELD) from None
    try:
        yield
    finally:
        os.close(descriptor)


def add_kek(folder: Path, secrets: Secrets) -> Secrets:
    return replace(secrets, keks=secrets.keks | _add(folder, "kek", secrets.keks))


def add_pepper(folder: Path, secrets: Secrets) -> Secrets:
    """Older versions stay, to find what they hashed."""
    return replace(secrets, peppers=secrets.peppers | _add(folder, "pepper", secrets.peppers))


def drop_old_keks(folder: Path, secrets: Secrets) -> Secrets:
    """Destroys the key-encryption keys older than those kept, on disk as well."""
    kept = sorted(secrets.keks)[-EPOCHS_KEPT:]
    for epoch in set(secrets.keks) - set(kept):
        _destroy(folder / HOLDER / f"kek-{epoch}.key")
    return replace(secrets, keks={epoch: secrets.keks[epoch] for epoch in kept})


def _named(version: int, digest: str) -> str:
    return digest if version == FIRST else f"{version}-{digest}"


def _numbered(holder: Path, kind: str) -> dict[int, Path]:
    names = holder.iterdir() if holder.is_dir() else ()
    found = ((path, _NUMBERED.match(path.name)) for path in names)
    return {int(match[2]): path for path, match in found if match is not None and match[1] == kind}


def _read_numbered(holder: Path, kind: str) -> dict[int, bytes]:
    found = _numbered(holder, kind)
    if not found:
        raise keyfiles.SecretUnusableError(holder / f"{kind}-{FIRST}.key", keyfiles.MISSING)
    return {number: keyfiles.read_secret(path) for number, path in found.items()}


def _add(folder: Path, kind: str, there: dict[int, bytes]) -> dict[int, bytes]:
    number, secret = max(there) + 1, os.urandom(keyfiles.SECRET_BYTES)
    keyfiles.write_once(folder / HOLDER / f"{kind}-{number}.key", secret)
    return {number: secret}


def _destroy(path: Path) -> None:
    # Overwriting proves nothing on a disk that writes elsewhere; it costs nothing.
    with path.open("r+b") as file:
        file.write(os.urandom(keyfiles.SECRET_BYTES))
        file.flush()
        os.fsync(file.fileno())
    path.unlink()
    keyfiles.sync_folder(path.parent)
