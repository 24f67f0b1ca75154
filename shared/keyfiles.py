"""The key files of an installation: a folder of its own, mode 700, never in the data folder.

kek-1.key     wraps the data keys of cases (AES-256), epoch 1
pepper-1.key  keys the hashes by which callers and codes are found again (HMAC-SHA-256)
intake.key    opens what channels sealed (X25519); intake.pub is for the channels
"""

from __future__ import annotations

import hashlib
import hmac
import os
from dataclasses import dataclass, field
from pathlib import Path

from nacl.public import PrivateKey, PublicKey

SECRET_BYTES = 32
KEK_EPOCH = 1
FILE_MODE = 0o600
FOLDER_MODE = 0o700


class KeyFilesError(Exception):
    """The key folder lacks a file; the message names it and the command that makes it."""


@dataclass(frozen=True)
class KeyFiles:
    """The secrets of an installation, in memory."""

    kek: bytes = field(repr=False)
    pepper: bytes = field(repr=False)
    intake_private: PrivateKey = field(repr=False)

    @property
    def intake_public(self) -> PublicKey:
        return self.intake_private.public_key

    def keyed_hash(self, purpose: str, value: str) -> str:
        """Gives the HMAC-SHA-256 of a value for one purpose, in hex."""
        return hmac.new(self.pepper, f"{purpose}|{value}".encode(), hashlib.sha256).hexdigest()


def make_key_files(folder: Path) -> None:
    """Makes what is missing in the key folder; what is there stays."""
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    private = PrivateKey.generate()
    _write_once(folder / f"kek-{KEK_EPOCH}.key", os.urandom(SECRET_BYTES))
    _write_once(folder / "pepper-1.key", os.urandom(SECRET_BYTES))
    _write_once(folder / "intake.key", bytes(private))
    stored = PrivateKey(_read(folder / "intake.key"))
    _write_once(folder / "intake.pub", bytes(stored.public_key))


def read_key_files(folder: Path) -> KeyFiles:
    """Reads the secrets. Raises KeyFilesError, also where intake.key and intake.pub differ."""
    keys = KeyFiles(
        kek=_read(folder / f"kek-{KEK_EPOCH}.key"),
        pepper=_read(folder / "pepper-1.key"),
        intake_private=PrivateKey(_read(folder / "intake.key")),
    )
    if keys.intake_public != read_intake_public_key(folder):
        # Calls come sealed for intake.pub: with another key every one of them would be parked.
        raise KeyFilesError("intake.key doesn't belong to intake.pub; put the right pair in place")
    return keys


def read_intake_public_key(folder: Path) -> PublicKey:
    """Reads the one key a channel needs. Raises KeyFilesError."""
    return PublicKey(_read(folder / "intake.pub"))


def _read(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise KeyFilesError(
            f"cannot read {path.name} in the key folder ({error.strerror}); "
            "`passage up` makes the key files, or set PASSAGE_KEYS_DIR"
        ) from None
    if len(content) != SECRET_BYTES:
        raise KeyFilesError(f"{path.name} in the key folder is damaged: not {SECRET_BYTES} bytes")
    return content


def _write_once(path: Path, content: bytes) -> None:
    if path.exists():
        return
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
