"""Whatever a channel sends in place of headers, every genuine call after it becomes a case."""

from __future__ import annotations

import pytest

from passage.runner.health import answers
from tests.wire.conftest import Site

NO_HEADERS = (
    b"garbage",
    b"NATS/1.0",
    b"NATS/1.0\r\n",
    b"NATS/1.0 \xff\xff\xff\r\n\r\n",
    b"NATS/1.0 100 \xff\xfe\r\n\r\n",
    b"NATS/1.0\r\nno colon\r\n\r\n",
    b"NATS/1.0\r\n\xff\xfe: \xff\r\n\r\n",
    b"\x00" * 60_000,
)
"""Bytes that are no headers, or none that nats-py reads."""
OF_THE_SERVER = (
    b"NATS/1.0 503 No Responders\r\n\r\n",
    b"NATS/1.0 100 Idle Heartbeat\r\n\r\n",
    b"NATS/1.0\r\nStatus: 503\r\n\r\n",
    b"NATS/1.0\r\nStatus: 409\r\nDescription: Consumer Deleted\r\n\r\n",
    b"NATS/1.0\r\nStatus: 100\r\nNats-Consumer-Stalled: calls.web\r\n\r\n",
    b"NATS/1.0\r\nStatus: 404\r\n\r\n",
)
"""What only the server says, to whoever asks for messages."""


async def publish_behind(site: Site, headers: bytes, body: bytes) -> None:
    """Publishes on phone's stream as no library would let us."""
    lengths = b"%d %d" % (len(headers), len(headers) + len(body))
    await site.client._send_command(
        b"HPUB calls.phone " + lengths + b"\r\n" + headers + body + b"\r\n"
    )
    await site.client.flush()


@pytest.mark.parametrize("kind", ["none", "the server's"])
async def test_no_header_makes_intake_deaf_and_what_is_no_call_is_parked(
    site: Site, kind: str
) -> None:
    hostile = NO_HEADERS if kind == "none" else OF_THE_SERVER
    async with site.service("intake"):
        for number, headers in enumerate(hostile):
            await publish_behind(site, headers, b"no call")
            await site.call(f"+38044000{number:04}")
            await site.call(f"@beispiel_{number}", on="telegram")
        opened = [await site.next_event("CaseOpened") for _ in range(2 * len(hostile))]
        assert len({event.subject for event in opened}) == 2 * len(hostile)
        parked = await site.parked(len(hostile))
        assert {one.reason for one in parked} == {"not_json"}
        assert await site.calls_left() == 0
        assert await answers(site.client, "intake")
