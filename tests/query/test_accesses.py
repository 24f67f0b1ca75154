"""The record of access is read from AUDIT on a real server, by query and by `passage audit`."""

from __future__ import annotations

import asyncio

import pytest
from nats.aio.client import Client

from passage.cli.audit import _read
from passage.running import Running
from services.query.reads.accesses import accesses_of
from shared import subjects
from shared.jetstream.stream import Stream
from tests.accesses import access_record
from tests.examples import CASE, OTHER_CASE
from tests.query.stage import ServerLog
from tests.waiting import WITHIN_S


async def publish(url: str, messages: list[tuple[str, bytes]]) -> None:
    client = Client()
    await client.connect([url])
    for subject, body in messages:
        await client.jetstream(timeout=WITHIN_S).publish(subject, body)
    await client.close()


def test_what_names_a_case_is_found_in_order_and_what_is_unreadable_is_counted(
    server_log: ServerLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.query.reads.accesses.PAGE_MESSAGES", 2)
    made = [
        *(access_record(CASE, hours=number) for number in (1, 4, 5)),
        access_record(OTHER_CASE, hours=2),
        access_record(CASE, OTHER_CASE, hours=3),
    ]
    messages = [(one.subject, one.model_dump_json().encode()) for one in made]
    asyncio.run(publish(server_log.url, [*messages, (subjects.audit(CASE), b"torn")]))
    audit = Stream(server_log.recorder.log.stream.connection, subjects.AUDIT, WITHIN_S, WITHIN_S)
    found = accesses_of(audit, CASE)
    assert [one.access_id for one in found.records] == [f"Olena-{n}" for n in (1, 3, 4, 5)]
    assert found.unreadable == 1
    assert asyncio.run(_read(Running.bare(server_log.url), CASE)) == tuple(found)
    assert accesses_of(audit, "N0B0DY").records == []
