"""Data folders and key folders: whose they are, who uses them, what is made in them and when."""

import os
from pathlib import Path

import pytest

from passage.exits import Exit, VerbEndedError
from passage.folders import Folders, folders_of, is_held, locked
from passage.install.backup_keys import PUBLIC, SECRET, read_recipient
from passage.install.host_names import IN_COMPOSE
from passage.install.installation import ACCOUNTS_FILE, ensure_keys, make_installation
from passage.runner.nats_server import NatsServer
from passage.running import FILE_NAME, Running, find_running, forget_running, write_running
from services.keyholder.secrets import make_key_files
from shared.keys.keyfiles import SECRET_BYTES

RUNNING = Running(
    nats="nats://127.0.0.1:1",
    http="http://127.0.0.1:2",
    keys=Path("keys"),
    registry=Path("registry.db"),
    database="sqlite:///query.db",
)


def test_folders_are_their_owners_alone_and_keys_stand_beside_them(tmp_path: Path) -> None:
    folders = folders_of(tmp_path / "site")
    folders.make()
    assert folders.data.stat().st_mode & 0o777 == 0o700
    assert folders.keys == tmp_path / "site.keys"
    assert folders.data not in folders.keys.parents
    assert folders.data not in folders.registry.parents  # It holds names in the clear.


def test_a_second_runner_is_refused_until_the_first_has_ended(tmp_path: Path) -> None:
    folders = folders_of(tmp_path)
    with locked(folders), pytest.raises(VerbEndedError, match="another") as ended:
        locked(folders).__enter__()
    assert ended.value.code == Exit.FAILED
    with locked(folders):
        pass


def test_verbs_find_what_the_runner_wrote(tmp_path: Path) -> None:
    write_running(tmp_path, RUNNING)
    with locked(folders_of(tmp_path)):
        assert find_running(tmp_path) == RUNNING
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o600
    forget_running(tmp_path)
    forget_running(tmp_path)


def test_nothing_running_is_said_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PASSAGE_NATS_URL", raising=False)
    with pytest.raises(VerbEndedError, match="passage up") as ended:
        find_running(tmp_path)
    assert ended.value.code == Exit.UNAVAILABLE


def test_a_container_is_told_by_its_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASSAGE_NATS_URL", "nats://nats-1:4222")
    monkeypatch.setenv("PASSAGE_REPLICAS", "3")
    found = find_running(tmp_path)
    assert (found.nats, found.replicas) == ("nats://nats-1:4222", 3)


def test_a_wrong_setting_is_named_without_its_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASSAGE_NATS_URL", "nats://nats-1:4222")
    monkeypatch.setenv("PASSAGE_REPLICAS", "seventeen")
    with pytest.raises(VerbEndedError, match="PASSAGE_REPLICAS: ") as ended:
        find_running(tmp_path)
    assert ended.value.code == Exit.INVALID
    assert "seventeen" not in str(ended.value)


def test_a_damaged_file_is_said(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("{")
    with locked(folders_of(tmp_path)), pytest.raises(VerbEndedError, match="damaged"):
        find_running(tmp_path)


def test_what_a_killed_runner_left_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PASSAGE_NATS_URL", raising=False)
    with locked(folders_of(tmp_path)):
        write_running(tmp_path, RUNNING)
        assert is_held(tmp_path)
    assert not is_held(tmp_path)
    with pytest.raises(VerbEndedError, match="no system is running") as ended:
        find_running(tmp_path)
    assert ended.value.code == Exit.UNAVAILABLE


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


USER = 10_001
IS_ROOT = os.geteuid() == 0


def owners(folder: Path) -> dict[str, int]:
    return {str(one.relative_to(folder)): one.stat().st_uid for one in folder.rglob("*")}


@pytest.mark.skipif(not IS_ROOT, reason="only root makes files for others")
def test_what_root_makes_is_the_folders_owners_at_once_and_again(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.mkdir(mode=0o700)
    os.chown(keys, USER, USER)
    make_installation(keys, IN_COMPOSE)
    assert set(owners(keys).values()) == {USER}
    (keys / "nkeys" / "query.nk").unlink()
    (keys / "tls" / "server.pem").unlink()
    (keys / "tls" / "server.key").unlink()
    make_installation(keys, IN_COMPOSE)
    assert set(owners(keys).values()) == {USER}


@pytest.mark.skipif(not IS_ROOT, reason="only root makes files for others")
def test_a_file_that_is_written_anew_keeps_the_owner_that_it_had(tmp_path: Path) -> None:
    make_installation(tmp_path / "keys", IN_COMPOSE)
    accounts = tmp_path / "keys" / ACCOUNTS_FILE
    os.chown(accounts, USER, USER)
    make_installation(tmp_path / "keys", IN_COMPOSE)
    assert accounts.stat().st_uid == USER


def test_it_makes_the_pair_by_which_backups_are_sealed_and_opened(tmp_path: Path) -> None:
    make_installation(tmp_path)
    read_recipient(tmp_path)
    made = (tmp_path / PUBLIC).read_bytes()
    (tmp_path / SECRET).unlink()  # Taken elsewhere, as it should be.
    make_installation(tmp_path)
    assert (tmp_path / PUBLIC).read_bytes() == made
    assert not (tmp_path / SECRET).exists()
