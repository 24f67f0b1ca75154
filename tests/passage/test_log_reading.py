"""A stream is read as the server stores it, in order, across batches, with its holes."""

import pytest
from nats.aio.client import Client

from passage.exits import VerbEndedError
from passage.install.provisioning import ask
from passage.integrity.log_reading import last_sequence, read_stream
from tests.waiting import WITHIN_S

MESSAGES = 2_500


@pytest.fixture
async def filled(client: Client) -> Client:
    await ask(client, "STREAM.CREATE.T", {"name": "T", "subjects": ["t.>"], "allow_direct": True})
    for number in range(1, MESSAGES):
        await client.publish(f"t.{number % 2}", str(number).encode())
    # Acknowledged, and so were all before it.
    await client.jetstream(timeout=WITHIN_S).publish(f"t.{MESSAGES % 2}", str(MESSAGES).encode())
    return client


async def test_everything_is_read_in_order_across_batches(filled: Client) -> None:
    last = await last_sequence(filled, "T")
    found = [stored async for stored in read_stream(filled, "T", last)]
    assert [stored.sequence for stored in found] == list(range(1, MESSAGES + 1))
    assert [int(stored.body) for stored in found] == list(range(1, MESSAGES + 1))
    assert found[0].recorded_at.tzinfo is not None


async def test_reading_stops_at_the_sequence_asked_for(filled: Client) -> None:
    found = [stored.sequence async for stored in read_stream(filled, "T", 1_234)]
    assert found == list(range(1, 1_235))


async def test_a_hole_is_a_hole(filled: Client) -> None:
    await filled.jetstream(timeout=WITHIN_S).delete_msg("T", 1_000)
    await filled.jetstream(timeout=WITHIN_S).delete_msg("T", 1_001)
    found = [stored.sequence async for stored in read_stream(filled, "T", MESSAGES)]
    assert found == [*range(1, 1_000), *range(1_002, MESSAGES + 1)]


async def test_one_subject_alone_can_be_read(filled: Client) -> None:
    found = [stored.sequence async for stored in read_stream(filled, "T", MESSAGES, "t.1")]
    assert found == list(range(1, MESSAGES, 2))


async def test_a_stream_that_is_missing_is_said(client: Client) -> None:
    with pytest.raises(VerbEndedError, match="no stream NONE"):
        await last_sequence(client, "NONE")
