"""Messages to callers as a person sends them, and while intake is killed again and again."""

import asyncio
import json
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from passage.connecting import connected
from passage.exits import Exit
from shared import subjects
from tests.backups import messages, text
from tests.journey.system import System, until

KILLS = 4
TEXT = "wait at the river of Musterdorf"


def stored(system: System, stream: str) -> list[dict[str, Any]]:
    return asyncio.run(_stored(system, stream))


async def _stored(system: System, stream: str) -> list[dict[str, Any]]:
    async with connected(system.running) as client:
        return await messages(client, stream)


def of_cases(system: System) -> list[str]:
    """The subjects of events of cases; those of the people who act here came before."""
    recorded = [str(one["subject"]) for one in stored(system, "CASES")]
    return [one for one in recorded if subjects.is_case_number(one.split(".")[1])]


def types(system: System) -> list[str]:
    return [one.rpartition(".")[2] for one in of_cases(system)]


def case_of_a_caller(system: System) -> str:
    system.verb("call", "--channel", "telegram", "--from", "@beispiel", "--text", "hello")
    until(lambda: bool(types(system)), "the call is in a case")
    case_id = of_cases(system)[0].split(".")[1]
    system.verb("do", "SetContactRule", "--case", case_id, "--set", "rule=yes")
    return case_id


def until_shown(system: System, case_id: str) -> None:
    """Waits until query shows all that the log has: a decision is made on what is shown."""
    until(
        lambda: system.json("case", "show", case_id)["case"]["version"] == len(types(system)),
        "query shows what was recorded",
    )


def send(system: System, case_id: str) -> int:
    told = ("--set", "channel=telegram", "--set", f"text={TEXT}", "--set-json", "again=true")
    return system.verb("do", "SendMessage", "--case", case_id, *told, check=False).returncode


def test_a_person_sees_a_message_go_out_and_says_what_became_of_it(tmp_path: Path) -> None:
    with System(tmp_path / "data") as system:
        nothing = system.verb("outbox", "--channel", "telegram", "--wait", "0.1", check=False)
        assert nothing.returncode == Exit.FAILED
        case_id = case_of_a_caller(system)
        until_shown(system, case_id)
        assert send(system, case_id) == Exit.OK
        sent = system.json("outbox", "--channel", "telegram", "--wait", "60", "--report", "sent")
        assert (sent["to_address"], sent["text"], sent["case_id"]) == ("@beispiel", TEXT, case_id)
        until(lambda: types(system)[-1] == "MessageSent", "it is recorded as sent")

        until_shown(system, case_id)
        assert send(system, case_id) == Exit.OK
        taken = system.json("outbox", "--channel", "telegram", "--wait", "60")
        assert taken["reported"] is None
        named = ("--message", f"{taken['message_id']}@{case_id}")
        why = ("--report", "failed", "--reason", "no_such_user")
        system.verb("outbox", "--channel", "telegram", *named, *why)
        until(lambda: types(system)[-1] == "MessageFailed", "it is recorded as failed")
        assert system.json("verify")["errors"] == 0
        logs = [one.read_bytes() for one in tmp_path.rglob("*.log*")]
        assert not [one for one in logs if b"Musterdorf" in one]


def test_whatever_is_killed_no_message_goes_twice(tmp_path: Path) -> None:
    with System(tmp_path / "data") as system:
        case_id = case_of_a_caller(system)
        for _ in range(KILLS):
            send(system, case_id)
            killed = system.running.pids["intake"]
            psutil.Process(killed).kill()
            until(partial(system.has_again, "intake", killed), "intake is back")
        until(lambda: _is_settled(system), "every message was dispatched")
        given = [json.loads(text(one))["message_id"] for one in stored(system, "OUTBOUND")]
        dispatched = types(system).count("MessageDispatched")
        assert len(given) == len({*given}) <= dispatched
        assert system.json("verify")["errors"] == 0


def _is_settled(system: System) -> bool:
    found = types(system)
    return found.count("MessageQueued") == found.count("MessageDispatched")
