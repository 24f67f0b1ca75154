"""`passage up` starts no service on a log that isn't what it was, nor on one put in its place."""

import asyncio
import os
import random
import signal
from pathlib import Path

from passage.connecting import connected
from passage.folders import folders_of
from passage.install.provisioning import ask, provision
from passage.runner.supervising import NATS
from passage.running import Running
from tests.integrity.attacks import Record, message_folder, read_records, rewrite, write_records
from tests.journey.system import System, until
from tests.waiting import WITHIN_S


def with_a_case(system: System) -> None:
    system.verb("call", "--channel", "phone", "--from", "+70001234567")
    until(lambda: bool(system.json("case", "list")["items"]), "the call is a case")


def test_a_rewritten_log_starts_nothing_and_is_repaired(tmp_path: Path) -> None:
    with System(tmp_path / "data") as system:
        with_a_case(system)
    folder = message_folder(folders_of(tmp_path / "data").nats)
    before = read_records(folder)
    write_records(folder, rewrite(before, random.Random(1)))  # noqa: S311
    refused = system.verb("up", check=False)
    assert refused.returncode == 1
    assert "the gate is closed" in refused.stderr
    done = system.json("repair", "--reason", "drill")
    assert (done["lost"], done["events"]) == (0, len(before))
    with system:
        assert system.json("verify")["findings"] == []
        system.verb("call", "--channel", "phone", "--from", "+70007654321")
        until(lambda: len(system.json("case", "list")["items"]) == 2, "it goes on")


def test_a_log_replaced_under_running_services_is_not_written_into(tmp_path: Path) -> None:
    with System(tmp_path / "data") as system:
        with_a_case(system)
        asyncio.run(replace_log(system.running))
        until(
            lambda: system.verb("health", "intake", check=False).returncode != 0,
            "intake is not ready any more",
        )
        os.kill(system.running.pids[NATS], signal.SIGKILL)
        until(lambda: system.runner.poll() is not None, "the runner ends at the gate")
        assert system.runner.returncode == 1
    assert "the gate is closed" in (tmp_path / "data.up.log").read_text()
    assert system.verb("gate", check=False).returncode == 1


async def replace_log(running: Running) -> None:
    async with connected(running) as client:
        await ask(client, "STREAM.DELETE.CASES", None)
        await provision(client, 1)


def messages(case_id: str, version: int) -> list[tuple[str, bytes]]:
    """What is no event, or follows from nothing; `version` is the case's last."""
    squat = f'{{"subject":"{case_id}","caseversion":%d,"type":"%s","prevhash":"{"0" * 64}"}}'
    kind = "passage.ContactLost.v1"
    return [
        (f"cases.{case_id}.{version + 9}.ContactLost", b"{}"),
        (f"cases.{case_id}.x.ContactLost", b"x" * 500_000),
        (f"cases.{case_id}.0.ContactLost", b"{}"),
        ("cases.\x01.%.ContactLost", b"{}"),
        ("cases.a%b.7.ContactLost", b"\x00\xff"),
        (f"cases.{case_id}.1.ContactLost", (squat % (1, kind)).encode()),
        (f"cases.{case_id}.{version + 1}.ContactLost", (squat % (version + 1, kind)).encode()),
    ]


async def publish(running: Running, junk: list[tuple[str, bytes]]) -> int:
    """Publishes as handover; gives the last sequence."""
    last = 0
    async with connected(running, "handover") as client:
        for subject, body in junk:
            ack = await client.request(subject, body, timeout=WITHIN_S)
            last = int(ack.data.partition(b'"seq":')[2].rstrip(b" }").split(b",")[0])
    return last


def kept(folder: Path) -> list[tuple[int, str, bytes]]:
    return [(one.sequence, one.subject, one.body) for one in read_records(folder)]


def answers(system: System) -> bool:
    return system.verb("health", check=False).returncode == 0


def warned(system: System) -> list[str]:
    findings = system.json("gate")["findings"]
    assert {(one["check"], one["severity"]) for one in findings} == {("put aside", "warning")}
    return [one["where"] for one in findings]


def test_junk_is_named_and_kept_and_real_tampering_beside_it_is_still_found(tmp_path: Path) -> None:
    system = System(tmp_path / "data")
    with system:
        with_a_case(system)
        case_id = system.json("case", "list")["items"][0]["case_id"]
        version = len(system.json("case", "show", case_id)["timeline"])
        junk = messages(case_id, version)
        last = asyncio.run(publish(system.running, junk))
        # Waits until it is archived: the gate would not let through what nobody knows.
        system.verb("verify", check=False)
        names = [f"sequence {last - len(junk) + at}" for at in range(1, len(junk) + 1)]
    folder = message_folder(folders_of(tmp_path / "data").nats)
    assert [one.subject for one in read_records(folder)[-len(junk) :]] == [one for one, _ in junk]
    with system:
        assert warned(system) == names
        named = {one["where"] for one in system.json("verify", check=False)["findings"]}
        assert {*names} <= named
        old = system.running.pids[NATS]
        os.kill(old, signal.SIGKILL)
        until(lambda: system.running.pids.get(NATS) not in {old, None}, "another nats-server")
        until(lambda: answers(system), "the gate is open, the services are back")
    assert "nothing to repair" in system.verb("repair", "--dry-run").stdout
    stored = kept(folder)
    write_records(folder, forged(read_records(folder)))
    assert system.verb("gate", check=False).returncode == 1
    planned = system.json("repair", "--dry-run")
    assert [(one["first"], one["last"]) for one in planned["put_aside"]] == [
        (last - len(junk) + 1, last)
    ]
    assert system.json("repair")["lost"] == 0
    assert kept(folder) == stored
    with system:
        assert warned(system) == names


def forged(records: list[Record]) -> list[Record]:
    """Rewrites the case's events; what no event is stays."""
    events = [one for one in records if one.headers]
    changed = {one.sequence: one for one in rewrite(events, random.Random(1))}  # noqa: S311
    return [changed.get(one.sequence, one) for one in records]
