"""`passage up` that can't start says what is wrong, and leaves no folder behind."""

from __future__ import annotations

import errno
import socket
import sys
from pathlib import Path

import pytest

from passage import __main__ as command_line
from passage.exits import Exit, VerbEndedError, refused_by_the_machine
from passage.folders import Folders, folders_of, locked
from passage.runner.endpoints import free_port

HOST = "127.0.0.1"


def refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *options: str
) -> tuple[int, str]:
    """The exit code of `passage up` with these options, and what it said."""
    monkeypatch.setattr(sys, "argv", ["passage", "up", *options])
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    return int(str(ended.value.code)), capsys.readouterr().err


@pytest.mark.parametrize("case", ["http", "nats", "both", "certificate", "setting", "witnessed"])
def test_what_ends_it_at_once_is_said_before_anything_is_made(
    case: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        taken, free = f"{HOST}:{other.getsockname()[1]}", f"{HOST}:{free_port(HOST)}"
        options, said = {
            "http": (("--http", taken), f"--http: {taken} is taken"),
            "nats": (("--http", free, "--nats", taken), f"--nats: {taken} is taken"),
            "both": (("--http", free, "--nats", free), "is the API's"),
            "certificate": (
                ("--nats", f"0.0.0.0:{free_port(HOST)}"),
                "the certificate tls/server.pem",
            ),
            "setting": ((), "PASSAGE_CALLS_MAX_BYTES: "),
            "witnessed": ((), "PASSAGE_CALLS_MAX_BYTES: "),
        }[case]
        if not options:
            monkeypatch.setenv("PASSAGE_CALLS_MAX_BYTES", "many")
        if case == "witnessed":
            monkeypatch.setenv("PASSAGE_WITNESS_FILES", str(tmp_path / "w.jsonl"))
        code, text = refused(
            monkeypatch, capsys, "--data", str(tmp_path / "site"), *map(str, options)
        )
    assert code != Exit.OK
    assert said in text
    assert "bug in Passage" not in text
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["/proc/passage-data", "/sys/passage-data"])
def test_a_folder_that_cannot_be_made_is_named(
    place: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = refused(monkeypatch, capsys, "--data", place)
    assert code == Exit.USAGE
    assert f"--data: {place} can't be written to" in text


def test_a_folder_that_is_there_and_cannot_be_written_to_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(dir: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(dir / "tmp1"))

    # Root may write everywhere, so that no mode of a folder would show it.
    monkeypatch.setattr("passage.folders.tempfile.TemporaryFile", refuse)
    with pytest.raises(VerbEndedError, match=r"can't be written to \(Permission denied\)") as ended:
        folders_of(tmp_path / "site").make()
    assert ended.value.code == Exit.USAGE
    assert str(tmp_path / "site") in str(ended.value)


def test_the_folder_of_another_runner_is_said_before_its_ports_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folders: Folders = folders_of(tmp_path / "site")
    folders.make()
    with locked(folders), socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        taken = f"{HOST}:{other.getsockname()[1]}"
        code, text = refused(monkeypatch, capsys, "--data", str(folders.data), "--http", taken)
    assert (code, "another `passage up` is running on" in text) == (Exit.FAILED, True)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "no space is left on the disk; make"),
        (OSError(errno.ENOSPC, "No space", "/x/y"), "no space is left on the disk at /x/y; make"),
        (OSError(errno.EDQUOT, "Quota"), "no space is left on the disk; make room"),
        (PermissionError(errno.EACCES, "Permission denied", "/x/y"), "/x/y: Permission denied;"),
        (OSError(errno.EROFS, "Read-only file system", "/x"), "/x: Read-only file system; name"),
    ],
)
def test_what_the_machine_refuses_is_no_bug(error: OSError, said: str) -> None:
    assert (refused_by_the_machine(error) or "").startswith(said)


def test_an_error_that_names_no_file_may_be_a_bug() -> None:
    assert refused_by_the_machine(ConnectionResetError(errno.ECONNRESET, "reset")) is None


@pytest.mark.parametrize("verb", [("init", "{file}"), ("registry", "load", "{file}/x")])
def test_a_file_in_the_place_of_a_folder_is_the_users_mistake_in_other_verbs_too(
    verb: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "file"
    file.touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["passage", *(word.format(file=file) for word in verb)])
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    text = capsys.readouterr().err
    assert ended.value.code != Exit.OK
    assert str(file) in text
    assert "bug in Passage" not in text
