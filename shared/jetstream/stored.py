"""A stored message, from the server's direct API or from the stream's leader."""

import base64
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from eventsourcing.persistence import InternalError

from shared.jetstream.calls import Reply

# The server appends these four to the stored headers, in this order, so the last match is its own.
SERVER_HEADERS = re.compile(
    rb"\r\nNats-Stream: [^\r]*\r\nNats-Subject: ([^\r]*)\r\nNats-Sequence: (\d+)"
    rb"\r\nNats-Time-Stamp: ([^\r]*)\r\n"
)


class StoredMessage(NamedTuple):
    """A message as a stream, or a copy of it, has it."""

    sequence: int
    subject: str
    body: bytes
    stored_at: str = ""
    """When the server stored it: RFC 3339, UTC, nanoseconds; empty in a copy."""

    @property
    def recorded_at(self) -> datetime:
        """The same time; aware, UTC, cut to microseconds."""
        return read_time(self.stored_at)


def read_leader_message(message: Mapping[str, Any]) -> StoredMessage:
    """The message in an answer of STREAM.MSG.GET."""
    return StoredMessage(
        message["seq"],
        message["subject"],
        base64.b64decode(message.get("data", "")),
        message["time"],
    )


def read_message(reply: Reply) -> StoredMessage:
    start = reply.headers.rfind(b"\r\nNats-Stream: ")
    match = SERVER_HEADERS.match(reply.headers, start) if start >= 0 else None
    if match is None:
        raise InternalError("a direct get was answered in an unknown form")
    subject, sequence, stored_at = match.groups()
    return StoredMessage(
        int(sequence),
        subject.decode(errors="backslashreplace"),
        reply.body,
        stored_at.decode(),
    )


def read_time(text: str) -> datetime:
    """An RFC 3339 time of the server (UTC, nanoseconds), cut to microseconds."""
    return datetime.fromisoformat(text).astimezone(UTC)
