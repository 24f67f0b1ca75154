"""A log made anew is stored so many events at a time, and each must get its own sequence."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from passage.connecting import connected
from passage.exits import Exit, VerbEndedError
from passage.integrity.log_reading import last_sequence
from passage.integrity.repair import anew
from passage.runner.nats_server import NatsServer
from shared.jetstream.raw_client import RawClient
from shared.jetstream.stored import StoredMessage
from tests.integrity.prepared import some_log
from tests.late import SOON_S, hanging

LOG = some_log(3, 10)


@pytest.fixture
async def client(server: NatsServer) -> AsyncIterator[RawClient]:
    async with connected(server.url) as connection:
        await anew.make_anew(connection, 1)
        yield connection


async def test_no_more_is_sent_before_what_is_under_way_is_acknowledged(
    client: RawClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(anew, "UNDER_WAY_MAX", 7)
    stored: list[int] = []

    def events() -> Iterator[StoredMessage]:
        for sent, event in enumerate(LOG):
            assert sent - sum(stored) < anew.UNDER_WAY_MAX
            yield event

    await anew.store(client, events(), stored.append)
    assert stored == [7, 7, 7, 7, 2]
    assert await last_sequence(client, "CASES") == len(LOG)


async def test_an_event_that_is_not_acknowledged_in_time_ends_it_and_it_may_be_run_again(
    server: NatsServer, client: RawClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(anew, "ACK_TIMEOUT_S", SOON_S)
        async with hanging(server):
            with pytest.raises(VerbEndedError) as ended:
                await anew.store(client, LOG[:1], lambda _: None)
    assert ended.value.code == Exit.FAILED
    assert str(ended.value) == (
        "the new stream is not whole (no answer for sequence 1); run `passage repair` again"
    )
    await anew.make_anew(client, 1)
    await anew.store(client, LOG, lambda _: None)
    assert await last_sequence(client, "CASES") == len(LOG)
