"""`passage do` says of every command how its fields are typed, and which of those given is none."""

from __future__ import annotations

import shlex

import pytest

from passage.api import Json
from passage.cli.command_fields import mistyped_fields, named_command, typed_fields
from passage.cli.do import put, read_json, split
from shared.commands.base import Decision
from shared.commands.catalogue import COMMANDS
from tests.examples import CASE
from tests.passage.conftest import RunPassage

NUMBERS = {"Shift": "SHIFT-night", "Export": "EXPORT-2030", "Parked": "0" * 32}
"""The numbers of commands that are about no case, by a word in their name."""


@pytest.mark.parametrize("name", COMMANDS)
def test_every_example_is_taken(name: str) -> None:
    command = COMMANDS[name]
    number = next((NUMBERS[word] for word in NUMBERS if word in name), CASE)
    body: Json = {"command_id": "c", "case_id": number, "by": "olena"}
    if issubclass(command, Decision):
        body["seen_version"] = 1
    for field in typed_fields(command):
        option, text = shlex.split(field.option)
        path, value = split(text)
        put(body, path, read_json(path, value) if option == "--set-json" else value)
    asked = command.model_validate(body)
    assert set(body) == set(asked.model_fields_set)
    assert set(command.model_fields) == set(body)


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("AddNote", {"txt": "calm"}, ("txt: AddNote has no such field; did you mean text?",)),
        ("AddNote", {"text": "calm"}, ()),
        (
            "RecordArrival",
            {"place": {"descripton": "mill"}, "quux": 1},
            (
                "place.descripton: RecordArrival has no such field; did you mean place.description",
                "quux: RecordArrival has no such field; `passage do RecordArrival --help`",
            ),
        ),
        (
            "SetContactRule",
            {"windows": [{"form_time": "18:00"}]},
            ("windows.0.form_time: SetContactRule has no such field;",),
        ),
        (
            "RecordArrival",
            {"place": "mill"},
            ("place: has fields of its own: place.description=..., place.latitude=...",),
        ),
        (
            "ProvidePersonalData",
            {"identity": "V"},
            ("identity: has fields of its own: identity.s",),
        ),
        ("StartShift", {"operator": ["olena"]}, ("operator: StartShift has no such field; did",)),
    ],
)
def test_a_mistyped_field_is_named(name: str, body: Json, said: tuple[str, ...]) -> None:
    found = mistyped_fields(COMMANDS[name], body)
    assert len(found) == len(said)
    assert all(one.startswith(begins) for one, begins in zip(found, said, strict=True))


@pytest.mark.parametrize("typed", ["AddNote", "addnote", "ADDNOTE"])
def test_a_command_is_known_in_any_case(typed: str) -> None:
    assert named_command(typed) == "AddNote"


@pytest.mark.parametrize(
    ("typed", "said"),
    [("AddNot", "did you mean AddNote?"), ("Recordarival", "RecordArrival?"), ("x", "one of Tri")],
)
def test_a_mistyped_command_is_said_with_what_it_is_like(typed: str, said: str) -> None:
    with pytest.raises(ValueError, match="no command") as wrong:
        named_command(typed)
    assert said in str(wrong.value)


@pytest.mark.parametrize("command", ["PlanRendezvous", "planrendezvous"])
def test_help_behind_a_command_lists_its_fields(command: str, run_passage: RunPassage) -> None:
    done = run_passage("do", command, "--help")
    assert done.code == 0
    assert "--set window_from=2030-01-01T10:00:00Z" in done.out
    assert "moment (UTC)" in done.out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("addnote", "--set", "txt=calm"), 4, "txt: AddNote has no such field; did you mean text?"),
        (("RecordArrival", "--set", "place=mill"), 4, "place: has fields of its own: place.desc"),
        (
            ("AddNot", "--set", "text=calm"),
            2,
            "there is no command 'AddNot'; did you mean AddNote?",
        ),
    ],
)
def test_the_verb_says_so_whether_or_not_anything_runs(
    words: tuple[str, ...], code: int, said: str, run_passage: RunPassage
) -> None:
    who = ("--case", CASE, "--by", "olena", "--data", "nothing-here")
    done = run_passage("do", *words, *who)
    assert (done.code, said in done.err) == (code, True)
