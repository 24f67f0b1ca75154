"""Every verb: its --data and --json, how it tells a fault, and a start that is refused."""

import errno
import os
import re
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer import BadParameter
from typer.main import get_command

from passage.__main__ import command_line
from passage.cli.options import data_folder
from passage.exits import Exit, VerbEndedError, refused_by_the_machine
from passage.folders import Folders, folders_of, locked
from passage.runner.endpoints import free_port
from services.verification.registry import load_csv
from services.verification.registry_file.problems import RegistryFileError
from tests.examples import CASE
from tests.passage.conftest import RunPassage
from tests.verification.cases import HEADER

ROOT = Path(__file__).parents[2]
AS_OTHERS = {"call", "outbox", "demo"}
"""The docs say so above."""
WITHOUT_DATA = {"init", "registry try"}
WITHOUT_JSON = {"init", "up", "keys seal", "keys unseal", "log export"}


def verbs(command: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    for word, part in getattr(command, "commands", {}).items():
        yield from verbs(part, f"{name} {word}".strip())
    if not hasattr(command, "commands"):
        yield name, command


VERBS = dict(verbs(get_command(command_line())))


@pytest.mark.parametrize(
    ("option", "exceptions"), [("--data", WITHOUT_DATA), ("--json", WITHOUT_JSON)]
)
def test_every_verb_takes_it_but_the_documented_ones(option: str, exceptions: set[str]) -> None:
    taking = {name for name, verb in VERBS.items() if any(option in p.opts for p in verb.params)}
    assert VERBS.keys() - taking == exceptions


def test_the_data_folder_may_be_named_once_for_all_verbs() -> None:
    options = {n: p for n, verb in VERBS.items() for p in verb.params if "--data" in p.opts}
    by_variable = {name for name, one in options.items() if one.envvar == "PASSAGE_DATA"}
    assert options.keys() - by_variable == {"restore"}  # It makes a new folder, named each time.


@pytest.mark.parametrize("verb", VERBS)
def test_help_loses_nothing_as_markup_and_takes_case_numbers_as_typed(verb: str) -> None:
    for one in VERBS[verb].params:
        assert "[" not in (one.help or "")
        if one.name in {"case", "case_id", "erased"}:
            assert one.type_descriptor.parameter_info.parser("7kq2-m9xw-4trd") == CASE


def test_the_help_of_up_says_what_holds_without_its_options(run_passage: RunPassage) -> None:
    said = " ".join(run_passage("up", "--help").out.replace("│", " ").split())
    for default in ("127.0.0.1:8080, or a free port", "127.0.0.1:4222, or a free port", ".passage"):
        assert f"[default: ({default})]" in said or f"[default: {default}]" in said
    assert "PASSAGE_WITNESS_FILES, or DIR.witness/checkpoints.jsonl" in said


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("{file}", "is a file"),
        ("{file}/below", "is a file"),
        ("{file}/far/below", "is a file"),
        ("/", "can't be a data folder"),
        (" ", "can't be a data folder"),
        ("~nobody-of-this-name/x", "can't be used"),
        ("x" * 300, "File name too long"),
        ("{loop}/x", "can't be used"),
    ],
)
def test_what_can_be_no_data_folder_is_said_with_its_name(
    named: str, said: str, tmp_path: Path
) -> None:
    file, loop = tmp_path / "file", tmp_path / "loop"
    file.touch()
    loop.symlink_to(loop)
    with pytest.raises(BadParameter, match=said) as wrong:
        data_folder(named.format(file=file, loop=loop))
    assert str(file if "file" in named else named.format(loop=loop)) in str(wrong.value)


@pytest.mark.parametrize("named", ["there", "not/yet/there", ".", "~", Path(".passage")])
def test_a_folder_may_be_there_or_to_be_made(
    named: str | Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    assert data_folder(named) == Path(named).expanduser()


CANARY = "Kanarienvogel"


def test_a_fault_of_a_verb_tells_no_text_and_no_local(
    monkeypatch: pytest.MonkeyPatch, run_passage: RunPassage, tmp_path: Path
) -> None:
    def fail(_: object) -> None:
        surname = CANARY
        raise KeyError(surname)

    monkeypatch.setattr("passage.cli.parked.find_running", fail)
    said = run_passage("parked", "list", "--data", str(tmp_path))
    assert said.code == 1
    assert CANARY not in said.out + said.err
    assert said.err.startswith("passage: a bug in Passage: KeyError at test_verbs.py:")
    assert len(said.err.splitlines()) == 1


def test_loading_the_registry_writes_beside_it_and_nowhere_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What it holds in the clear while it loads lies in the key folder, and goes with a fault."""
    keys, elsewhere = tmp_path / "keys", tmp_path / "tmp"
    keys.mkdir()
    elsewhere.mkdir()
    monkeypatch.setenv("TMPDIR", str(elsewhere))
    monkeypatch.setattr(tempfile, "tempdir", None)
    rows = tmp_path / "rows.csv"
    rows.write_text(f"{HEADER}{CANARY},,,,,,\n", encoding="utf-8")
    seen: list[Path] = []
    sync = os.fsync

    def watched(descriptor: int) -> None:
        seen.extend(tmp_path.rglob("*"))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    load_csv(keys / "registry.db", rows)
    drafts = {path for path in seen if path.name.startswith(".registry.db.")}
    assert {path.parent for path in drafts} == {keys}
    assert all(path.stat().st_mode & 0o077 == 0 for path in keys.iterdir())
    assert list(elsewhere.iterdir()) == []

    rows.write_text(f"{HEADER}{CANARY},,,,32.13.1990,,\n", encoding="utf-8")
    with pytest.raises(RegistryFileError) as refused:
        load_csv(keys / "registry.db", rows)
    assert CANARY not in str(refused.value)
    assert [path.name for path in keys.iterdir()] == ["registry.db"]


HOST = "127.0.0.1"


@pytest.mark.parametrize("case", ["http", "nats", "both", "certificate", "setting", "witnessed"])
def test_what_ends_it_at_once_is_said_before_anything_is_made(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_passage: RunPassage
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
        done = run_passage("up", "--data", str(tmp_path / "site"), *options)
    assert done.code != Exit.OK
    assert said in done.err
    assert "bug in Passage" not in done.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["/proc/passage-data", "/sys/passage-data"])
def test_a_folder_that_cannot_be_made_is_named(place: str, run_passage: RunPassage) -> None:
    done = run_passage("up", "--data", place)
    assert done.code == Exit.USAGE
    assert f"--data: {place} can't be written to" in done.err


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
    tmp_path: Path, run_passage: RunPassage
) -> None:
    folders: Folders = folders_of(tmp_path / "site")
    folders.make()
    with locked(folders), socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        taken = f"{HOST}:{other.getsockname()[1]}"
        done = run_passage("up", "--data", str(folders.data), "--http", taken)
    assert (done.code, "another `passage up` is running on" in done.err) == (Exit.FAILED, True)


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
    verb: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_passage: RunPassage
) -> None:
    file = tmp_path / "file"
    file.touch()
    monkeypatch.chdir(tmp_path)
    done = run_passage(*(word.format(file=file) for word in verb))
    assert done.code != Exit.OK
    assert str(file) in done.err
    assert "bug in Passage" not in done.err


def test_every_verb_acts_as_a_person_or_the_docs_say_for_whom_it_acts() -> None:
    text = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    named = text[text.index("These verbs act with the keeper's") : text.index("| verb |")]
    keepers = set(re.findall(r"`([a-z]+(?: [a-z]+)?)`", named))
    for name, command in VERBS.items():
        asks = any("--as" in one.opts for one in command.params)
        is_keepers = name in keepers or name.split()[0] in keepers
        assert asks or is_keepers or name in AS_OTHERS, name
