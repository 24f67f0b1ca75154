"""A page of what is parked stays small whatever waits: query hears the log on that connection."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from nats.aio.client import Client

from passage.install.provisioning import provision
from shared import subjects
from shared.jetstream.connection import Connection
from shared.jetstream.stream import Stream
from shared.parked.messages import PAGE_MAX_BYTES, PAGE_MESSAGES, waiting_page
from tests.passage.test_parked import GOOD
from tests.waiting import WITHIN_S

LARGE = GOOD.model_copy(update={"original": "box1." + "A" * 900_000})
COUNT = 12


async def test_large_messages_are_on_several_pages_and_none_is_left_out(client: Client) -> None:
    await provision(client, replicas=1)
    jetstream = client.jetstream(timeout=WITHIN_S)
    for _ in range(COUNT):
        await jetstream.publish("parked.intake.CALLS_phone", LARGE.model_dump_json().encode())
    assert client.connected_url is not None
    pages = await asyncio.to_thread(_pages, client.connected_url.geturl())
    assert [sequence for page in pages for sequence in page] == list(range(1, COUNT + 1))
    assert max(map(len, pages)) <= 1 + PAGE_MAX_BYTES // len(LARGE.original)


def _pages(url: str) -> list[list[int]]:
    connection = Connection({"servers": [url]})
    try:
        return list(_walked(Stream(connection, subjects.PARKED, 20.0, 20.0)))
    finally:
        connection.close()


def _walked(parked: Stream) -> Iterator[list[int]]:
    after: int | None = 0
    while after is not None:
        page = waiting_page(parked, after, PAGE_MESSAGES)
        yield [one.sequence for one in page.items]
        after = page.following
