"""The data folder is its owner's alone, used by one runner, and tells other verbs its addresses."""

from __future__ import annotations

from pathlib import Path

import pytest

from passage.exits import Exit, VerbEndedError
from passage.folders import folders_of, is_held, locked
from passage.running import FILE_NAME, Running, find_running, forget_running, write_running

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
