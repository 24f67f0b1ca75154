"""The key folder of an installation: mode 700, beside the data folder and never in it.

intake.pub is public: with it channels seal what callers said, and services what they park. The
key holder's own secrets lie in the folder `holder` (`services.keyholder.secrets`).

channels/NAME.pub is a channel's public key: with it intake seals what the channel is to send.
channels/NAME.key opens it, and belongs to the channel alone.
"""

import os
import stat
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


MISSING = "isn't there"
UNREADABLE = "can't be read by this user"
A_FOLDER = "is a folder"
EMPTY = "is empty"
DAMAGED = "isn't what it should be"
NO_PAIR = "doesn't belong to its other half"
NOT_ONE_LINE = "isn't one line of text in UTF-8"
HELD = "is held by another process"
_ANEW = (
    "bring its copy back; a certificate, an nkey or a password can be replaced: move it aside "
    "and run `passage init`"
)
DO: Mapping[str, str] = {
    MISSING: "bring it back; in a new installation `passage init` makes it. Then give this process "
    "the file",
    UNREADABLE: "chown it to the user that this process runs as",
    A_FOLDER: "the file wasn't there when it was mounted: remove the empty folder, bring the file, "
    "and start the container again",
    EMPTY: _ANEW,
    DAMAGED: _ANEW,
    NO_PAIR: "put back the two that were made together",
    NOT_ONE_LINE: "write only the password into it, on one line",
    HELD: "end the other one",
}
"""What can be wrong with a secret, and what would fix it."""


class KeyFilesError(Exception):
    """A key file can't be used; the message names it and says what would fix it."""


class SecretUnusableError(KeyFilesError):
    """What is wrong with a secret's file. `wrong` is a key of `DO`; `setting` named it."""

    def __init__(self, path: Path, wrong: str, setting: str = "") -> None:
        self.path = path
        self.wrong = wrong
        self.setting = setting
        named = f"PASSAGE_{setting.upper()}: " if setting else ""
        super().__init__(f"{named}{path} {wrong}: {DO[wrong]}")


class KeyFilesOpenError(KeyFilesError):
    """Others may read a secret or change its folder; the message says what to do."""

    def __init__(self, path: Path, mode: int) -> None:
        self.path = path
        self.mode = f"{mode:o}"
        super().__init__(f"{path.name} is open to others; chmod {self.mode} {path}")


def require_closed(path: Path) -> None:
    """Raises KeyFilesOpenError if a key file or its folder is open to others.

    A folder with another owner, as containers have for secrets, may be read but not changed by
    others. A missing file, or anything but a file, isn't checked here: reading it fails.
    """
    for one, mode in ((path.parent, FOLDER_MODE), (path, FILE_MODE)):
        try:
            found = one.stat()
        except OSError:
            continue
        if one is path and stat.S_ISDIR(found.st_mode):
            continue
        may_be_read = path.suffix == PUBLIC_SUFFIX if one is path else found.st_uid != os.geteuid()
        if found.st_mode & (WRITABLE_BY_OTHERS if may_be_read else OPEN_TO_OTHERS):
            raise KeyFilesOpenError(one, mode)


def read_intake_public_key(folder: Path) -> PublicKey:
    """The one key a channel needs. Raises KeyFilesError."""
    return PublicKey(read_secret(folder / INTAKE_PUBLIC))


def make_channel_keys(folder: Path) -> None:
    """Makes key pairs for channels without one; never if the public key exists."""
    for channel in get_args(Channel):
        public, private = _of_channel(folder, channel)
        if not public.exists():
            write_once(private, bytes(PrivateKey.generate()))
            write_once(public, bytes(PrivateKey(read_secret(private)).public_key))


def read_channel_public_keys(folder: Path) -> Mapping[str, PublicKey]:
    """Raises KeyFilesError."""
    files = {channel: _of_channel(folder, channel)[0] for channel in get_args(Channel)}
    return {name: PublicKey(read_secret(file)) for name, file in files.items() if file.exists()}


def read_channel_private_key(folder: Path, channel: str) -> PrivateKey:
    """Raises KeyFilesError."""
    return PrivateKey(read_secret(_of_channel(folder, channel)[1]))


def _of_channel(folder: Path, channel: str) -> tuple[Path, Path]:
    return folder / CHANNELS / f"{channel}.pub", folder / CHANNELS / f"{channel}.key"


def read_secret(path: Path) -> bytes:
    """Reads a key file of 32 bytes. Raises KeyFilesError, also if it is open to others."""
    require_closed(path)
    content = read_file(path)
    if len(content) != SECRET_BYTES:
        raise SecretUnusableError(path, DAMAGED)
    return content


def read_password(path: Path) -> str:
    """Reads a password, which may have any characters but line ends; a final line end isn't part
    of it.

    Raises KeyFilesError, also if it is open to others.
    """
    require_closed(path)
    content = read_file(path)
    try:
        password = content.decode().removesuffix("\n")
    except UnicodeDecodeError:
        raise SecretUnusableError(path, NOT_ONE_LINE) from None
    if not password:
        raise SecretUnusableError(path, EMPTY)
    if {"\n", "\r", "\0"} & {*password}:
        raise SecretUnusableError(path, NOT_ONE_LINE)
    return password


def read_file(path: Path) -> bytes:
    """Reads a non-empty file. Raises SecretUnusableError."""
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise SecretUnusableError(path, MISSING) from None
    except IsADirectoryError:
        raise SecretUnusableError(path, A_FOLDER) from None
    except OSError:
        raise SecretUnusableError(path, UNREADABLE) from None
    if not content:
        raise SecretUnusableError(path, EMPTY)
    return content


def write_once(path: Path, content: bytes) -> None:
    """Writes a key file for its owner only, synced to disk; keeps an existing one."""
    make_folder(path.parent)
    if path.exists():
        return
    write_new(path, content)
    sync_folder(path.parent)


def write_new(path: Path, content: bytes, like: Path | None = None) -> None:
    """Writes a new file for its owner only, synced to disk.

    Root makes it for the owner of `like`, or of the folder: the container's user has to read it.
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
    """Makes a folder and its missing parents, each owned by the owner of the one above."""
    if not folder.is_dir():
        # `parents=True` would give parents the process's own mode.
        make_folder(folder.parent)
        folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
        if os.geteuid() == 0:
            owner = folder.parent.stat()
            os.chown(folder, owner.st_uid, owner.st_gid)


def sync_folder(folder: Path) -> None:
    """Makes additions and removals in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
