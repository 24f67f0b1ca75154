"""Headers that nobody reads cost the loop nothing."""

from __future__ import annotations

from shared.bus.broker import HEADERS_MAX_BYTES, _AnyHeaders


async def test_headers_longer_than_any_of_the_server_s_or_ours_are_not_read() -> None:
    line = b"Nats-Msg-Id: x\r\n"
    client = _AnyHeaders()
    short = b"NATS/1.0\r\n" + line + b"\r\n"
    assert await client._process_headers(short) == {"Nats-Msg-Id": "x"}
    long = b"NATS/1.0\r\n" + line * (HEADERS_MAX_BYTES // len(line) + 1) + b"\r\n"
    assert await client._process_headers(long) is None
