"""Messages to callers as a person sends them, and while intake is killed again and again."""

import asyncio
import json
from base64 import b64decode
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from passage.connecting import connected
from passage.exits import Exit
from passage.install.provisioning import ApiRefusedError, ask
from tests.journey.system import System, until

KILLS = 4
BY = ("--by", "Olena Example")
TEXT = "wait at the river of Musterdorf"


def stored(system: System, stream: str) -> list[dict[str, Any]]:
    return asyncio.run(_stored(system, stream))


async def _stored(system: System, stream: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    async with connected(system.running) as client:
        sequence = 0
        while True:
            wanted = {"seq": sequence + 1, "next_by_subj": ">"}
            try:
                one = (await ask(client, f"STREAM.MSG.GET.{stream}", wanted))["message"]
            except ApiRefusedError:
                return found
            sequence = one["seq"]
            body = json.loads(b64decode(one["data"]))
            found.append({"subject": one["subject"], "body": body})


def types(system: System) -> list[str]:
    return [one["subject"].rpartition(".")[2] for one in stored(system, "CASES")]


def case_of_a_caller(system: System) -> str:
    """The case of a man who says that he may be written to."""
    system.verb("call", "--channel", "telegram", "--from", "@beispiel", "--text", "hello")
    until(lambda: bool(types(system)), "the call is in a case")
    case_id = str(stored(system, "CASES")[0]["subject"].split(".")[1])
    system.verb("do", "SetContactRule", "--case", case_id, *BY, "--set", "rule=yes")
    return case_id


def until_shown(system: System, case_id: str) -> None:
    """Waits until query shows all that the log has: a decision is made on what is shown."""
    until(
        lambda: system.json("case", "show", case_id)["case"]["version"] == len(types(system)),
        "query shows what was recorded",
    )


def send(system: System, case_id: str) -> int:
    told = ("--set", "channel=telegram", "--set", f"text={TEXT}", "--set-json", "again=true")
    return system.verb("do", "SendMessage", "--case", case_id, *BY, *told, check=False).returncode


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
        text = b"Musterdorf"
        assert not [one for one in tmp_path.rglob("*.log*") if text in one.read_bytes()]


def test_whatever_is_killed_no_message_goes_twice(tmp_path: Path) -> None:
    with System(tmp_path / "data") as system:
        case_id = case_of_a_caller(system)
        for _ in range(KILLS):
            send(system, case_id)
            killed = system.running.pids["intake"]
            psutil.Process(killed).kill()
            until(partial(_lives_again, system, killed), "intake is back")
        until(lambda: _is_settled(system), "every message was dispatched")
        given = [one["body"]["message_id"] for one in stored(system, "OUTBOUND")]
        dispatched = types(system).count("MessageDispatched")
        assert len(given) == len({*given}) <= dispatched
        assert system.json("verify")["errors"] == 0


def _is_settled(system: System) -> bool:
    found = types(system)
    return found.count("MessageQueued") == found.count("MessageDispatched")


def _lives_again(system: System, killed: int) -> bool:
    running = system.running.pids.get("intake", killed) != killed
    return running and system.json("health", check=False).get("intake") is True
