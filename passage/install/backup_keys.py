"""The key pair of backups (age, X25519): `backup.pub` encrypts them, `backup.key` opens them.

The machine that takes backups needs only `backup.pub`. Keep `backup.key` elsewhere: then whoever
seizes the machine can't open any backup.
"""

from pathlib import Path

from pyrage import IdentityError, RecipientError  # type: ignore[import-untyped]
from pyrage.x25519 import Identity, Recipient  # type: ignore[import-untyped]

from passage.backup_errors import BackupKeyError
from shared.keys.keyfiles import KeyFilesOpenError, make_folder, require_closed, write_new

PUBLIC = "backup.pub"
SECRET = "backup.key"  # noqa: S105 - a file's name


def ensure_backup_keys(folder: Path) -> None:
    """Makes a missing pair; a `backup.pub` stays, even without `backup.key`."""
    public, secret = folder / PUBLIC, folder / SECRET
    if public.exists():
        return
    make_folder(folder)
    if not secret.exists():
        write_new(secret, f"{Identity.generate()}\n".encode())
    write_new(public, f"{read_identity(secret).to_public()}\n".encode())


def read_recipient(folder: Path) -> Recipient:
    """Raises BackupKeyError."""
    path = folder / PUBLIC
    try:
        return Recipient.from_str(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError, RecipientError):
        raise BackupKeyError(
            f"{path} can't be read as an age recipient; remove it, and `passage up` makes one"
        ) from None


def read_identity(path: Path) -> Identity:
    """Raises BackupKeyError, which never quotes the file."""
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
