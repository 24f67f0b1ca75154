"""query's own NATS connection, on the server's event loop: passes commands on and looks at
streams. It keeps trying to connect in the background, so that query starts without the server."""

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, cast

from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError
from nats.errors import TimeoutError as NatsTimeoutError

from shared import subjects
from shared.diagnostics.logger import log_connection_error
from shared.jetstream.stored import read_time
from shared.jetstream.tls import TlsClient
from shared.parked.messages import SETTLED_PREFIX
from shared.policy import policy
from shared.servers.credentials import api_prefix, connect_options
from shared.servers.denials import Denials, DeniedError
from shared.settings import Settings

RECONNECT_WAIT_S = 0.1
STREAM_TIMEOUT_S = 5.0
"""Longer than `passage health` waits; it then says that query isn't ready."""
SILENT = "doesn't answer: it is missing or has no leader, or the server is silent"


class NobodyAnswersError(Exception):
    """No answer came; the text says why, in words for the operator."""


class StreamState(NamedTuple):
    """How full a stream is, and since when, by the server's clock."""

    messages: int
    last_sequence: int
    oldest_s: float
    """Age of the oldest message, seconds; 0 if there is none."""
    consumers: int


def is_led(cluster: Mapping[str, Any] | None) -> bool:
    """Whether a stream has a leader and a quorum; None: a single server, which needs neither.

    Without a leader a follower answers, and a leader that lost its followers keeps answering for
    some 20 s: only what each says of the others tells.
    """
    if cluster is None:
        return True
    others = cluster.get("replicas") or ()
    there = 1 + sum(not one.get("offline") for one in others)
    return bool(cluster.get("leader")) and 2 * there > 1 + len(others)


class NatsConnection:
    def __init__(self, settings: Settings) -> None:
        self._servers = settings.nats_servers
        self._options = connect_options(settings.nats_nkey, settings.nats_ca)
        self._api_prefix = api_prefix(settings.identity)
        self._denials = Denials()
        self._client = TlsClient()
        self._connecting: asyncio.Task[None] | None = None

    @property
    def connected(self) -> bool:
        return self._client.is_connected

    def start(self, health: Callable[[], dict[str, object]], on_sealed: Callable[[], None]) -> None:
        """Begins to connect; afterwards `health` answers on `health.query`.

        `on_sealed` is called in its own thread when the key holder announces that it seals.
        """
        self._connecting = asyncio.create_task(self._connect(health, on_sealed))

    async def close(self) -> None:
        if self._connecting is not None:
            self._connecting.cancel()
            with contextlib.suppress(asyncio.CancelledError, NatsError, OSError):
                await self._connecting
        # nats-py's close fails on a client that never got to a server.
        if self._client.is_connected or self._client.is_reconnecting:
            with contextlib.suppress(NatsError, OSError):
                await self._client.close()

    async def request(self, subject: str, body: bytes, timeout_s: float) -> bytes:
        """The reply to one request. Raises NobodyAnswersError."""
        if not self.connected:
            raise NobodyAnswersError("the messaging server is not reachable")
        try:
            asked = self._client.request(subject, body, timeout=timeout_s)
            reply = await self._denials.unless_denied(subject, asked)
        except DeniedError:
            raise NobodyAnswersError("query's identity may not ask it") from None
        except NoRespondersError:
            raise NobodyAnswersError("it is not running") from None
        except NatsTimeoutError:
            raise NobodyAnswersError(f"it gave no answer within {timeout_s:g} s") from None
        except (NatsError, OSError) as error:
            raise NobodyAnswersError(f"the connection failed ({type(error).__name__})") from None
        return reply.data

    async def stream_state(self, stream: str) -> StreamState | None:
        """None if the stream has no leader with a quorum."""
        try:
            raw = await self.request(
                f"{self._api_prefix}.STREAM.INFO.{stream}", b"", STREAM_TIMEOUT_S
            )
            told = json.loads(raw)
            if not is_led(told.get("cluster")):
                return None
            state = told["state"]
            age = read_time(told["ts"]) - read_time(state["first_ts"])
            return StreamState(
                messages=int(state["messages"]),
                last_sequence=int(state["last_seq"]),
                oldest_s=max(0.0, age.total_seconds()) if state["messages"] else 0.0,
                consumers=int(state["consumer_count"]),
            )
        except (NobodyAnswersError, KeyError, ValueError):
            return None

    async def parked_waiting(self) -> int | None:
        """How many parked messages wait for a person; None if the server doesn't say."""
        subject = f"{self._api_prefix}.STREAM.INFO.{subjects.PARKED}"
        asked = json.dumps({"subjects_filter": f"{SETTLED_PREFIX}*"}).encode()
        try:
            state = json.loads(await self.request(subject, asked, STREAM_TIMEOUT_S))["state"]
            notes = state.get("subjects") or {}
            # Each note's message is still there beside it.
            gone = sum(map(int, notes.values())) + len(notes)
            return max(0, int(state["messages"]) - gone)
        except (NobodyAnswersError, KeyError, ValueError):
            return None

    async def _connect(
        self, health: Callable[[], dict[str, object]], on_sealed: Callable[[], None]
    ) -> None:
        await self._client.connect(
            self._servers,
            name="passage-query",
            allow_reconnect=True,
            max_reconnect_attempts=-1,
            # nats-py's type is whole seconds, but asyncio gets the value unchanged.
            reconnect_time_wait=cast("int", RECONNECT_WAIT_S),
            error_cb=self._on_error,
            **self._options,
        )

        async def answer(msg: Msg) -> None:
            await msg.respond(json.dumps(health()).encode())

        async def let_go(_: Msg) -> None:
            await asyncio.to_thread(on_sealed)

        await self._client.subscribe(subjects.health("query"), cb=answer)
        await self._client.subscribe(subjects.KEYHOLDER_SEALED, cb=let_go)

    async def _on_error(self, error: Exception) -> None:
        self._denials.note(error)
        log_connection_error(error)


class CallsWaiting(NamedTuple):
    """The calls of one channel that are in no case yet, and why they can't be taken into one."""

    channel: str
    messages: int | None
    """None if the stream's leader doesn't say."""
    oldest_s: float
    problem: str | None


async def calls_waiting(nats: NatsConnection) -> list[CallsWaiting]:
    """Asks the leaders of all channels' streams at once."""
    return list(await asyncio.gather(*(_of(nats, one) for one in policy().channels.names)))


async def _of(nats: NatsConnection, channel: str) -> CallsWaiting:
    stream = subjects.calls_stream(channel)
    state = await nats.stream_state(stream)
    if state is None:
        return CallsWaiting(channel, None, 0.0, f"{stream} {SILENT}")
    problem = None if state.consumers else f"{stream} has no consumer; run `passage provision`"
    return CallsWaiting(channel, state.messages, state.oldest_s, problem)
