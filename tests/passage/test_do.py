"""`passage do`: a command's JSON from --set and --set-json, and how each of its fields is typed."""

import shlex
from pathlib import Path

import httpx
import pytest

from passage.api import Api, Json, Reply, commanded, ended_by_problem
from passage.cli.command_fields import mistyped_fields, named_command, typed_fields
from passage.cli.do import _send, put, read_json, seen_in, split
from passage.exits import Exit, VerbEndedError
from passage.own_keys import AsPerson, OwnKeys, made_key
from passage.runner.endpoints import free_port
from passage.running import Running
from shared.commands import people
from shared.commands.base import Decision
from shared.commands.catalogue import COMMANDS
from shared.people.roles import BY_OTHER_ROUTES
from tests.examples import CASE
from tests.passage.conftest import RunPassage


def test_dotted_names_make_nested_objects() -> None:
    body: Json = {}
    put(body, "identity.surname", "Вигаданов")
    put(body, "identity.first_names", "Иван")
    put(body, "unit", "учебная часть 0001")
    assert body == {
        "identity": {"surname": "Вигаданов", "first_names": "Иван"},
        "unit": "учебная часть 0001",
    }


def test_a_value_may_hold_an_equals_sign() -> None:
    assert split("text=a=b") == ("text", "a=b")


@pytest.mark.parametrize("text", ["Вигаданов", "=Вигаданов", ""])
def test_what_is_no_assignment_is_wrong_usage_and_not_repeated(text: str) -> None:
    with pytest.raises(VerbEndedError) as ended:
        split(text)
    assert ended.value.code == Exit.USAGE
    assert "Вигаданов" not in str(ended.value)


def test_the_version_of_a_shift_is_seen_where_shifts_are_shown() -> None:
    assert seen_in("SHIFT-night") == ("shifts/SHIFT-night", "shift")
    assert seen_in("7KQ2M9XW4TRD") == ("cases/7KQ2M9XW4TRD", "case")


def test_wrong_json_is_invalid_and_not_repeated() -> None:
    with pytest.raises(VerbEndedError) as ended:
        read_json("fields", "[Вигаданов")
    assert ended.value.code == Exit.INVALID
    assert "Вигаданов" not in str(ended.value)


def test_a_value_has_no_fields() -> None:
    with pytest.raises(VerbEndedError, match="not an object"):
        put({"unit": "x"}, "unit.name", "y")


def test_a_refusal_names_the_guard_and_what_satisfies_it() -> None:
    ended = ended_by_problem(
        Reply(409, {"guard": "arrived", "satisfied_by": "RecordArrival first"})
    )
    assert ended.code == Exit.REFUSED
    assert str(ended) == "refused by arrived: RecordArrival first"


@pytest.mark.parametrize(
    "reply",
    [
        Reply(404, {"detail": "There is no such case."}),
        Reply(409, {"guard": "case_known", "satisfied_by": "...", "version": 0}),
        Reply(409, {"guard": "seen_version", "satisfied_by": "...", "version": 0}),
    ],
)
def test_an_unknown_case_has_one_exit_code_whoever_says_so(reply: Reply) -> None:
    ended = ended_by_problem(reply)
    assert ended.code == Exit.FAILED
    assert "no such case" in str(ended)


@pytest.mark.parametrize(
    ("status", "code"), [(422, Exit.INVALID), (503, Exit.UNAVAILABLE), (404, Exit.FAILED)]
)
def test_each_problem_has_its_exit_code(status: int, code: Exit) -> None:
    assert ended_by_problem(Reply(status, {"title": "problem"})).code == code


async def test_a_command_that_nobody_answered_is_said_with_its_id(tmp_path: Path) -> None:
    who = AsPerson(OwnKeys(tmp_path), made_key("olena", "http://localhost"))
    body = {"case_id": "7KQ2M9XW4TRD", "command_id": "mine-1", "text": "calm"}
    nowhere = Running.bare(http=f"http://127.0.0.1:{free_port('127.0.0.1')}")
    with pytest.raises(VerbEndedError, match="--command-id mine-1 is safe") as ended:
        await _send(nowhere, who, "AddNote", body, None)
    assert ended.value.code == Exit.UNAVAILABLE


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            {"detail": "intake: no answer. Again with mine-1.", "command_id": "mine-1"},
            "intake: no answer. Again with mine-1.",
        ),
        ({"detail": "The key holder is sealed."}, "The key holder is sealed.; again: mine-1"),
        ({}, "HTTP 503; again: mine-1"),
    ],
)
async def test_an_answer_that_leaves_it_open_is_said_with_the_commands_id(
    answer: Json, said: str
) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(503, json=answer))
    async with httpx.AsyncClient(transport=transport, base_url="http://query") as client:
        if "command_id" in answer:
            reply = await commanded(Api(client), "AddNote", {}, "again: mine-1")
            assert str(ended_by_problem(reply)) == said
            return
        with pytest.raises(VerbEndedError) as ended:
            await commanded(Api(client), "AddNote", {}, "again: mine-1")
    assert (ended.value.code, str(ended.value)) == (Exit.UNAVAILABLE, said)


NUMBERS = {
    "Shift": "SHIFT-night",
    "Export": "EXPORT-2030",
    "Parked": "0" * 32,
    "Decision": "DECISION-1",
}
"""The numbers of commands that are about no case, by a word in their name."""
NOT_TYPED = BY_OTHER_ROUTES | {"ProposeDecision", "AgreeToDecision"}
"""Commands that nobody types: they hold what a key has signed."""


@pytest.mark.parametrize("name", [one for one in COMMANDS if one not in NOT_TYPED])
def test_every_example_is_taken(name: str) -> None:
    command = COMMANDS[name]
    of_person = "PERSON-olena" if command.__module__ == people.__name__ else CASE
    number = next((NUMBERS[word] for word in NUMBERS if word in name), of_person)
    body: Json = {"command_id": "c", "case_id": number, "by": "olena"}
    if issubclass(command, Decision):
        body["seen_version"] = 1
    for field in typed_fields(command):
        option, text = shlex.split(field.option)
        path, value = split(text)
        put(body, path, read_json(path, value) if option == "--set-json" else value)
    asked = command.model_validate(body)
    assert set(body) == set(asked.model_fields_set)
    assert set(command.model_fields) - {"salt", "signatures"} == set(body)


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
    who = ("--case", CASE, "--data", "nothing-here")
    done = run_passage("do", *words, *who)
    assert (done.code, said in done.err) == (code, True)
