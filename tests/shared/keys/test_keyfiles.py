"""Key files that others may read are refused, with the command that mends it."""

import os
from collections.abc import Callable
from pathlib import Path
from stat import S_ISDIR
from types import SimpleNamespace

import pytest

from passage.backup_errors import BackupError
from passage.exits import VerbEndedError
from passage.folders import folders_of
from passage.install.backup_keys import ensure_backup_keys, read_identity
from passage.install.identities import make_identities, seed_file
from passage.install.installation import ensure_keys
from services.keyholder.secrets import make_key_files, read_secrets
from shared.keys.keyfiles import (
    KeyFilesError,
    make_channel_keys,
    read_channel_private_key,
    read_channel_public_keys,
    read_intake_public_key,
)
from shared.servers.credentials import connect_options
from shared.witnesses.checkpoints import make_witness_keys, read_signing_key


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A whole key folder, as it is made."""
    folder = tmp_path / "site.keys"
    make_key_files(folder)
    make_channel_keys(folder)
    make_witness_keys(folder)
    make_identities(folder)
    ensure_backup_keys(folder)
    return folder


def nkey(folder: Path) -> object:
    return connect_options(seed_file(folder, "query"), None)


SECRETS: list[tuple[Callable[[Path], object], str]] = [
    (read_secrets, "holder/kek-1.key"),
    (read_secrets, "holder/pepper-1.key"),
    (read_secrets, "holder/intake.key"),
    (read_signing_key, "witness.key"),
    (lambda folder: read_channel_private_key(folder, "phone"), "channels/phone.key"),
    (lambda folder: read_identity(folder / "backup.key"), "backup.key"),
    (nkey, "nkeys/query.nk"),
]
PUBLIC: list[tuple[Callable[[Path], object], str]] = [
    (read_intake_public_key, "intake.pub"),
    (read_channel_public_keys, "channels/phone.pub"),
    (read_signing_key, "witness.pub"),
]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o610])
@pytest.mark.parametrize(("read", "name"), SECRETS)
def test_a_secret_that_others_may_read_or_change_is_refused(
    keys: Path, read: Callable[[Path], object], name: str, mode: int
) -> None:
    read(keys)
    (keys / name).chmod(mode)
    with pytest.raises((KeyFilesError, BackupError), match=f"chmod 600 .*{name}"):
        read(keys)
    (keys / name).chmod(0o600)
    read(keys)


@pytest.mark.parametrize("mode", [0o750, 0o705, 0o755, 0o777, 0o711])
@pytest.mark.parametrize(("read", "name"), SECRETS + PUBLIC)
def test_a_folder_of_keys_that_is_open_to_others_is_refused(
    keys: Path, read: Callable[[Path], object], name: str, mode: int
) -> None:
    folder = (keys / name).parent
    folder.chmod(mode)
    with pytest.raises((KeyFilesError, BackupError), match=f"chmod 700 {folder}$"):
        read(keys)


@pytest.mark.parametrize(("read", "name"), PUBLIC)
def test_a_public_key_may_be_read_but_not_changed(
    keys: Path, read: Callable[[Path], object], name: str
) -> None:
    (keys / name).chmod(0o644)
    read(keys)
    (keys / name).chmod(0o664)
    with pytest.raises(KeyFilesError, match="chmod 600"):
        read(keys)


def test_a_folder_of_another_owner_may_be_read_as_containers_have_it(
    keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stat = Path.stat

    def of_root(self: Path, **given: bool) -> object:
        found = stat(self, **given)
        owner = os.geteuid() + S_ISDIR(found.st_mode)
        return SimpleNamespace(st_mode=found.st_mode, st_uid=owner, st_mtime=found.st_mtime)

    keys.chmod(0o755)
    monkeypatch.setattr(Path, "stat", of_root)
    read_intake_public_key(keys)
    keys.chmod(0o775)
    with pytest.raises(KeyFilesError, match="chmod 700"):
        read_intake_public_key(keys)


def test_nothing_is_started_on_an_open_key_folder(tmp_path: Path) -> None:
    folders = folders_of(tmp_path / "site")
    ensure_keys(folders)
    folders.keys.chmod(0o755)
    with pytest.raises(VerbEndedError, match="chmod 700"):
        ensure_keys(folders)
