"""The key folder of an installation: mode 700, beside the data folder and never in it.

intake.pub is public: with it channels seal what callers said, and services what they park. The
key holder's own secrets lie in the folder `holder` (`services.keyholder.secrets`).

channels/NAME.pub is a channel's public key: with it intake seals what the channel is to send.
channels/NAME.key opens it, and belongs to the channel alone.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import get_args

from nacl.public import PrivateKey, PublicKey

from shared.events.fields import Channel

SECRET_BYTES = 32
FILE_MODE = 0o600
FOLDER_MODE = 0o700
INTAKE_PUBLIC = "intake.pub"
CHANNELS = "channels"
PUBLIC_SUFFIX = ".pub"
OPEN_TO_OTHERS = 0o077
WRITABLE_BY_OTHERS = 0o022


class KeyFilesError(Exception):
    """The key folder lacks a file; the message names it and the command that makes it."""


class KeyFilesOpenError(KeyFilesError):
    """Others may read a secret or change what stands beside it; the message says what to do."""

    def __init__(self, path: Path, mode: int) -> None:
        self.path = path
        self.mode = f"{mode:o}"
        super().__init__(f"{path.name} is open to others; chmod {self.mode} {path}")


def require_closed(path: Path) -> None:
    """Raises KeyFilesOpenError where a key file or its folder is open to others.

    A folder of another owner, as containers have secrets in, may be read but not changed by others.
    What isn't there is left to whoever reads it.
    """
    for one, mode in ((path.parent, FOLDER_MODE), (path, FILE_MODE)):
        try:
            found = one.stat()
        except OSError:
            continue
        may_be_read = path.suffix == PUBLIC_SUFFIX if one is path else found.st_uid != os.geteuid()
        if found.st_mode & (WRITABLE_BY_OTHERS if may_be_read else OPEN_TO_OTHERS):
            raise KeyFilesOpenError(one, mode)


def read_intake_public_key(folder: Path) -> PublicKey:
    """Reads the one key a channel needs. Raises KeyFilesError."""
    return PublicKey(read_secret(folder / INTAKE_PUBLIC))


def make_channel_keys(folder: Path) -> None:
    """Makes the key pairs of channels that have none; where the public one is, nothing is made."""
    for channel in get_args(Channel):
        public, private = _of_channel(folder, channel)
        if not public.exists():
            write_once(private, bytes(PrivateKey.generate()))
            write_once(public, bytes(PrivateKey(read_secret(private)).public_key))


def read_channel_public_keys(folder: Path) -> Mapping[str, PublicKey]:
    """Reads the public keys of the channels that have one. Raises KeyFilesError."""
    files = {channel: _of_channel(folder, channel)[0] for channel in get_args(Channel)}
    return {name: PublicKey(read_secret(file)) for name, file in files.items() if file.exists()}


def read_channel_private_key(folder: Path, channel: str) -> PrivateKey:
    """Reads what opens a channel's messages. Raises KeyFilesError."""
    return PrivateKey(read_secret(_of_channel(folder, channel)[1]))


def _of_channel(folder: Path, channel: str) -> tuple[Path, Path]:
    return folder / CHANNELS / f"{channel}.pub", folder / CHANNELS / f"{channel}.key"


def read_secret(path: Path) -> bytes:
    """Reads a key file of 32 bytes. Raises KeyFilesError, also where it is open to others."""
    require_closed(path)
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


def write_once(path: Path, content: bytes) -> None:
    """Writes a key file, for its owner alone and surely on the disk; one that is there stays."""
    make_folder(path.parent)
    if path.exists():
        return
    write_new(path, content)
    sync_folder(path.parent)


def write_new(path: Path, content: bytes, like: Path | None = None) -> None:
    """Writes a file that must not exist, for its owner alone, onto the disk.

    Root makes it for whoever owns `like`, or the folder: a container's user, who has to read it.
    """
    owner = (path.parent if like is None else like).stat()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        if os.geteuid() == 0:
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def make_folder(folder: Path) -> None:
    """Makes a folder and those above it that are missing, each for the owner of the one above."""
    if not folder.is_dir():
        # `parents=True` would give those above the process's own mode.
        make_folder(folder.parent)
        folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
        if os.geteuid() == 0:
            owner = folder.parent.stat()
            os.chown(folder, owner.st_uid, owner.st_gid)


def sync_folder(folder: Path) -> None:
    """Makes sure that what was made or removed in a folder is so after a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
