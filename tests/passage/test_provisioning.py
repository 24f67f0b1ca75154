"""`passage provision` makes what is missing, changes nothing twice, and reports what differs."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from nats.aio.client import Client
from typer.testing import CliRunner

from passage.__main__ import command_line
from passage.connecting import connected
from passage.exits import VerbEndedError
from passage.folders import folders_of
from passage.install import provisioning
from passage.install.comparing import differences
from passage.install.definitions import streams
from passage.install.provisioning import ApiRefusedError, ask, compare, provision
from passage.runner.nats_server import NatsServer
from tests.backups import back_up, messages, new_identity, put, restore, text
from tests.waiting import WITHIN_S


async def test_the_first_run_makes_all_and_the_second_finds_all_as_defined(client: Client) -> None:
    assert {one.state for one in await provision(client, replicas=1)} == {"made"}
    again = await provision(client, replicas=1)
    assert {one.state for one in again} == {"as defined"}
    names = {one.name for one in again}
    assert {"CASES", "CALLS_web", "PARKED", "KV_INDEX", "KV_KEYS", "CALLS_web/intake"} <= names


async def test_the_log_refuses_deletes_and_purges(client: Client) -> None:
    await provision(client, replicas=1)
    config = (await ask(client, "STREAM.INFO.CASES", None))["config"]
    expected = {
        "deny_delete": True,
        "deny_purge": True,
        "allow_direct": True,
        "allow_atomic": True,
        "discard": "new",
        "max_age": 0,
        "max_consumers": 64,
        "storage": "file",
    }
    assert {key: config[key] for key in expected} == expected
    assert "allow_msg_schedules" not in config


async def test_a_changed_stream_is_reported_and_updated_where_jetstream_allows(
    client: Client,
) -> None:
    wanted = next(one.config for one in streams(1) if one.name == "PARKED")
    await ask(client, "STREAM.CREATE.PARKED", {**wanted, "duplicate_window": 1_000_000_000})
    found = {one.name: one for one in await provision(client, replicas=1)}
    assert found["PARKED"].state == "differs"
    assert [d.key for d in found["PARKED"].differences] == ["duplicate_window"]
    updated = {one.name: one for one in await provision(client, replicas=1, update=True)}
    assert updated["PARKED"].state == "updated"
    assert {one.state for one in await provision(client, replicas=1)} == {"as defined"}


async def test_what_jetstream_refuses_to_change_stays_reported(client: Client) -> None:
    wanted = next(one.config for one in streams(1) if one.name == "PARKED")
    await ask(client, "STREAM.CREATE.PARKED", {**wanted, "storage": "memory"})
    found = {one.name: one for one in await provision(client, replicas=1, update=True)}
    assert found["PARKED"].state == "differs"
    assert found["PARKED"].problem


async def test_a_changed_consumer_is_reported_and_updated(client: Client) -> None:
    await provision(client, replicas=1)
    info = await ask(client, "CONSUMER.INFO.CALLS_web.intake", None)
    config = {**info["config"], "max_ack_pending": 7}
    body = {"stream_name": "CALLS_web", "config": config, "action": "update"}
    await ask(client, "CONSUMER.CREATE.CALLS_web.intake", body)
    found = {one.name: one for one in await provision(client, replicas=1)}
    assert [d.key for d in found["CALLS_web/intake"].differences] == ["max_ack_pending"]
    updated = {one.name: one for one in await provision(client, replicas=1, update=True)}
    assert updated["CALLS_web/intake"].state == "updated"


async def test_more_copies_than_servers_is_said(client: Client) -> None:
    with pytest.raises(VerbEndedError, match="JetStream refused"):
        await provision(client, replicas=3)


def test_what_the_server_leaves_out_is_false_zero_or_empty() -> None:
    assert (
        differences({"max_age": 0, "deny_purge": False, "subjects": ["a"]}, {"subjects": ["a"]})
        == ()
    )
    assert [d.key for d in differences({"deny_purge": True}, {})] == ["deny_purge"]


OLD = {
    "name": "CALLS",
    "subjects": ["calls.>"],
    "storage": "file",
    "num_replicas": 1,
    "discard": "new",
    "retention": "workqueue",
    "max_msg_size": 524_287,
    "duplicate_window": 120_000_000_000,
}
LARGE = b"l" * 400_000
"""More than a channel may publish now."""


async def old_installation(client: Client, *more: str) -> None:
    await ask(client, "STREAM.CREATE.CALLS", OLD)
    config = {"durable_name": "intake", "ack_policy": "explicit", "filter_subjects": ["calls.>"]}
    body = {"stream_name": "CALLS", "config": config, "action": "create"}
    await ask(client, "CONSUMER.CREATE.CALLS.intake", body)
    for number in range(6):
        channel = ("phone", "web")[number % 2]
        headers = {"Nats-Msg-Id": f"{channel}.{number}"}
        await put(client, f"calls.{channel}", b"%d" % number, headers)
    await put(client, "calls.telegram", LARGE)
    for subject in more:
        await put(client, subject, b"more")
    await (await client.jetstream().pull_subscribe_bind("intake", "CALLS")).fetch(
        1, timeout=WITHIN_S
    )


async def said(client: Client, channel: str) -> list[str]:
    return [text(one) for one in await messages(client, f"CALLS_{channel}")]


async def test_what_waits_is_moved_in_its_order_and_the_old_stream_goes(client: Client) -> None:
    await old_installation(client)
    done = {one.name: one.state for one in await provision(client, 1)}
    assert done["CALLS"] == "moved"
    assert await said(client, "phone") == ["0", "2", "4"]
    assert await said(client, "web") == ["1", "3", "5"]
    assert await said(client, "telegram") == [LARGE.decode()]
    with pytest.raises(ApiRefusedError, match="stream not found"):
        await ask(client, "STREAM.INFO.CALLS", None)
    assert {one.state for one in await compare(client, 1)} == {"as defined"}
    assert {one.state for one in await provision(client, 1)} == {"as defined"}
    assert await put(client, "calls.phone", b"new") == 4


@pytest.mark.parametrize("verb", ["STREAM.MSG.DELETE.CALLS", "STREAM.DELETE.CALLS"])
async def test_an_end_on_the_way_loses_nothing(
    client: Client, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    await old_installation(client)
    left = [2]

    async def ended(client: Client, subject: str, body: Any) -> Any:
        if subject == verb:
            left[0] -= 1
            if left[0] <= 0 or verb == "STREAM.DELETE.CALLS":
                raise ConnectionError
        return await ask(client, subject, body)

    with monkeypatch.context() as patched:
        patched.setattr(provisioning, "ask", ended)
        with pytest.raises(ConnectionError):
            await provision(client, 1)
    await provision(client, 1)
    # A message may be there twice, and has one effect.
    assert list(dict.fromkeys(await said(client, "phone"))) == ["0", "2", "4"]
    assert list(dict.fromkeys(await said(client, "web"))) == ["1", "3", "5"]
    assert await said(client, "telegram") == [LARGE.decode()]
    assert {one.state for one in await compare(client, 1)} == {"as defined"}


@pytest.mark.wire
def test_the_verb_moves_them_in_a_data_folder_on_which_nothing_runs(tmp_path: Path) -> None:
    folders = folders_of(tmp_path / "data")
    folders.make()

    async def on(server: NatsServer, work: Callable[[Client], Awaitable[Any]]) -> Any:
        async with connected(server.url) as client:
            return await work(client)

    with NatsServer(folders.nats) as server:
        asyncio.run(on(server, old_installation))
    arguments = ["provision", "--update", "--data", str(folders.data)]
    done = CliRunner().invoke(command_line("provision"), arguments)
    assert done.exit_code == 0, done.output
    with NatsServer(folders.nats) as server:
        assert asyncio.run(on(server, partial(said, channel="phone"))) == ["0", "2", "4"]
        unsound = asyncio.run(on(server, partial(compare, replicas=1)))
        assert {one.state for one in unsound} == {"as defined"}


async def test_what_is_of_no_channel_stays_and_is_named(client: Client) -> None:
    await old_installation(client, "calls.fax", "calls.fax.urgent")
    for _ in range(2):
        await provision(client, 1)
        (old, consumer) = [one for one in await compare(client, 1) if not one.is_sound]
        assert (old.name, old.summary) == ("CALLS", "unknown: it holds 2 messages")
        assert (consumer.name, consumer.state) == ("CALLS/intake", "unknown")
    assert (await ask(client, "STREAM.INFO.CALLS", None))["state"]["messages"] == 2
    assert await said(client, "phone") == ["0", "2", "4"]


async def test_a_backup_of_an_older_version_comes_back_with_its_calls_moved(
    client: Client, other: Client, tmp_path: Path
) -> None:
    await provision(client, 1)
    for one in await compare(client, 1):
        if one.kind == "stream" and one.name.startswith(("CALLS_", "KV_EARLY_ENDS")):
            await ask(client, f"STREAM.DELETE.{one.name}", None)
    await old_installation(client)
    identity = new_identity()
    await back_up(client, tmp_path / "backup", identity)
    done = await restore(other, tmp_path / "backup", identity)
    assert await said(other, "phone") == ["0", "2", "4"]
    assert await said(other, "telegram") == [LARGE.decode()]
    assert {one.state for one in await compare(other, 1)} == {"as defined"}
    assert not any("CALLS" in note for note in done.notes)
