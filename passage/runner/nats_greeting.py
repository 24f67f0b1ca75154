"""What a nats-server says before anybody logs in: whether it is ready for clients."""

from __future__ import annotations

import json
import socket
import ssl
from contextlib import ExitStack
from io import BufferedRWPair
from pathlib import Path

from shared.jetstream.tls import tls_context


def jetstream_answers(host: str, port: int, timeout: float = 0.5, ca: Path | None = None) -> bool:
    """Whether the server at `host:port` has JetStream on and, if no login is needed, a leader.

    Uses TLS if `ca` is given. Raises OSError, and ValueError on an unexpected answer.
    """
    with ExitStack() as stack:
        connection = stack.enter_context(socket.create_connection((host, port), timeout))
        if ca is not None:
            connection = stack.enter_context(_wrapped(connection, host, ca))
        wire = stack.enter_context(connection.makefile("rwb"))
        greeting = json.loads(wire.readline().removeprefix(b"INFO "))
        if not greeting.get("jetstream"):
            return False
        if greeting.get("auth_required"):
            return True
        reply = request(wire, "$JS.API.INFO", b"")
        return "error" not in json.loads(reply)


def request(wire: BufferedRWPair, subject: str, body: bytes) -> bytes:
    """The body of the reply to one request on a new connection, in NATS's text protocol."""
    wire.write(b'CONNECT {"verbose":false,"pedantic":false}\r\nSUB _INBOX.ready 1\r\n')
    wire.write(b"PUB %s _INBOX.ready %d\r\n%s\r\n" % (subject.encode(), len(body), body))
    wire.flush()
    while not wire.readline().startswith(b"MSG "):
        pass
    return wire.readline()


def _wrapped(connection: socket.socket, host: str, ca: Path) -> ssl.SSLSocket:
    return tls_context(str(ca)).wrap_socket(connection, server_hostname=host)
