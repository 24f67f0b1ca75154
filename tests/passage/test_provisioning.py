"""`passage provision` makes what is missing, changes nothing twice, and reports what differs."""

from __future__ import annotations

import pytest
from nats.aio.client import Client

from passage.exits import VerbEndedError
from passage.install.comparing import differences
from passage.install.definitions import streams
from passage.install.provisioning import ask, provision


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
