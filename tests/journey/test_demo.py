"""All kinds of cases reach their expected end, and everything made of the log agrees with it."""

import asyncio
import os
import subprocess
import sys
from typing import Any

from passage.connecting import connected
from passage.demo.callers import FLOOD_CALLS
from passage.demo.cast import KINDS
from passage.demo.player import SUPERVISOR
from shared.subjects import calls_stream, channel_identity
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


def test_an_unknown_case_has_one_exit_code_in_every_verb(system: System) -> None:
    unknown = ("--case", "0" * 12)
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


def typed(system: System, *words: str) -> str:
    """What a verb prints that is told the folder by PASSAGE_DATA alone."""
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "passage", *words],
        env={**os.environ, "PASSAGE_DATA": str(system.data_dir)},
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    return done.stdout + done.stderr


def test_the_runner_prints_where_every_log_is(system: System) -> None:
    printed = system.data_dir.parent / f"{system.data_dir.name}.up.log"
    nats_log = system.data_dir / "nats" / "nats.log"
    assert nats_log.is_file()
    until(lambda: str(nats_log) in printed.read_text(), "the log of nats-server is printed")
    assert str(system.data_dir / "logs") in printed.read_text()


def test_every_verb_takes_a_case_number_in_lower_case(system: System) -> None:
    system.verb("call", "--channel", "walk_in", "--text", "I came by", "--language", "en")
    until(lambda: bool(walk_ins(system)), "the call is a case")
    number = walk_ins(system)[0]
    low = number.lower()
    note = typed(system, "do", "addnote", "--case", low, "--set", "text=calm")
    assert f"AddNote on {number}: recorded" in note
    assert f"Case {number}, version 2" in typed(system, "case", "show", low)
    assert f"Case {number}: 0 accesses" in typed(system, "audit", low)
    assert len(typed(system, "log", "export", "--case", low).splitlines()) == 2
    assert f"nothing of case {number} was erased" in typed(system, "verify", "--erased", low)


def walk_ins(system: System) -> list[str]:
    items = system.json("case", "list", "--channel", "walk_in")["items"]
    return [one["case_id"] for one in items]


def parked_of_walk_in(system: System) -> list[Any]:
    """Others of this system may have left theirs."""
    listed = system.json("parked", "list")
    return [one for one in listed if one.get("stream") == calls_stream("walk_in")]


def test_a_parked_message_is_set_aside_by_its_verb(system: System) -> None:
    async def publish() -> None:
        channel = channel_identity("walk_in")
        async with connected(system.running, channel) as client:
            await client.jetstream().publish("calls.walk_in", b"no call at all")

    asyncio.run(publish())
    until(lambda: bool(parked_of_walk_in(system)), "it is parked")
    (parked,) = parked_of_walk_in(system)
    who = ("--as", SUPERVISOR, "--purpose", "oversight", "--remark", "junk")
    assert "set aside" in typed(system, "parked", "set-aside", parked["parked_id"], *who)
    assert parked_of_walk_in(system) == []
    (access,) = system.json("audit", parked["parked_id"])
    assert (access["by"], access["purpose"]) == (SUPERVISOR, "oversight: junk")


def test_what_was_signed_is_new_until_its_signer_looked(system: System) -> None:
    # Two supervisors signed the link for the browser of whoever runs this.
    listed = system.json("log", "signed", SUPERVISOR)
    assert [one["new"] for one in listed] == [True] * len(listed) != []
    told = f"in your name since you last looked: `passage log signed {SUPERVISOR}`"
    assert told in typed(system, "login", "--as", SUPERVISOR)
    assert f"{len(listed)} new" in typed(system, "log", "signed", SUPERVISOR, "--seen")
    assert not any(one["new"] for one in system.json("log", "signed", SUPERVISOR))
    assert told not in typed(system, "login", "--as", SUPERVISOR)
