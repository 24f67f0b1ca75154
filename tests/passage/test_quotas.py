"""What a channel may have waiting is bounded, and its bound is its own."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from nacl.public import PrivateKey
from nats.aio.client import Client
from typer.testing import CliRunner

from passage.__main__ import command_line
from passage.channel import Call, Kept, QuotaUsedUpError, envelope_of, publish
from passage.exits import Exit, VerbEndedError
from passage.install.definitions import PARKED_OF_A_CHANNEL_MAX, streams
from passage.install.provisioning import ask, provision
from passage.install.quotas import USUAL, Quota
from passage.integrity.findings import Findings
from passage.integrity.verify import quota_check
from passage.integrity.verify.quota_check import check_quotas
from passage.runner.nats_server import NatsServer
from services.keyholder.secrets import make_key_files
from shared import subjects
from shared.events.fields import Channel
from shared.policy import policy
from shared.settings import CALL_MAX_BYTES, Settings
from tests.waiting import WITHIN_S

KEY = PrivateKey.generate().public_key
SMALL = Quota(stream_bytes=1_048_576, messages=5, message_bytes=20_000)


def call(channel: Channel, number: int = 1, text: str = "I want to live") -> Any:
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    return envelope_of(Call(f"call-{number}", channel, "+70001234567", "ru", now, text), KEY)


async def test_a_channel_over_its_quota_is_told_at_once_and_no_other_is(client: Client) -> None:
    await provision(client, replicas=1, quota=SMALL)
    jetstream = client.jetstream(timeout=WITHIN_S)
    kept = [await publish(jetstream, call("phone", number)) for number in range(SMALL.messages)]
    with pytest.raises(QuotaUsedUpError, match="maximum messages"):
        await publish(jetstream, call("phone", 99))
    assert (await publish(jetstream, call("telegram"))).sequence == 1
    # What was acknowledged is there; there is room again once something of it is processed.
    state = (await ask(client, "STREAM.INFO.CALLS_phone", None))["state"]
    assert (state["first_seq"], state["messages"]) == (kept[0].sequence, SMALL.messages)
    await ask(client, "STREAM.MSG.DELETE.CALLS_phone", {"seq": kept[0].sequence})
    assert (await publish(jetstream, call("phone", 99))).sequence == SMALL.messages + 1


async def test_large_messages_are_bounded_each_and_together(client: Client) -> None:
    await provision(client, replicas=1, quota=Quota(1_048_576, 10_000, 131_072))
    jetstream = client.jetstream(timeout=WITHIN_S)
    refused = 0
    for number in range(300):  # Each of a size that is taken, with an id of 60 kB.
        headers = {"Nats-Msg-Id": f"{number:060000}"}
        reply = await client.request(
            "calls.phone", b"x" * 60_000, timeout=WITHIN_S, headers=headers
        )
        refused += "error" in json.loads(reply.data)
    assert refused > 280
    state = (await ask(client, "STREAM.INFO.CALLS_phone", None))["state"]
    assert state["bytes"] <= 1_048_576
    reply = await client.request("calls.phone", b"x" * 520_000, timeout=WITHIN_S)
    assert "message size exceeds maximum" in reply.data.decode()
    assert (await publish(jetstream, call("telegram"))).sequence == 1


async def test_what_of_one_channel_is_parked_leaves_room_for_anothers(client: Client) -> None:
    await provision(client, replicas=1)
    subject, answers = "parked.intake.CALLS_phone", []
    for _ in range(PARKED_OF_A_CHANNEL_MAX + 10):
        reply = await client.request(subject, b"junk", timeout=WITHIN_S)
        answers.append(json.loads(reply.data))
    assert ["error" in one for one in answers[-11:]] == [False, *[True] * 10]
    for other in ("parked.intake.CALLS_web", "parked.intake.CASES.7", "parked.handover.CASES.7"):
        assert "seq" in json.loads((await client.request(other, b"junk", timeout=WITHIN_S)).data)


@pytest.mark.parametrize(
    ("quota", "text", "code", "said"),
    [
        (Quota(1_048_576, 1, 20_000), "I want to live", Exit.UNAVAILABLE, "too much of phone"),
        (Quota(1_048_576, 9, 20_000), "x" * 30_000, Exit.INVALID, "--text: the call is too large"),
    ],
)
async def test_the_verb_says_what_to_do(  # noqa: PLR0917, PLR0913 - the columns
    client: Client,
    server: NatsServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    quota: Quota,
    text: str,
    code: Exit,
    said: str,
) -> None:
    await provision(client, replicas=1, quota=quota)
    await publish(client.jetstream(timeout=WITHIN_S), call("phone"))
    make_key_files(tmp_path / "keys")
    monkeypatch.setenv("PASSAGE_NATS_URL", server.url)
    monkeypatch.setenv("PASSAGE_KEYS_DIR", str(tmp_path / "keys"))
    arguments = ["call", "--channel", "phone", "--text", text, "--data", str(tmp_path / "none")]
    done = await asyncio.to_thread(CliRunner().invoke, command_line("call"), arguments)
    assert isinstance(done.exception, VerbEndedError)
    assert done.exception.code == code
    assert said in str(done.exception)


async def test_quotas_that_the_disk_has_no_room_for_are_said_with_what_to_do(
    client: Client,
) -> None:
    with pytest.raises(VerbEndedError, match="lower PASSAGE_CALLS_MAX_BYTES"):
        await provision(client, replicas=1, quota=Quota(10**15, 10, 20_000))


async def test_verify_warns_before_a_channel_is_refused(client: Client) -> None:
    await provision(client, replicas=1, quota=SMALL)
    quiet, findings = Findings(), Findings()
    await check_quotas(client, SMALL, quiet)
    assert quiet.kept == []
    for number in range(4):
        await publish(client.jetstream(timeout=WITHIN_S), call("phone", number))
    await client.request("calls.web", b"x" * 19_000, timeout=WITHIN_S)
    for number in range(425):
        await client.request("parked.intake.CALLS_web", b"%d" % number, timeout=WITHIN_S)
    await client.request("parked.intake.CASES.7", b"one alone", timeout=WITHIN_S)
    await check_quotas(client, SMALL, findings)
    assert [(one.where, one.what) for one in findings.kept] == [
        ("stream CALLS_phone", "4 messages of at most 5"),
        ("subject parked.intake.CALLS_web", "425 messages of at most 500"),
    ]
    assert findings.errors == 0


async def test_more_timers_than_usual_are_kept_and_verify_warns(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quota_check, "TIMERS_USUAL_MAX", 5)
    await ask(client, "STREAM.CREATE.TIMERS_intake", timers_of("intake"))
    said = []
    for number in range(6):
        await client.request(f"timers.intake.{number}", b"", timeout=WITHIN_S)
        findings = Findings()
        await check_quotas(client, SMALL, findings)
        said.append([(one.what, one.severity) for one in findings.kept])
    warned = [[(f"{count} messages of at most 5", "warning")] for count in (4, 5, 6)]
    assert said == [[], [], [], *warned]


def timers_of(service: str) -> dict[str, Any]:
    name = subjects.timers_stream(service)
    return next(one.config for one in streams(replicas=1) if one.name == name)


def test_the_bounds_are_settings() -> None:
    settings = Settings(
        calls_max_bytes=2_000_000, calls_max_messages=7, call_message_max_bytes=20_000
    )
    assert Quota.of(settings) == Quota(2_000_000, 7, 20_000)
    assert Quota.of(Settings()) == USUAL
    assert USUAL.message_bytes == CALL_MAX_BYTES


def test_the_usual_bounds_of_all_channels_fit_on_a_small_disk() -> None:
    assert USUAL.stream_bytes * len(policy().channels.names) < 2 * 1024**3


def said(channel: Channel = "phone", address: str | None = "+70001234567") -> Call:
    return Call("call-1", channel, address, "ru", datetime(2026, 11, 22, 12, tzinfo=UTC))


def test_a_withheld_number_is_left_out() -> None:
    assert envelope_of(said(address=None), KEY).data.caller_address is None
    assert envelope_of(said(), KEY).data.caller_address is not None


def test_the_id_of_the_message_is_the_calls() -> None:
    assert envelope_of(said(), KEY).id == "call-1"


async def test_every_message_of_a_channel_is_kept_whatever_its_id(client: Client) -> None:
    await provision(client, replicas=1)
    jetstream = client.jetstream(timeout=WITHIN_S)
    assert await publish(jetstream, envelope_of(said(), KEY)) == Kept("CALLS_phone", 1)
    assert await publish(jetstream, envelope_of(said("web"), KEY)) == Kept("CALLS_web", 1)
    assert await publish(jetstream, envelope_of(said(), KEY)) == Kept("CALLS_phone", 2)
