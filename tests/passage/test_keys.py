"""Keys are made for a new data folder only; `passage verify` says which data keys don't open."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from passage.exits import Exit, VerbEndedError
from passage.folders import Folders, folders_of
from passage.install.backup_keys import PUBLIC, SECRET
from passage.install.installation import ensure_keys
from passage.runner.nats_server import NatsServer
from services.keyholder.secrets import make_key_files
from shared.keys.keyfiles import SECRET_BYTES

FILES = {
    "holder/kek-1.key",
    "holder/pepper-1.key",
    "holder/intake.key",
    "intake.pub",
    "witness.key",
    "witness.pub",
}

WITNESS = {"witness.key", "witness.pub"}
"""They open nothing; a new pair doesn't fit the old checkpoints, which closes the gate."""


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    found = folders_of(tmp_path / "site")
    found.make()
    return found


def with_log(folders: Folders) -> None:
    (NatsServer(folders.nats).store_path / "jetstream").mkdir(parents=True)


def contents(folders: Folders) -> dict[str, bytes]:
    files = (path for path in folders.keys.rglob("*") if path.is_file())
    return {str(path.relative_to(folders.keys)): path.read_bytes() for path in files}


def test_a_new_data_folder_gets_its_key_files_once(folders: Folders) -> None:
    ensure_keys(folders)
    made = contents(folders)
    assert {name for name in made if not name.startswith(("nkeys/", "tls/", "channels/"))} == {
        *FILES,
        PUBLIC,
        SECRET,
        "accounts.conf",
    }
    with_log(folders)
    ensure_keys(folders)
    assert contents(folders) == made


@pytest.mark.parametrize("name", sorted(FILES - WITNESS))
def test_an_old_data_folder_gets_no_new_key_file(folders: Folders, name: str) -> None:
    ensure_keys(folders)
    with_log(folders)
    (folders.keys / name).unlink()
    left = contents(folders)
    with pytest.raises(VerbEndedError, match=r"missing .* put them back") as ended:
        ensure_keys(folders)
    assert ended.value.code == Exit.FAILED
    assert contents(folders) == left


def test_an_old_data_folder_without_its_key_folder_gets_none(folders: Folders) -> None:
    with_log(folders)
    with pytest.raises(VerbEndedError, match=r"kek-\*\.key"):
        ensure_keys(folders)
    assert not folders.keys.exists()


def test_a_key_file_that_was_damaged_or_exchanged_is_said(folders: Folders) -> None:
    make_key_files(folders.keys)
    (folders.keys / "intake.pub").write_bytes(os.urandom(SECRET_BYTES))
    with pytest.raises(VerbEndedError, match=r"intake\.pub"):
        ensure_keys(folders)
    (folders.keys / "holder/kek-1.key").write_bytes(b"short")
    with pytest.raises(VerbEndedError, match=r"kek-1\.key"):
        ensure_keys(folders)
