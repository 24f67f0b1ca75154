"""Streams out of a real server and into another: same sequences, consistent, all or nothing."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from nats.aio.client import Client

from passage.backup_errors import BackupIncompleteError
from passage.connecting import connected
from passage.folders import folders_of
from passage.install.provisioning import ask, provision
from passage.integrity.backup.manifest import (
    MANIFEST,
    NOT_COPIED,
    OF_PEOPLE,
    StreamPart,
    read_manifest,
)
from passage.integrity.backup.putting_back import came_back
from passage.integrity.backup.restoring import restoring, restoring_server
from passage.integrity.backup.snapshots import Restoring
from passage.integrity.backup.taking import APPEND_ONLY
from passage.runner.nats_server import NatsServer
from shared.subjects import timers_stream
from tests import backups
from tests.nats_cluster import NatsCluster
from tests.waiting import WITHIN_S

TIMERS = timers_stream("intake")
MANY = 10_000
"""With a synced write each, nats-server gave the restore up."""
EVENTS = 200


async def fill(client: Client, replicas: int = 1) -> None:
    await provision(client, replicas)
    for number in range(EVENTS):
        await backups.put(client, f"cases.C{number}.1.CaseOpened", b"event %d" % number)
        await backups.put(client, f"$KV.KEYS.C{number % 50}", b"key %d" % number)
        await backups.put(client, f"$KV.INDEX.call.phone.{number}", b"{}")
    for number in range(backups.FIRST_CALLS):
        await backups.put(client, "calls.phone", b"call", {"Nats-Msg-Id": f"phone.{number}"})
    for sequence in range(3, backups.FIRST_CALLS, 2):
        await backups.delete(client, "CALLS_phone", sequence)
    await backups.put(client, "parked.intake.too_large", b"parked")


NAMES = ("CASES", "CALLS_phone", "PARKED", "KV_INDEX", "KV_KEYS")


async def everything(client: Client) -> dict[str, list[dict[str, Any]]]:
    return {name: await backups.messages(client, name) for name in NAMES}


async def test_sequences_holes_times_headers_and_content_come_back(
    client: Client, other: Client, tmp_path: Path, identity: Any
) -> None:
    await fill(client)
    manifest = await backups.back_up(client, tmp_path / "backup", identity)
    done = await backups.restore(other, tmp_path / "backup", identity)
    assert await everything(other) == await everything(client)
    assert {one.state for one in await provision(other, 1)} == {"as defined"}
    assert {one.name for one in manifest.streams if one.content_sha256} == APPEND_ONLY
    assert done.notes == ["the backup holds no read models; query builds them from the log"]
    assert await backups.put(other, "cases.C0.2.NoteAdded") == EVENTS + 1


async def test_a_backup_of_a_version_without_people_comes_back(
    client: Client, other: Client, tmp_path: Path, identity: Any
) -> None:
    await fill(client)
    for name in (*OF_PEOPLE, *(one for one in NOT_COPIED if one != "OUTBOUND")):
        await ask(client, f"STREAM.DELETE.{name}", None)
    manifest = await backups.back_up(client, tmp_path / "backup", identity)
    assert OF_PEOPLE.isdisjoint(one.name for one in manifest.streams)
    done = await backups.restore(other, tmp_path / "backup", identity)
    assert await everything(other) == await everything(client)
    assert {one.state for one in await provision(other, 1)} == {"as defined"}
    made = [one for one in done.notes if "was made empty" in one]
    assert sorted(one.partition(" ")[0] for one in made) == sorted(OF_PEOPLE)


async def test_what_channels_were_given_to_send_does_not_come_back(
    client: Client, other: Client, tmp_path: Path, identity: Any
) -> None:
    await fill(client)
    for number in range(3):
        await backups.put(client, "outbound.telegram", b"%d" % number)
    manifest = await backups.back_up(client, tmp_path / "backup", identity)
    assert "OUTBOUND" not in {one.name for one in manifest.streams}
    await backups.restore(other, tmp_path / "backup", identity)
    assert await backups.put(other, "outbound.telegram", b"new") == 1
    taken = await ask(other, "CONSUMER.INFO.OUTBOUND.telegram", None)
    assert (taken["ack_floor"]["stream_seq"], taken["num_pending"]) == (0, 1)


async def test_a_chunk_that_no_server_heard_is_said_again(client: Client) -> None:
    said = client.stats["out_msgs"]
    putting = asyncio.ensure_future(Restoring(client, "INVENTED", "restoring").put(b"chunk"))
    while client.stats["out_msgs"] == said:  # noqa: ASYNC110 - no event tells of it
        await asyncio.sleep(0)
    await client.flush()  # The server has it, and nobody was there to be given it.
    restoring = await client.subscribe("restoring")
    chunk = await restoring.next_msg(WITHIN_S)
    await chunk.respond(b"")
    await putting
    assert chunk.data == b"chunk"


@pytest.mark.wire
async def test_three_servers_to_one_and_back(tmp_path: Path, other: Client, identity: Any) -> None:
    with NatsCluster(tmp_path / "three", sync_interval='"1m"') as cluster:
        async with connected(cluster.url) as client:
            await fill(client, 3)
            await ask(client, "STREAM.CREATE.UNKNOWN", {"name": "UNKNOWN", "num_replicas": 3})
            await backups.back_up(client, tmp_path / "of-three", identity, replicas=3)
            before = await everything(client)
    await backups.restore(other, tmp_path / "of-three", identity)
    assert await everything(other) == before
    assert (await ask(other, "STREAM.INFO.UNKNOWN", None))["config"]["num_replicas"] == 1
    await backups.back_up(other, tmp_path / "of-one", identity)
    with NatsCluster(tmp_path / "again", sync_interval='"1m"') as cluster:
        async with connected(cluster.url) as client:
            await backups.restore(client, tmp_path / "of-one", identity, 3)
            assert await everything(client) == before
            unsound = {one.name: one for one in await provision(client, 3) if not one.is_sound}
            assert {name: one.state for name, one in unsound.items()} == {"UNKNOWN": "unknown"}


async def test_a_timer_that_is_set_goes_off_after_the_restore(
    client: Client, other: Client, tmp_path: Path, identity: Any
) -> None:
    await fill(client)
    due_at = datetime.now(UTC) + timedelta(seconds=3)
    at = {"Nats-Schedule": f"@at {due_at:%Y-%m-%dT%H:%M:%SZ}"}
    await backups.put(
        client, "timers.intake.one", b"", {**at, "Nats-Schedule-Target": "due.intake.one"}
    )
    await backups.back_up(client, tmp_path / "backup", identity)
    await backups.restore(other, tmp_path / "backup", identity)
    pull = await other.jetstream(timeout=WITHIN_S).pull_subscribe_bind("intake", TIMERS)
    (due,) = await pull.fetch(1, timeout=WITHIN_S)
    assert due.subject == "due.intake.one"
    assert (await everything(other))["CASES"] == (await everything(client))["CASES"]


@pytest.mark.parametrize(
    ("name", "messages", "first", "last", "is_back"),
    [
        ("CASES", 5, 1, 5, True),
        ("CASES", 7, 1, 7, True),
        ("CASES", 5, 1, 6, False),
        ("CASES", 5, 2, 6, False),
        ("CASES", 4, 1, 4, False),
        (TIMERS, 5, 6, 10, True),  # All five were due, and went off before anybody could look.
        ("CALLS_phone", 3, 3, 5, True),
        ("CALLS_phone", 0, 6, 5, True),
        ("CALLS_phone", 4, 4, 7, True),
        ("CALLS_phone", 6, 1, 5, False),
        ("CALLS_phone", 4, 1, 4, False),
        ("PARKED", 4, 2, 5, True),
        ("KV_KEYS", 5, 3, 7, True),  # Two were wrapped again, which leaves as many.
        ("KV_KEYS", 6, 1, 6, True),
        ("KV_KEYS", 4, 1, 5, False),
        ("KV_KEYS", 8, 1, 7, False),
    ],
)
def test_a_stream_may_have_gone_on_while_it_was_copied_and_lacks_nothing_else(
    name: str, messages: int, first: int, last: int, is_back: bool
) -> None:
    part = StreamPart(name=name, messages=5, first_sequence=1, last_sequence=5)
    there = StreamPart(name=name, messages=messages, first_sequence=first, last_sequence=last)
    assert came_back(part, there) == is_back


async def test_calls_processed_while_their_stream_is_copied_keep_no_backup_from_being_restored(
    client: Client, other: Client, tmp_path: Path, identity: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(client)

    async def ask_before_others_process(client: Client, request: str, what: Any) -> Any:
        """The server's answer is older than its copy by some acknowledgements."""
        if request != "STREAM.SNAPSHOT.CALLS_phone":
            return await ask(client, request, what)
        state = (await ask(client, "STREAM.INFO.CALLS_phone", None))["state"]
        for sequence in (1, 2):
            await backups.delete(client, "CALLS_phone", sequence)
        return {**await ask(client, request, what), "state": state}

    monkeypatch.setattr("passage.integrity.backup.snapshots.ask", ask_before_others_process)
    await backups.back_up(client, tmp_path / "backup", identity)
    done = await backups.restore(other, tmp_path / "backup", identity)
    told = done.manifest.stream("CALLS_phone").messages
    assert done.streams["CALLS_phone"].messages == told - 2
    assert await everything(other) == await everything(client)


async def test_what_was_acknowledged_during_the_copy_is_delivered_again(
    client: Client, other: Client, server: NatsServer, tmp_path: Path, identity: Any
) -> None:
    await provision(client, 1)
    for number in (1, 2, 3):
        await backups.put(client, f"cases.C{number}.1.PersonalDataProvided")
    await acknowledge_one(server)
    step = elsewhere(lambda: acknowledge_one(server), at="read models")
    await backups.back_up(client, tmp_path / "backup", identity, step)
    await backups.restore(other, tmp_path / "backup", identity)
    pull = await other.jetstream(timeout=WITHIN_S).pull_subscribe_bind("verification", "CASES")
    assert [one.subject for one in await pull.fetch(2, timeout=WITHIN_S)] == [
        "cases.C2.1.PersonalDataProvided",
        "cases.C3.1.PersonalDataProvided",
    ]


async def acknowledge_one(server: NatsServer) -> None:
    async with connected(server.url) as client:
        pull = await client.jetstream(timeout=WITHIN_S).pull_subscribe_bind("verification", "CASES")
        await (await pull.fetch(1, timeout=WITHIN_S))[0].ack_sync(timeout=WITHIN_S)


def elsewhere(work: Callable[[], Any], at: str = "") -> Callable[[str], None]:
    """What does some work, in a thread, at a step of the copying or at each."""

    def told(step: str) -> None:
        if at in {"", step}:
            with ThreadPoolExecutor(1) as thread:
                thread.submit(lambda: asyncio.run(work())).result()

    return told


async def test_a_copy_taken_while_calls_come_in_lacks_nothing_that_was_acknowledged(
    client: Client, other: Client, server: NatsServer, tmp_path: Path, identity: Any
) -> None:
    await provision(client, 1)
    arrivals = backups.Arrivals(server)
    await arrivals.begin()
    before = set(arrivals.accepted)
    await backups.back_up(client, tmp_path / "backup", identity, elsewhere(arrivals.round))
    await backups.restore(other, tmp_path / "backup", identity)
    waiting = {
        backups.text(one)
        for name in ("CALLS_phone", "PARKED", TIMERS)
        for one in await backups.messages(other, name)
    }
    events = {one["subject"].split(".")[1] for one in await backups.messages(other, "CASES")}
    keys = {one["subject"].split(".")[2] for one in await backups.messages(other, "KV_KEYS")}
    index = {one["subject"].split(".")[2] for one in await backups.messages(other, "KV_INDEX")}
    assert len(events) > 10
    assert before - waiting - events == set()
    assert events - keys == set()
    assert events - index == set()


async def test_a_stream_of_many_small_messages_comes_back(
    client: Client, tmp_path: Path, identity: Any
) -> None:
    await fill(client)
    for first in range(0, MANY, 100):
        entries = (f"$KV.INDEX.next.{number}" for number in range(first, first + 100))
        await asyncio.gather(*(backups.put(client, one, os.urandom(100)) for one in entries))
    manifest = await backups.back_up(client, tmp_path / "backup", identity)
    folders = folders_of(tmp_path / "new")
    with restoring_server(folders) as server:
        async with connected(restoring(folders, server)) as filled:
            done = await backups.restore(filled, tmp_path / "backup", identity)
    assert done.streams["KV_INDEX"].messages == manifest.stream("KV_INDEX").messages > MANY


async def test_a_manifest_of_another_content_is_refused(
    client: Client, other: Client, tmp_path: Path, identity: Any
) -> None:
    await fill(client)
    await backups.back_up(client, tmp_path / "backup", identity)
    members = backups.members_of(tmp_path / "backup", identity)
    manifest = read_manifest(members[-1].content)
    assert members[-1].name == MANIFEST
    parts = tuple(one for one in manifest.streams if one.name != "KV_KEYS")
    forged = backups.with_manifest(members, manifest.model_copy(update={"streams": parts}))
    backups.write_members(tmp_path / "forged", identity, forged)
    with pytest.raises(BackupIncompleteError, match="KV_KEYS"):
        await backups.restore(other, tmp_path / "forged", identity)
