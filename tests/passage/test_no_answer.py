"""A verb waits for an answer for so long, and then says who gave none and what to do."""

import asyncio
from collections.abc import Awaitable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from nats.aio.client import Client

from passage import api
from passage.channel import Call
from passage.cli import call, do, keys, outbox
from passage.connecting import connected
from passage.exits import Exit, VerbEndedError
from passage.install import provisioning
from passage.integrity import log_reading
from passage.own_keys import AsPerson, OwnKeys, made_key
from passage.runner.health import answers, health_of, state_of
from passage.runner.nats_server import NatsServer
from passage.running import Running
from services.keyholder.secrets import make_key_files
from shared import subjects
from shared.events.fields import Channel
from shared.jetstream.raw_client import RawClient
from shared.keys.keyfiles import make_channel_keys
from shared.keys.messages import Rotated
from tests.late import LATE_S, SOON_S, TOO_SHORT_S, answered, hanging, late_server
from tests.waiting import WITHIN_S

HTTP = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n"
API = "$JS.API"
READY = HTTP + b'{"ready": true}'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    with NatsServer(tmp_path_factory.mktemp("nats"), sync_interval='"1m"') as server:
        yield server


@pytest.fixture
def running(server: NatsServer, tmp_path: Path) -> Running:
    make_key_files(tmp_path)
    make_channel_keys(tmp_path)
    return Running.bare(server.url).model_copy(update={"keys": tmp_path})


async def ended(waiting: Awaitable[object]) -> str:
    with pytest.raises(VerbEndedError) as found:
        await waiting
    assert found.value.code == Exit.UNAVAILABLE
    return str(found.value)


async def test_a_verb_ends_where_nats_server_greets_too_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("passage.connecting.CONNECT_TIMEOUT_S", SOON_S)
    with late_server(b"INFO {}\r\nPONG\r\n") as port:
        verb = connected(f"nats://127.0.0.1:{port}", attempts=1)
        assert "no nats-server answers at" in await ended(verb.__aenter__())


async def test_a_command_that_the_api_answers_too_late_may_be_sent_again_with_its_id(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(api, "TIMEOUT_S", SOON_S)
    with late_server(READY) as port:
        there = Running.bare(http=f"http://127.0.0.1:{port}")
        who = AsPerson(OwnKeys(tmp_path), made_key("olena", "http://localhost"))
        who.keys.keep_session("olena", "begun before")
        said = await ended(do._send(there, who, "SetContactRule", {"command_id": "c-1"}, 3))
        assert said.endswith("sending it again with --command-id c-1 is safe")
        async with api.api_of(there) as opened:
            said = await ended(api.fetched(opened, "cases"))
        assert said.startswith("the API does not answer (")


@pytest.mark.parametrize(
    "answer",
    [READY, b"", b"who?\r\n", HTTP, HTTP.replace(b"200 OK", b"503 Service Unavailable")],
    ids=["too late", "nothing", "not HTTP", "no body", "no reason why not"],
)
async def test_a_query_that_does_not_say_in_time_how_it_is_gives_no_answer(
    monkeypatch: pytest.MonkeyPatch, client: Client, answer: bytes
) -> None:
    monkeypatch.setattr("passage.runner.health.TIMEOUT_S", SOON_S)
    with late_server(answer, late_s=LATE_S if answer == READY else 0.0) as port:
        assert await state(client, f"http://127.0.0.1:{port}", "query") == "no answer"


async def test_a_service_that_does_not_say_in_time_how_it_is_gives_no_answer(
    monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    await answered(client, subjects.health("intake"), b'{"ready": true}')
    assert await state(client, "", "intake") == "ready"
    monkeypatch.setattr("passage.runner.health.TIMEOUT_S", TOO_SHORT_S)
    assert await state(client, "", "intake") == "no answer"
    assert not await answers(client, "intake")


async def test_a_stream_whose_next_part_does_not_come_is_not_taken_for_read(
    monkeypatch: pytest.MonkeyPatch, server: NatsServer, client: RawClient
) -> None:
    await stream(client, "T", "t")
    await client.request("t", b"one", timeout=WITHIN_S)
    async with log_reading.receiving(client, log_reading._Reading(client, "T", ">")) as reading:
        await reading.ask_from(1)
        assert [one.body for one in await reading.batch()] == [b"one"]
        monkeypatch.setattr(log_reading, "TIMEOUT_S", SOON_S)
        async with hanging(server):
            await client.publish(f"{API}.DIRECT.GET.T", b'{"seq": 1, "batch": 1}', reading.inbox)
            said = "reading T failed (TimeoutError); try again"
            assert await ended(reading.batch()) == said
            said = "reading T failed (FlushTimeoutError); try again"
            assert await ended(reading.ask_from(1)) == said


async def test_provisioning_ends_where_the_server_takes_too_long(
    monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    monkeypatch.setattr(provisioning, "TIMEOUT_S", TOO_SHORT_S)
    assert await ended(provisioning.provision(client, 1)) == (
        "JetStream doesn't answer (TimeoutError)"
    )
    monkeypatch.undo()
    await provisioning.ask(client, "INFO", None)


async def test_a_call_that_was_not_acknowledged_in_time_may_be_sent_again(
    monkeypatch: pytest.MonkeyPatch, client: Client, running: Running
) -> None:
    await stream(client, "CALLS_phone", "calls.phone")
    said = Call("call-1", "phone", None, "ru", datetime(2026, 11, 22, 12, tzinfo=UTC))
    monkeypatch.setattr("passage.channel.PUBLISH_TIMEOUT_S", TOO_SHORT_S)
    assert await ended(call._publish(running, said)) == (
        "the call was not acknowledged (TimeoutError); sending it again with --call-id call-1 is "
        "safe"
    )
    monkeypatch.undo()
    assert (await call._publish(running, said)).stream == "CALLS_phone"


async def test_a_channel_that_hears_nothing_of_its_outbox_is_told_so(
    monkeypatch: pytest.MonkeyPatch, running: Running
) -> None:
    telegram: Channel = "telegram"
    taking = (running, telegram, ("", None, None), 0.0)
    assert await outbox._carry_out(*taking) is None
    monkeypatch.setattr("passage.deliveries.ANSWER_TIMEOUT_S", TOO_SHORT_S)
    assert await ended(outbox._carry_out(*taking)) == "nats-server doesn't answer (TimeoutError)"


async def test_a_rotation_that_takes_longer_may_be_asked_for_again(
    monkeypatch: pytest.MonkeyPatch, client: Client, running: Running
) -> None:
    rotated = Rotated(cases=0, damaged=(), dropped=(), epoch=2, epochs_kept=(1, 2))
    subject = subjects.keyholder("rotate", subjects.KEEPER)
    await answered(client, subject, rotated.model_dump_json().encode())
    monkeypatch.setattr("passage.asking_keyholder.ROTATION_TIMEOUT_S", TOO_SHORT_S)
    said = await ended(keys._ask(running, "rotate", Rotated))
    assert said == (
        "the key holder doesn't answer (TimeoutError); it may still carry out the request, and can "
        "be asked again"
    )
    monkeypatch.undo()
    assert await keys._ask(running, "rotate", Rotated) == rotated


async def test_who_seals_is_told_soon_that_there_is_no_answer(
    monkeypatch: pytest.MonkeyPatch, server: NatsServer, client: Client, tmp_path: Path
) -> None:
    monkeypatch.setenv("PASSAGE_NATS_URL", server.url)
    await answered(client, subjects.keyholder("close", subjects.KEEPER), b'{"closed": true}')
    await asyncio.to_thread(keys.seal_verb, tmp_path)
    monkeypatch.setattr(keys, "SEAL_TIMEOUT_S", TOO_SHORT_S)
    said = await ended(asyncio.to_thread(keys.seal_verb, tmp_path))
    assert "the key holder doesn't answer (TimeoutError)" in said


async def test_a_key_holder_that_starts_too_late_is_not_called_unsealed(
    monkeypatch: pytest.MonkeyPatch, server: NatsServer, client: Client, tmp_path: Path
) -> None:
    monkeypatch.setenv("PASSAGE_NATS_URL", server.url)
    starting = answered(client, subjects.health("keyholder"), b'{"ready": true}')
    with monkeypatch.context() as patched:
        patched.setattr(keys, "UNSEAL_TIMEOUT_S", SOON_S)
        late = asyncio.get_running_loop().call_later(LATE_S, asyncio.ensure_future, starting)
        said = await ended(asyncio.to_thread(keys.unseal_verb, tmp_path))
        late.cancel()
    assert said == "the key holder doesn't answer; its log says why"
    await starting
    await asyncio.to_thread(keys.unseal_verb, tmp_path)


async def state(client: Client, http_url: str, service: str) -> str:
    return state_of(await health_of(client, Running.bare(http=http_url), service))


async def stream(client: Client, name: str, subject: str) -> None:
    config = {"name": name, "subjects": [subject], "allow_direct": True}
    await provisioning.ask(client, f"STREAM.CREATE.{name}", config)
