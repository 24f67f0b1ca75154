"""A stream or consumer that only looks right is named: by provision, verify, restore and check."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from nats.aio.client import Client
from typer.testing import CliRunner

from passage.__main__ import command_line
from passage.backup_errors import StreamRefusedError
from passage.exits import Exit
from passage.install.provisioning import ApiRefusedError, ask, compare, provision
from passage.install.quotas import USUAL, Quota
from passage.integrity.backup.checking import check
from passage.integrity.backup.stream_configs import notes_in
from passage.integrity.findings import Findings
from passage.integrity.verify.everything import check_definitions
from passage.running import Running
from tests.backups import back_up, new_identity, put, restore, silent
from tests.waiting import WITHIN_S

ALTERED: dict[str, dict[str, Any]] = {
    "max_msgs": {"max_msgs": 1},
    "max_bytes": {"max_bytes": 1_000_000},
    "max_age": {"max_age": 1_000_000_000},
    "max_msg_size": {"max_msg_size": 100},
    "max_msgs_per_subject": {"max_msgs_per_subject": 1},
    "discard": {"discard": "old"},
    "republish": {"republish": {"src": "calls.web", "dest": "elsewhere"}},
    "subject_transform": {"subject_transform": {"src": "calls.web", "dest": "calls.phone"}},
    "sources": {"sources": [{"name": "CALLS_phone"}]},
    "subjects": {"subjects": ["calls.web", "health.intake"]},
    "sealed": {"sealed": True},
    "no_ack": {"no_ack": True},
    "deny_delete": {"deny_delete": True},
    "allow_rollup_hdrs": {"allow_rollup_hdrs": True},
    "allow_msg_ttl": {"allow_msg_ttl": True},
    "allow_direct": {"allow_direct": True},
    "duplicate_window": {"duplicate_window": 120_000_000_000},
    "description": {"description": "somebody's"},
    "metadata": {"metadata": {"owner": "somebody"}},
    "consumer_limits": {"consumer_limits": {"max_ack_pending": 1}},
}
"""By the key that is named; the first of several."""
ALTERED_IN_BACKUP: dict[str, dict[str, Any]] = {
    "CALLS_web": {"max_msgs": 1},
    "KV_KEYS": {"republish": {"src": ">", "dest": "elsewhere.>"}},
    "PARKED": {"subject_transform": {"src": "parked.>", "dest": "other.>"}},
    "CALLS_phone": {"sources": [{"name": "CALLS_web"}]},
    "AUDIT": {"sealed": True},
}
CONSUMERS_ALTERED: dict[str, dict[str, Any]] = {
    "filter_subjects": {"filter_subjects": ["cases.*.*.CaseOpened"]},
    "headers_only": {"headers_only": True},
    "max_deliver": {"max_deliver": 1},
    "ack_wait": {"ack_wait": 3_600_000_000_000},
    "max_ack_pending": {"max_ack_pending": 1},
    "sample_freq": {"sample_freq": "100"},
    "inactive_threshold": {"inactive_threshold": 1_000_000_000_000},
    "backoff": {"backoff": [30_000_000_000, 60_000_000_000], "max_deliver": 3},
    "pause_until": {"pause_until": "2099-01-01T00:00:00Z"},
    "ack_policy": {"ack_policy": "all"},
    "deliver_policy": {"deliver_policy": "new"},
}


async def alter_stream(client: Client, name: str, changes: dict[str, Any]) -> None:
    """As somebody with the keeper's rights could."""
    config = (await ask(client, f"STREAM.INFO.{name}", None))["config"]
    await ask(client, f"STREAM.UPDATE.{name}", {**config, **changes})


async def alter_consumer(client: Client, changes: dict[str, Any]) -> None:
    config = (await ask(client, "CONSUMER.INFO.CASES.handover", None))["config"]
    await ask(client, "CONSUMER.DELETE.CASES.handover", None)
    body = {"stream_name": "CASES", "config": {**config, **changes}, "action": "create"}
    await ask(client, "CONSUMER.CREATE.CASES.handover", body)


async def named(client: Client) -> dict[str, set[str]]:
    """What `passage verify` and `passage provision` find, which is the same; by its name."""
    findings, running = Findings(), Running.bare("")
    await check_definitions(client, running, findings)
    found = {one.name: one for one in await provision(client, 1) if not one.is_sound}
    told = {one.where.partition(" ")[2]: one for one in findings.kept if one.what != "missing"}
    found = {name: one for name, one in found.items() if one.state != "missing"}
    for names in (told, found):  # The server's own, for a source: it comes and goes when it likes.
        for name in [one for one in names if "/JS_SRC_" in one]:
            del names[name]
    assert set(told) == set(found)
    for name, one in told.items():
        assert one.severity == "error"
        assert all(unlike.key in one.what for unlike in found[name].differences)
    return {name: {unlike.key for unlike in one.differences} for name, one in found.items()}


async def test_a_stream_of_another_configuration_is_named(client: Client) -> None:
    await provision(client, 1)
    config = (await ask(client, "STREAM.INFO.CALLS_web", None))["config"]
    for key, altered in ALTERED.items():
        try:
            await alter_stream(client, "CALLS_web", altered)
        except ApiRefusedError:  # What can't be changed afterwards can be so from the beginning.
            await ask(client, "STREAM.DELETE.CALLS_web", None)
            await ask(client, "STREAM.CREATE.CALLS_web", {**config, **altered})
        found = await named(client)
        assert key in found["CALLS_web"]
        await ask(client, "STREAM.DELETE.CALLS_web", None)
        await provision(client, 1)


async def test_a_stream_that_is_a_mirror_is_named(client: Client) -> None:
    await provision(client, 1)
    await ask(client, "STREAM.DELETE.CALLS_web", None)
    mirror = {"name": "CALLS_web", "mirror": {"name": "PARKED"}}
    await ask(client, "STREAM.CREATE.CALLS_web", mirror)
    assert "mirror" in (await named(client))["CALLS_web"]


async def test_a_consumer_of_another_configuration_is_named(client: Client) -> None:
    await provision(client, 1)
    for key, altered in CONSUMERS_ALTERED.items():
        await alter_consumer(client, altered)
        assert key in (await named(client))["CASES/handover"]
        await ask(client, "CONSUMER.DELETE.CASES.handover", None)
        await provision(client, 1)


async def test_what_is_missing_is_named_and_nothing_is_made_by_comparing(client: Client) -> None:
    await provision(client, 1)
    await ask(client, "STREAM.DELETE.CALLS_web", None)
    await ask(client, "CONSUMER.DELETE.CASES.handover", None)
    for _ in range(2):
        missing = {one.name for one in await compare(client, 1) if one.state == "missing"}
        assert missing == {"CALLS_web", "CALLS_web/intake", "CASES/handover"}


async def test_streams_and_consumers_that_nobody_defined_are_named(client: Client) -> None:
    await provision(client, 1)
    await ask(client, "STREAM.CREATE.MORE", {"name": "MORE", "subjects": ["commands.>"]})
    for name, config in {
        "pull": {"durable_name": "pull", "ack_policy": "explicit"},
        "push": {"name": "push", "deliver_subject": "cases.X.1.IdentityVerified"},
    }.items():
        body = {"stream_name": "PARKED", "config": {**config, "ack_policy": "none"}}
        await ask(client, f"CONSUMER.CREATE.PARKED.{name}", {**body, "action": "create"})
    await client.jetstream(timeout=WITHIN_S).subscribe("parked.>", ordered_consumer=True)
    assert set(await named(client)) == {"MORE", "PARKED/pull", "PARKED/push"}


async def test_what_jetstream_lets_be_changed_is_put_right_and_keeps_its_messages(
    client: Client,
) -> None:
    await provision(client, 1)
    await put(client, "calls.web", b"a call")
    await alter_stream(
        client, "CALLS_web", {**ALTERED["republish"], **ALTERED["subjects"], **ALTERED["metadata"]}
    )
    assert await named(client)
    done = {one.name: one.state for one in await provision(client, 1, update=True)}
    assert done["CALLS_web"] == "updated"
    assert {one.state for one in await compare(client, 1)} == {"as defined"}
    assert (await ask(client, "STREAM.INFO.CALLS_web", None))["state"]["messages"] == 1


async def test_a_quota_other_than_the_settings_say_is_named(client: Client) -> None:
    await provision(client, 1)
    larger = Quota(USUAL.stream_bytes, USUAL.messages + 1, USUAL.message_bytes)
    found = [one for one in await compare(client, 1, larger) if not one.is_sound]
    assert {one.name.partition("_")[0] for one in found} == {"CALLS"}
    assert {unlike.key for one in found for unlike in one.differences} == {"max_msgs"}


async def test_a_backup_of_streams_that_only_look_right_is_named_and_comes_back_right(
    client: Client, other: Client, tmp_path: Path
) -> None:
    await provision(client, 1)
    identity, path = new_identity(), tmp_path / "backup"
    await put(client, "calls.web", b"a call")
    for name, altered in ALTERED_IN_BACKUP.items():
        await alter_stream(client, name, altered)
    await ask(
        client,
        "STREAM.CREATE.MORE",
        {"name": "MORE", "subjects": ["health.>"], "republish": {"src": ">", "dest": "cases.>"}},
    )
    await back_up(client, path, identity)
    notes: list[str] = []
    check(path, identity, silent, seen=lambda member: notes.extend(notes_in(member, USUAL)))
    for name, altered in ALTERED_IN_BACKUP.items():
        (note,) = [one for one in notes if f" {name} " in one]
        assert all(key in note for key in altered)
    assert any("MORE" in note for note in notes)
    (tmp_path / "backup.key").write_text(str(identity))
    (tmp_path / "backup.key").chmod(0o600)
    arguments = ["backup", "check", str(path), "--key", str(tmp_path / "backup.key"), "--json"]
    checked = await asyncio.to_thread(CliRunner().invoke, command_line("backup"), arguments)
    assert checked.exit_code == Exit.FAILED
    assert json.loads(checked.stdout)["definitions"] == notes
    done = await restore(other, path, identity)
    assert [one for one in notes if one not in done.notes] == []
    left = {one.name: one for one in await compare(other, 1) if not one.is_sound}
    assert set(left) == {"MORE"}
    config = (await ask(other, "STREAM.INFO.MORE", None))["config"]
    assert (config["subjects"], config.get("republish")) == (["MORE.restored"], None)
    for _ in range(3):  # And it takes what is published, as it should.
        await put(other, "calls.web", b"a call")


async def test_a_backup_without_anything_strange_has_nothing_to_say(
    client: Client, tmp_path: Path
) -> None:
    await provision(client, 1)
    identity, notes = new_identity(), list[str]()
    await back_up(client, tmp_path / "backup", identity)
    check(
        tmp_path / "backup",
        identity,
        silent,
        seen=lambda member: notes.extend(notes_in(member, USUAL)),
    )
    assert notes == []


async def test_a_backup_with_a_hidden_consumer_is_not_restored(
    client: Client, other: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await provision(client, 1)
    config = {"durable_name": "hidden", "deliver_subject": "cases.X.1.IdentityVerified"}
    body = {"stream_name": "KV_INDEX", "config": {**config, "ack_policy": "none"}}
    await ask(client, "CONSUMER.CREATE.KV_INDEX.hidden", {**body, "action": "create"})
    asked = ask

    async def with_consumers(client: Client, subject: str, body: Any) -> Any:
        if subject.startswith("STREAM.SNAPSHOT"):
            body = {**body, "no_consumers": False}
        return await asked(client, subject, body)

    monkeypatch.setattr("passage.integrity.backup.snapshots.ask", with_consumers)
    identity = new_identity()
    await back_up(client, tmp_path / "backup", identity)
    with pytest.raises(StreamRefusedError, match="KV_INDEX/hidden"):
        await restore(other, tmp_path / "backup", identity)
