"""Every verb takes --data and --json, but those that docs/command-line.md names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer import BadParameter
from typer.main import get_command

from passage.__main__ import command_line
from passage.cli.options import data_folder
from tests.examples import CASE
from tests.passage.conftest import RunPassage

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
