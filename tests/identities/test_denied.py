"""A denied publish or request is an error at once: no test here can wait for a timeout, as each
request may take an hour.
"""

import json
from collections.abc import Iterator
from typing import cast

import pytest
from eventsourcing.persistence import OperationalError, StoredEvent
from nacl.public import PrivateKey
from nats.errors import Error as NatsError

from services.query.nats_connection import NatsConnection, NobodyAnswersError
from shared.bus.bus import Bus
from shared.jetstream import JetStreamApplicationRecorder, JetStreamFactory
from shared.jetstream.buckets import Bucket
from shared.jetstream.calls import Outgoing, RequestRefusedError
from shared.jetstream.connection import Connection
from shared.keys.client import Keys, KeysDeniedError, RemoteKeys
from shared.log.case_log import jetstream_env
from shared.parked.parking import Delivery, UnprocessableError
from shared.policy import policy
from shared.servers.denials import DeniedError
from shared.servers.stores import QUESTIONS, read_report
from shared.subjects import KEEPER, SERVERS_HEALTH
from tests.identities.conftest import Ground
from tests.waiting import WITHIN_S

AN_HOUR_S = 3_600.0


@pytest.fixture
def log(ground: Ground) -> Iterator[object]:
    """The recorder of CASES as handover has it."""
    settings = ground.settings("handover", request_timeout_s=AN_HOUR_S)
    env = {**jetstream_env(settings, "test"), "JETSTREAM_DEADLINE": str(AN_HOUR_S)}
    factory = JetStreamFactory(env)
    recorder = factory.application_recorder()
    yield recorder
    factory.close()


def event(version: int, type_name: str) -> StoredEvent:
    return StoredEvent("0FDENIED0001", version, type_name, b"{}")


@pytest.mark.parametrize("types", [["IdentityVerified"], ["ContactLost", "IdentityVerified"]])
def test_recording_a_foreign_event(log: JetStreamApplicationRecorder, types: list[str]) -> None:
    events = [event(number, name) for number, name in enumerate(types, start=1)]
    with pytest.raises(OperationalError, match="permissions violation"):
        log.insert_events(events)


def test_a_foreign_event_in_the_midst_of_a_batch(log: JetStreamApplicationRecorder) -> None:
    types = ("ContactLost", "IdentityVerified", "ContactLost")
    events = [event(number, name) for number, name in enumerate(types, start=1)]
    with pytest.raises(OperationalError, match="permissions violation"):
        log.insert_events(events)


def test_a_foreign_bucket_to_read_or_write(log: JetStreamApplicationRecorder) -> None:
    bucket = Bucket(log.log.stream.connection, "KEYS", AN_HOUR_S)
    with pytest.raises(OperationalError, match="permissions violation"):
        bucket.get("0FDENIED0001")
    with pytest.raises(OperationalError, match="permissions violation"):
        bucket.create("0FDENIED0001", b"value")


@pytest.mark.parametrize(
    "subject", ["commands.intake.AddNote", "PASSAGE.API.STREAM.DELETE.CASES", "$JS.API.INFO"]
)
def test_a_foreign_command_and_the_api_of_streams(
    log: JetStreamApplicationRecorder, subject: str
) -> None:
    connection: Connection = log.log.stream.connection
    with pytest.raises(RequestRefusedError, match="permissions violation"):
        connection.request(Outgoing(subject, b""), AN_HOUR_S)


def test_an_operation_of_the_key_holder_that_is_not_granted(
    log: JetStreamApplicationRecorder,
) -> None:
    keys = RemoteKeys(log.log.stream.connection, "handover", AN_HOUR_S)
    with pytest.raises(KeysDeniedError, match="permissions violation"):
        keys.hashes([("service-number", "AB000123")])


async def test_the_link_of_query(ground: Ground) -> None:
    nats = NatsConnection(ground.settings("query"))
    nats.start(dict, lambda: None)
    assert nats._connecting is not None
    await nats._connecting
    try:
        with pytest.raises(NobodyAnswersError, match="identity may not"):
            await nats.request("commands.keyholder.Open", b"", AN_HOUR_S)
        assert await nats.stream_state("CASES") is not None
        assert await nats.stream_state("TIMERS") is None
    finally:
        await nats.close()


async def test_parking_where_it_is_not_allowed(ground: Ground) -> None:
    # query consumes nothing, so it may park nothing.
    settings = ground.settings("query", request_timeout_s=AN_HOUR_S)
    public = PrivateKey.generate().public_key
    bus = Bus("query", settings, cast(Keys, None), public, lambda: True)
    await bus.broker.start()
    delivery = Delivery(stream="CASES", sequence=1, subject="cases.x.1.y", body=b"", deliveries=1)
    try:
        with pytest.raises(DeniedError):
            await bus._park(delivery, UnprocessableError("wrong_data", "x"))
    finally:
        await bus.broker.stop()


MAY = [KEEPER, "query"]


@pytest.mark.parametrize("identity", MAY)
async def test_a_server_whose_streams_are_written_reports_nothing(
    ground: Ground, identity: str
) -> None:
    async with ground.guest(identity) as guest:
        answers = [
            await guest.client.request(subject, question, timeout=WITHIN_S)
            for subject, question in QUESTIONS.items()
        ]
    health, usage = (json.loads(one.data)["data"] for one in answers)
    assert health["status"] == "ok"
    assert 0 <= usage["storage"] < usage["config"]["max_storage"]
    assert [read_report(one.data) for one in answers] == [[], []]


def test_the_policy_gives_it_to_no_other_service() -> None:
    assert [name for name, rights in policy().services.items() if rights.stores] == MAY[1:]


@pytest.mark.parametrize("identity", ["intake", "channel-phone"])
async def test_who_needs_no_report_gets_none(ground: Ground, identity: str) -> None:
    async with ground.guest(identity) as guest:
        with pytest.raises(NatsError):
            await guest.client.request(SERVERS_HEALTH, b"", timeout=1)
        assert any("servers.health" in one for one in guest.refused)
