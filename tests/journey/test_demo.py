"""All kinds of cases reach their expected end, and everything made of the log agrees with it."""

from __future__ import annotations

import asyncio
import json

from passage.connecting import connected
from passage.demo.callers import FLOOD_CALLS
from passage.demo.cast import KINDS
from tests.journey.system import System, until
from tests.waiting import WITHIN_S


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


def test_a_case_is_shown_as_it_was_after_its_third_event(system: System) -> None:
    system.verb("demo", "--cases", "1")
    case_id = system.json("case", "list", "--closed", "--limit", "1")["items"][0]["case_id"]
    then = system.json("case", "show", case_id, "--as-of", "3")
    assert then["case"]["version"] == 3
    assert len(then["timeline"]) == 3
    assert then["case"]["open"]
    now = system.json("case", "show", case_id)
    assert not now["case"]["open"]
    beyond = system.verb("case", "show", case_id, "--as-of", "999")
    assert f"this is version {now['case']['version']}" in beyond.stderr


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


def test_a_call_that_is_sent_again_has_one_effect(system: System) -> None:
    said = ("--text", "вымысел", "--started-at", "2024-03-14T18:00:00Z")
    call = ("call", "--channel", "phone", "--call-id", "call-sent-again", *said)
    for _ in range(2):
        assert system.json(*call)["stream"] == "CALLS_phone"
    after = ("call", "--channel", "phone", "--call-id", "call-after-it", *said)
    system.verb(*after)
    ids = ("call-sent-again", "call-after-it")

    def recorded() -> list[str]:
        events = map(json.loads, system.verb("log", "export").stdout.splitlines())
        return [one["data"]["call_id"] for one in events if one["data"].get("call_id") in ids]

    until(lambda: "call-after-it" in recorded(), "the last call is a case")
    assert sorted(recorded()) == sorted(ids)


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


def test_each_end_of_a_command_has_its_exit_code(system: System) -> None:
    case_id = system.json("case", "list", "--limit", "1")["items"][0]["case_id"]
    do = ("do", "CloseCase", "--case", case_id, "--by", "operator-amber")
    refused = system.verb(*do, "--set", "reason=hoax", "--seen", "0", check=False)
    assert refused.returncode == 3
    assert "seen_version" in refused.stderr
    invalid = system.verb(*do, "--set", "reason=Вигаданов", check=False)
    assert invalid.returncode == 4
    assert "reason" in invalid.stderr
    assert "Вигаданов" not in invalid.stderr
    note = ("do", "AddNote", "--case", case_id, "--by", "operator-amber", "--set", "text=вымысел")
    assert "recorded" in system.verb(*note).stdout
    assert system.verb("do", "Unknown", "--case", case_id, "--by", "x", check=False).returncode == 2


def test_a_call_that_cannot_be_read_is_parked_and_stays_after_a_retry(system: System) -> None:
    before = {one["parked_id"] for one in system.json("parked", "list")}
    publish_garbage(system)
    found = [one for one in system.json("parked", "list") if one["parked_id"] not in before]
    assert [one["reason"] for one in found] == ["not_json"]
    again = system.json("parked", "retry", found[0]["parked_id"], check=False)
    assert again["result"] == "still_parked"


def publish_garbage(system: System) -> None:
    async def publish() -> None:
        async with connected(system.running) as client:
            await client.jetstream(timeout=WITHIN_S).publish("calls.phone", b"\xffnot json")

    before = len(system.json("parked", "list"))
    asyncio.run(publish())
    until(lambda: len(system.json("parked", "list")) > before, "it is parked")
