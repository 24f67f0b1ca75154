"""What nats-server refuses or holds back, at the bounds that it is given for streams, consumers and
messages.
"""

import asyncio
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from eventsourcing.persistence import OperationalError, StoredEvent
from nats.aio.client import Client
from nats.aio.msg import Msg

from passage.connecting import connected
from passage.install.definitions import consumers
from passage.install.provisioning import ApiRefusedError, ask, provision
from passage.runner.endpoints import free_port
from passage.runner.nats_server import (
    CLOSED_CONNECTIONS_MAX,
    MAX_CONTROL_LINE_BYTES,
    MAX_PAYLOAD_BYTES,
    NatsServer,
)
from shared import subjects
from shared.jetstream import JetStreamFactory
from shared.log.case_log import jetstream_env
from shared.settings import Settings
from tests.architecture.sources import ROOT
from tests.examples import CASE
from tests.waiting import WITHIN_S

BYTES, MESSAGES = 2_000, 2
OF_THE_LOG = sum(one.stream == subjects.CASES for one in consumers())
SMALL = {
    "ACK_PENDING_MAX": MESSAGES,
    "PULLS_WAITING_MAX": MESSAGES,
    "CONSUMERS_MAX": OF_THE_LOG + 1,
    "MESSAGE_MAX_BYTES": BYTES,
    "OUTBOUND_OF_A_CHANNEL_MAX": MESSAGES,
    "OUTBOUND_MESSAGE_MAX_BYTES": BYTES // 2,
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    folder = tmp_path_factory.mktemp("bounded")
    with (
        pytest.MonkeyPatch.context() as patched,
        NatsServer(folder, sync_interval='"1m"') as server,
    ):
        for name, value in SMALL.items():
            patched.setattr(f"passage.install.definitions.{name}", value)
        asyncio.run(provisioned(server.url))
        yield server


async def provisioned(url: str) -> None:
    async with connected(url) as client:
        await provision(client, replicas=1)


async def published(client: Client, subject: str, body: bytes) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads((await client.request(subject, body, WITHIN_S)).data)
    return answer.get("error", answer)  # type: ignore[no-any-return]


class Puller:
    """Asks for a channel's calls, as intake does."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.got: asyncio.Queue[Msg] = asyncio.Queue()

    async def ask(self, channel: str = "phone", **wanted: Any) -> None:
        inbox = self.client.new_inbox()
        await self.client.subscribe(inbox, cb=self.got.put)
        subject = f"$JS.API.CONSUMER.MSG.NEXT.CALLS_{channel}.intake"
        await self.client.publish(subject, json.dumps(wanted).encode(), inbox)

    async def next(self) -> Msg:
        return await asyncio.wait_for(self.got.get(), WITHIN_S)


async def test_no_more_is_delivered_than_may_be_unsettled(client: Client) -> None:
    puller = Puller(client)
    for number in range(MESSAGES + 2):
        assert "seq" in await published(client, "calls.phone", b"%d" % number)
    await puller.ask(batch=100, expires=600_000_000_000)
    first, second = await puller.next(), await puller.next()
    for _ in range(20):  # Time enough to deliver the others.
        await ask(client, "CONSUMER.INFO.CALLS_phone.intake", None)
    info = await ask(client, "CONSUMER.INFO.CALLS_phone.intake", None)
    assert (info["num_ack_pending"], info["num_pending"]) == (MESSAGES, 2)
    await first.ack()
    assert [one.data for one in (first, second, await puller.next())] == [b"0", b"1", b"2"]


async def test_no_more_requests_for_messages_wait_than_may(client: Client) -> None:
    puller = Puller(client)
    for _ in range(MESSAGES + 1):
        await puller.ask("web", batch=1, expires=600_000_000_000)
    refused = await puller.next()
    assert refused.headers is not None
    assert (refused.headers["Status"], puller.got.empty()) == ("409", True)
    info = await ask(client, "CONSUMER.INFO.CALLS_web.intake", None)
    assert info["num_waiting"] == MESSAGES


async def test_the_log_has_no_more_consumers_than_it_may(client: Client) -> None:
    for name in ("one", "another"):
        made = {"stream_name": "CASES", "config": {"name": name, "inactive_threshold": 10**12}}
        asked = ask(client, f"CONSUMER.CREATE.CASES.{name}", made)
        if name == "one":
            await asked
            continue
        with pytest.raises(ApiRefusedError, match="maximum consumers limit"):
            await asked


@pytest.mark.parametrize(
    ("subject", "most"),
    [("parked.intake.CALLS_web", BYTES), ("outbound.telegram", BYTES // 2)],
)
async def test_no_longer_message_is_stored_than_may_be(
    client: Client, subject: str, most: int
) -> None:
    assert "seq" in await published(client, subject, b"x" * most)
    refused = await published(client, subject, b"x" * (most + 1))
    assert refused["description"] == "message size exceeds maximum allowed"


def test_a_longer_event_is_refused_to_who_writes_it(server: NatsServer) -> None:
    settings = Settings(nats_url=server.url)
    factory = JetStreamFactory(jetstream_env(settings, "bounds"))
    log = factory.application_recorder()
    # What says where it is to stand counts as well.
    assert log.insert_events([StoredEvent(CASE, 1, "NoteAdded", b"x" * (BYTES // 2))]) == [1]
    with pytest.raises(OperationalError, match="message size exceeds"):
        log.insert_events([StoredEvent(CASE, 2, "NoteAdded", b"x" * BYTES)])
    factory.close()


async def test_no_more_messages_wait_for_a_channel_than_may(client: Client) -> None:
    answers = [await published(client, "outbound.signal", b"letter") for _ in range(MESSAGES + 1)]
    assert ["seq" in one for one in answers] == [True] * MESSAGES + [False]
    assert "maximum messages per subject" in answers[-1]["description"]
    assert "seq" in await published(client, "outbound.web", b"letter")


@pytest.mark.wire
def test_the_server_ends_a_connection_that_sends_a_longer_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("passage.runner.nats_server.MAX_PAYLOAD_BYTES", BYTES)
    with NatsServer(tmp_path) as server:
        assert answers(server, BYTES, b"x" * BYTES + b"\r\nPING\r\n") == b"PONG\r\n"
        # At its first line already: what it would go on with isn't waited for.
        assert answers(server, BYTES + 1, b"") == b"-ERR 'Maximum Payload Violation'\r\n"


def test_compose_gives_its_servers_the_same_bounds() -> None:
    conf = (ROOT / "deploy" / "nats.conf").read_text()
    assert f"\nmax_payload: {MAX_PAYLOAD_BYTES}\n" in conf
    assert f"\nmax_control_line: {MAX_CONTROL_LINE_BYTES}\n" in conf
    assert f"\nmax_closed_clients: {CLOSED_CONNECTIONS_MAX}\n" in conf


@pytest.mark.wire
def test_the_server_remembers_few_connections_that_have_ended(tmp_path: Path) -> None:
    monitored_at = f"127.0.0.1:{free_port('127.0.0.1')}"
    with NatsServer(tmp_path, extra_config=f'http: "{monitored_at}"\n') as server:
        for _ in range(CLOSED_CONNECTIONS_MAX + 5):
            assert answers(server, 1, b"x\r\nPING\r\n") == b"PONG\r\n"
        closed: list[Any] = []
        while len(closed) < CLOSED_CONNECTIONS_MAX:
            asked = httpx.get(f"http://{monitored_at}/connz?state=closed", trust_env=False)
            closed = asked.json()["connections"]
        assert len(closed) == CLOSED_CONNECTIONS_MAX


@pytest.mark.wire
def test_the_server_ends_a_connection_that_names_a_longer_place_for_an_answer(
    server: NatsServer,
) -> None:
    for length, said in (
        (300, b"PONG\r\n"),
        (MAX_CONTROL_LINE_BYTES, b"-ERR 'maximum control line"),
    ):
        place = b"x" * length
        with socket.create_connection((server.host, server.port), WITHIN_S) as connection:
            lines = connection.makefile("rb")
            lines.readline()
            connection.sendall(b'CONNECT {"verbose":false}\r\nPUB any %b 0\r\n\r\nPING\r\n' % place)
            assert lines.readline().startswith(said)


def answers(server: NatsServer, size: int, message: bytes) -> bytes:
    """What the server says to a message that is announced as so long; all, where it ends then."""
    with socket.create_connection((server.host, server.port), WITHIN_S) as connection:
        lines = connection.makefile("rb")
        lines.readline()
        connection.sendall(b'CONNECT {"verbose":false}\r\nPUB any %d\r\n%b' % (size, message))
        return lines.readline() if message else lines.read()
