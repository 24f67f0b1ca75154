"""HTTP connections that nobody can hold open by doing nothing: uvicorn's, with time limits.

A request's head must come within seconds, so must its body (`http_guards`), and an answer must be
read. With too many connections, the one that waited longest without a request is closed.
"""

import asyncio
from typing import Any

from typing_extensions import override
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

HEAD_WITHIN_S = 10.0
"""How long a request's head may take, from the connection or the previous answer."""
READ_WITHIN_S = 30.0
"""How long a client may go without reading any of an answer."""
CONNECTIONS_MAX = 500


class Connection(H11Protocol):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.waits_since: float | None = None
        """Since when no request is under way, by the loop's clock."""
        self._head_due: asyncio.TimerHandle | None = None
        self._read_due: asyncio.TimerHandle | None = None

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        if len(self.connections) >= CONNECTIONS_MAX:
            self._drop_longest_waiting()
        super().connection_made(transport)
        self._await_head()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._head_came()
        self.resume_writing()
        super().connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._is_answering():
            self._head_came()

    @override
    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self._is_answering():  # A request sent right behind may be under way.
            self._await_head()

    @override
    def pause_writing(self) -> None:
        super().pause_writing()
        self._read_due = self._read_due or self.loop.call_later(READ_WITHIN_S, self._drop)

    @override
    def resume_writing(self) -> None:
        super().resume_writing()
        if self._read_due is not None:
            self._read_due.cancel()
            self._read_due = None

    def _is_answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def _await_head(self) -> None:
        self._head_came()
        self.waits_since = self.loop.time()
        self._head_due = self.loop.call_later(HEAD_WITHIN_S, self._drop)

    def _head_came(self) -> None:
        self.waits_since = None
        if self._head_due is not None:
            self._head_due.cancel()
            self._head_due = None

    def _drop_longest_waiting(self) -> None:
        waiting = [
            (one.waits_since, one)
            for one in self.connections
            if isinstance(one, Connection) and one.waits_since is not None
        ]
        if waiting:
            longest = min(waiting, key=lambda pair: pair[0])[1]
            # At once, or the next connection would still count it.
            self.connections.discard(longest)
            longest._drop()

    def _drop(self) -> None:
        self.transport.abort()
