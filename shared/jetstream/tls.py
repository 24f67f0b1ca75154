"""TLS for connections to NATS: version 1.3, one trusted authority, the name checked."""

import ssl
from typing import Any
from urllib.parse import ParseResult

from nats.aio.client import Client, Srv
from nats.aio.transport import TcpTransport
from typing_extensions import override


def tls_context(ca_file: str) -> ssl.SSLContext:
    """Trusts one authority; `OSError` if its file can't be read."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # It checks names and certificates.
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_verify_locations(cafile=ca_file)
    return context


def tls_options(ca_file: str) -> dict[str, Any]:
    """nats-py's options for it.

    The handshake goes first: nats-py would speak in the clear to a server that greets without
    asking for TLS, so a man in the middle could talk it out of TLS.
    """
    return {"tls": tls_context(ca_file), "tls_handshake_first": True}


class TlsClient(Client):
    """nats-py's client, which continues with the next server if one isn't trusted.

    nats-py 2.16 then waits forever for the end of a connection that asyncio has already ended. The
    overridden methods are private: `tests/identities/test_refused_connections.py` fails if they
    change.
    """

    @override
    async def connect(self, *servers: Any, **options: Any) -> None:
        try:
            await super().connect(*servers, **options)
        except BaseException:  # Cancelled, it would leave its connection open.
            if isinstance(self._transport, _Transport):
                self._transport.let_go()
            raise

    @override
    async def _connect_to_server(self, s: Srv) -> None:
        if not self._transport:
            self._transport = _Transport()  # type: ignore[no-untyped-call]
        await super()._connect_to_server(s)

    @override
    async def _close(self, status: int, do_cbs: bool = True) -> None:
        # What is still to be sent may fail first, and nats-py then leaves the connection open.
        try:
            await super()._close(status, do_cbs)
        finally:
            if isinstance(self._transport, _Transport):
                self._transport.let_go()


class _Transport(TcpTransport):
    _is_new = True

    @override
    def __bool__(self) -> bool:
        # If a new one were falsy, as nats-py's is, nats-py would replace it with its own.
        return self._is_new or self._io_writer is not None

    @override
    async def connect(self, uri: ParseResult, buffer_size: int, connect_timeout: int) -> None:
        self.let_go()  # After a failed greeting nats-py connects again and closes nothing.
        await super().connect(uri, buffer_size, connect_timeout)
        self._is_new = False

    @override
    async def connect_tls(
        self,
        uri: str | ParseResult,
        ssl_context: ssl.SSLContext,
        buffer_size: int,
        connect_timeout: int,
    ) -> None:
        try:
            await super().connect_tls(uri, ssl_context, buffer_size, connect_timeout)
        except BaseException:
            self.let_go()
            self._io_writer = self._bare_io_writer = None
            raise

    def let_go(self) -> None:
        """Leaves no connection open, whatever was still to be sent."""
        if self._bare_io_writer is not None:
            self._bare_io_writer.transport.abort()
