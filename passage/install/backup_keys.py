"""The key pair of the backups (age, X25519): `backup.pub` seals them, `backup.key` opens them.

The machine that takes backups needs `backup.pub` only. `backup.key` is to be taken elsewhere:
whoever seizes the machine then can't open a single backup, not even its newest.
"""

from __future__ import annotations

from pathlib import Path

from pyrage import IdentityError, RecipientError  # type: ignore[import-untyped]
from pyrage.x25519 import Identity, Recipient  # type: ignore[import-untyped]

from passage.backup_errors import BackupKeyError
from shared.keyfiles import KeyFilesOpenError, make_folder, require_closed, write_new

PUBLIC = "backup.pub"
SECRET = "backup.key"  # noqa: S105 - a file's name


def ensure_backup_keys(folder: Path) -> None:
    """Makes the pair where there is none; a folder without `backup.key` keeps its `backup.pub`."""
    public, secret = folder / PUBLIC, folder / SECRET
    if public.exists():
        return
    make_folder(folder)
    if not secret.exists():
        write_new(secret, f"{Identity.generate()}\n".encode())
    write_new(public, f"{read_identity(secret).to_public()}\n".encode())


def read_recipient(folder: Path) -> Recipient:
    """Reads `backup.pub` in the key folder. Raises BackupKeyError."""
    path = folder / PUBLIC
    try:
        return Recipient.from_str(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError, RecipientError):
        raise BackupKeyError(
            f"{path} can't be read as an age recipient; `passage up` makes one where none is"
        ) from None


def read_identity(path: Path) -> Identity:
    """Reads a `backup.key`. Raises BackupKeyError; the message never quotes the file."""
    try:
        require_closed(path)
    except KeyFilesOpenError as error:
        raise BackupKeyError(str(error)) from None
    try:
        return Identity.from_str(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError, IdentityError):
        raise BackupKeyError(
            f"{path} can't be read as an age identity; name the kept backup.key with --key"
        ) from None
