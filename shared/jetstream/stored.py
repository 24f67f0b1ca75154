"""A stored message, as the server hands it out: by its direct API, or by the stream's leader."""

import base64
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from eventsourcing.persistence import InternalError

from shared.jetstream.calls import Reply

# The server puts these four behind the stored headers, in this order, so the last match is its own.
SERVER_HEADERS = re.compile(
    rb"\r\nNats-Stream: [^\r]*\r\nNats-Subject: ([^\r]*)\r\nNats-Sequence: (\d+)"
    rb"\r\nNats-Time-Stamp: ([^\r]*)\r\n"
)


class StoredMessage(NamedTuple):
    """A message of the stream; `recorded_at` is the server's time of storing, aware, UTC."""

    sequence: int
    subject: str
    body: bytes
    recorded_at: datetime


def read_leader_message(message: Mapping[str, Any]) -> StoredMessage:
    """The message in an answer of STREAM.MSG.GET."""
    return StoredMessage(
        message["seq"],
        message["subject"],
        base64.b64decode(message.get("data", "")),
        read_time(message["time"]),
    )


def read_message(reply: Reply) -> StoredMessage:
    """The stored message in a reply of the direct API."""
    start = reply.headers.rfind(b"\r\nNats-Stream: ")
    match = SERVER_HEADERS.match(reply.headers, start) if start >= 0 else None
    if match is None:
        raise InternalError("a direct get was answered in an unknown form")
    subject, sequence, recorded_at = match.groups()
    return StoredMessage(
        int(sequence),
        subject.decode(errors="backslashreplace"),
        reply.body,
        read_time(recorded_at.decode()),
    )


def read_time(text: str) -> datetime:
    """An RFC 3339 time of the server (UTC, nanoseconds) as datetime, cut to microseconds."""
    return datetime.fromisoformat(text).astimezone(UTC)
