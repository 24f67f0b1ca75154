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


class KeyFilesError(Exception):
    """The key folder lacks a file; the message names it and the command that makes it."""


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
    """Reads a key file of 32 bytes. Raises KeyFilesError."""
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
    path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    if path.exists():
        return
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Makes sure that what was made or removed in a folder is so after a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
