"""Keys are made for a new data folder only; `passage verify` says which data keys don't open."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from typing_extensions import override

from passage.backing_up.recipient import PUBLIC, SECRET
from passage.exits import Exit, VerbEndedError
from passage.folders import Folders, folders_of
from passage.keys import KEY_FILES, ensure_keys
from passage.nats_server import NatsServer
from passage.verifying.keys_check import unwraps
from shared.buckets import Bucket, Kept
from shared.keyfiles import SECRET_BYTES, make_key_files
from shared.keys import KeyRing

KEK = bytes(SECRET_BYTES)


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    found = folders_of(tmp_path / "site")
    found.make()
    return found


def with_log(folders: Folders) -> None:
    (NatsServer(folders.nats).store_path / "jetstream").mkdir(parents=True)


def contents(folders: Folders) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folders.keys.iterdir()}


def test_a_new_data_folder_gets_its_key_files_once(folders: Folders) -> None:
    ensure_keys(folders)
    made = contents(folders)
    assert set(made) == {*KEY_FILES, PUBLIC, SECRET}
    with_log(folders)
    ensure_keys(folders)
    assert contents(folders) == made


@pytest.mark.parametrize("name", KEY_FILES)
def test_an_old_data_folder_gets_no_new_key_file(folders: Folders, name: str) -> None:
    ensure_keys(folders)
    with_log(folders)
    (folders.keys / name).unlink()
    left = contents(folders)
    with pytest.raises(VerbEndedError, match=f"{name} missing .* put them back") as ended:
        ensure_keys(folders)
    assert ended.value.code == Exit.FAILED
    assert contents(folders) == left


def test_an_old_data_folder_without_its_key_folder_gets_none(folders: Folders) -> None:
    with_log(folders)
    with pytest.raises(VerbEndedError, match=r"kek-1\.key"):
        ensure_keys(folders)
    assert not folders.keys.exists()


def test_a_key_file_that_was_damaged_or_exchanged_is_said(folders: Folders) -> None:
    make_key_files(folders.keys)
    (folders.keys / "intake.pub").write_bytes(os.urandom(SECRET_BYTES))
    with pytest.raises(VerbEndedError, match=r"intake\.pub"):
        ensure_keys(folders)
    (folders.keys / "kek-1.key").write_bytes(b"short")
    with pytest.raises(VerbEndedError, match=r"kek-1\.key"):
        ensure_keys(folders)


class _Entries(Bucket):
    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}

    @override
    def get(self, key: str) -> Kept | None:
        return Kept(self.values[key], 1) if key in self.values else None

    @override
    def create(self, key: str, value: bytes) -> int:
        self.values[key] = value
        return 1


def test_a_data_key_opens_with_its_own_kek_and_for_its_own_case_only() -> None:
    entries = _Entries()
    KeyRing(entries, KEK).for_sealing("FIRST", 1)
    wrapped = entries.values["FIRST"]
    assert unwraps(KEK, "FIRST", wrapped)
    assert not unwraps(os.urandom(SECRET_BYTES), "FIRST", wrapped)
    assert not unwraps(KEK, "SECOND", wrapped)


@pytest.mark.parametrize("damaged", [b"x", b"12345", bytes(10), bytes(60)])
def test_a_damaged_data_key_does_not_open(damaged: bytes) -> None:
    assert not unwraps(KEK, "FIRST", damaged)


def test_a_destroyed_data_key_is_no_finding() -> None:
    assert unwraps(KEK, "FIRST", b"")
