"""All kinds of cases reach their expected end, and everything made of the log agrees with it."""

from __future__ import annotations

from passage.demo.callers import FLOOD_CALLS
from passage.demo.cast import KINDS
from tests.journey.system import System, until


def test_every_kind_of_case_ends_as_it_must_and_verify_finds_nothing(system: System) -> None:
    played = system.json("demo", "--cases", str(len(KINDS)), "--seed", "7")
    assert played["problems"] == []
    assert played["stories"] == len(KINDS)
    checked = system.json("verify")
    assert checked["findings"] == []
    assert checked["cases"] >= played["cases"]
    assert checked["cases_in_read_model"] == checked["cases"]


def test_a_day_with_every_kind_ends_as_planned_and_verify_finds_nothing(system: System) -> None:
    calls = sum(kind.calls for kind in KINDS)
    played = system.json("demo", "--calls", str(calls), "--seed", "3")
    assert played["problems"] == []
    assert played["shift_problem"] == ""
    with_flood = (len(KINDS) + 1, calls + FLOOD_CALLS + 1)
    assert (played["stories"], played["calls"]) == with_flood
    assert played["shifts"] == 3
    assert played["handed_over_by_name"]
    assert system.json("verify")["findings"] == []


def test_an_unknown_case_has_one_exit_code_in_every_verb(system: System) -> None:
    unknown = ("--case", "0" * 12, "--by", "operator-amber")
    close = ("do", "CloseCase", *unknown, "--set", "reason=other")
    for words in (
        ("case", "show", "0" * 12),
        ("do", "AddNote", *unknown, "--set", "text=вымысел"),
        close,
        (*close, "--seen", "5"),
        (*close, "--seen", "0"),
    ):
        done = system.verb(*words, check=False)
        assert (done.returncode, "no such case" in done.stderr) == (1, True), words


def test_no_personal_data_is_shown_unless_asked_for(system: System) -> None:
    def newest() -> list[str]:
        items = system.json("case", "list", "--limit", "3")["items"]
        return [item["case_id"] for item in items]

    before = newest()
    call = ("call", "--channel", "phone", "--from", "+70001234567", "--text", "Вымысел-канарейка")
    system.verb(*call)
    until(lambda: newest() != before, "the call is a case")
    shown = [system.verb("case", "show", case_id).stdout for case_id in newest()]
    exported = system.verb("log", "export").stdout
    for text in (*shown, exported):
        assert "канарейка" not in text
        assert "1234567" not in text
