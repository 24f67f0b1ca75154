"""query's wiring: the log, the read models, the projection's thread, the app and its server."""

import asyncio
import contextlib
import gc
import signal
import socket
import ssl
import sys
import threading
import time
from collections.abc import AsyncGenerator, Callable, Generator
from functools import partial
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from typing import cast

import uvicorn
from typing_extensions import override

from services.query import SERVICE
from services.query.app import create_app
from services.query.context import Context
from services.query.feed.database import open_database
from services.query.feed.generations import Generations
from services.query.feed.loop import Feed
from services.query.feed.metrics import Metrics
from services.query.feed.progress import Progress
from services.query.http_connections import CONNECTIONS_MAX, Connection
from services.query.http_door import Door
from services.query.logins.opening import ways_of
from services.query.logins.refused import Refused
from services.query.logins.tries import Tries
from services.query.nats_connection import NatsConnection
from services.query.reads.accesses import accesses_of, newest_accesses
from services.query.reads.cases import Reads
from services.query.reads.name_search import Names
from services.query.storing import Storing, reports_of
from shared import subjects
from shared.bus.health_file import health_kept
from shared.diagnostics.logger import configure, logger, place_of
from shared.diagnostics.own_process import own_process, run_to_end
from shared.jetstream import JetStreamApplicationRecorder, JetStreamFactory
from shared.jetstream.stream import Stream
from shared.keys.client import RemoteKeys
from shared.log.case_log import jetstream_env
from shared.parked.messages import parked_at, waiting_page
from shared.people.directory import Directory
from shared.people.site import SiteError, require_certified, site_of
from shared.settings import Settings
from shared.site_names import is_loopback
from shared.skeleton.own_settings import own_settings

BACKLOG_CONNECTIONS = 256
GRACE_S = 0.3
"""How long a stop waits for requests under way."""
FEED_END_S = 0.4
LOOK_FOR_IDLE_NAMES_S = 5.0
LOOK_AT_STORES_S = 2.0
PORT_MAX = 65_535
WRONG_SETTING, CANNOT_START = 2, 1
"""Exit codes."""
GC_THRESHOLD_OBJECTS = 50_000
"""A batch of 2,000 events makes and drops about 30,000 objects; by default Python would scan them
40 times (measured: a third of the time of a rebuild)."""


class AddressError(ValueError):
    """The listen address isn't HOST:PORT."""


class Server(uvicorn.Server):
    """uvicorn with our signal handling, whose stop no open connection delays."""

    def __init__(self, config: uvicorn.Config, context: Context) -> None:
        super().__init__(config)
        self._context = context

    @override
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Ends on SIGTERM and SIGINT, without re-raising the signal as uvicorn does."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        if self.config.ssl is None or sockets is None:
            await super().startup(sockets)
            return
        doors = [Door(one, self._connection, self.config.ssl) for one in sockets]
        self.servers = cast("list[asyncio.Server]", doors)
        self.started = True

    def _connection(self) -> Connection:
        return Connection(config=self.config, server_state=self.server_state, app_state={})

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._context.progress.end()  # Requests that wait for a sequence are answered now.
        await super().shutdown(sockets)


class Query:
    def __init__(self, settings: Settings) -> None:
        env = jetstream_env(settings, "passage-query-log")
        self._factory = JetStreamFactory(env)
        recorder = cast("JetStreamApplicationRecorder", self._factory.application_recorder())
        connection = recorder.log.stream.connection
        timeout_s = settings.request_timeout_s
        keys = RemoteKeys(connection, SERVICE, timeout_s)
        audit = Stream(connection, subjects.AUDIT, timeout_s, timeout_s)
        parked = Stream(connection, subjects.PARKED, timeout_s, timeout_s)
        self._database = open_database(settings.database)
        generations, progress = Generations(self._database), Progress()
        metrics = Metrics(passage_version())
        metrics.watch(progress)
        reads = Reads(generations)
        names = Names(reads, keys, settings.names_idle_s)
        nats = NatsConnection(settings)
        self._directory = Directory.over(settings, SERVICE)
        ways = ways_of(settings, connection, self._directory)
        self._storing = Storing(
            partial(reports_of, connection, len(settings.nats_servers)), settings.disk_paths
        )
        self._feed = Feed(recorder, generations, progress, metrics, names.applied)
        self.context = Context(
            settings=settings,
            version=passage_version(),
            generations=generations,
            reads=reads,
            progress=progress,
            metrics=metrics,
            nats=nats,
            logins=ways.sessions,
            ways=ways,
            tries=Tries(),
            refused=Refused(nats.request, metrics.refused_logins),
            log=recorder,
            keys=keys,
            names=names,
            storing=self._storing,
            accesses=partial(accesses_of, audit),
            newest_accesses=partial(newest_accesses, audit),
            parked_page=partial(waiting_page, parked),
            parked_at=partial(parked_at, parked),
        )

    @contextlib.asynccontextmanager
    async def following(self) -> AsyncGenerator[Context, None]:
        """Follows the log and holds the connections for as long as the block runs."""
        stop = threading.Event()
        feed = threading.Thread(target=self._feed.run, args=(stop,), name="feed", daemon=True)
        self.context.nats.start(self._health, self.context.names.drop)
        feed.start()
        regular = [
            asyncio.create_task(_again_and_again(LOOK_FOR_IDLE_NAMES_S, self._drop_idle_names)),
            asyncio.create_task(_again_and_again(LOOK_AT_STORES_S, self._storing.look)),
        ]
        try:
            yield self.context
        finally:
            stop.set()
            for task in regular:
                task.cancel()
            await self.context.refused.close()
            await self.context.nats.close()
            await asyncio.to_thread(self._end, feed)

    async def run(self, listener: socket.socket) -> None:
        """Serves on a bound socket until SIGTERM or SIGINT."""
        async with self.following() as context:
            config = uvicorn.Config(
                create_app(context),
                ssl_certfile=context.settings.http_certificate,
                ssl_keyfile=context.settings.http_key,
                ssl_context_factory=tls_only if context.settings.http_certificate else None,
                log_config=None,
                access_log=False,
                server_header=False,
                # Else whoever comes from this machine says from which address they come.
                proxy_headers=False,
                lifespan="off",
                http=Connection,
                limit_concurrency=CONNECTIONS_MAX + 1,
                # uvicorn's type is whole seconds, but asyncio gets the value unchanged.
                timeout_graceful_shutdown=cast("int", GRACE_S),
            )
            logger.info("serving", service=SERVICE, version=context.version)
            async with health_kept(context.settings.health_file, self._not_ready_because):
                await Server(config, context).serve([listener])

    def _drop_idle_names(self) -> None:
        self.context.names.drop_if_idle(time.monotonic())

    def _end(self, feed: threading.Thread) -> None:
        feed.join(FEED_END_S)
        self._factory.close()
        self._directory.close()
        self._database.dispose()
        logger.info("ended", service=SERVICE, sequence=self.context.progress.sequence)

    async def _not_ready_because(self) -> str:
        return "; ".join(self.context.not_ready_because())

    def _health(self) -> dict[str, object]:
        missing = self.context.not_ready_because()
        said = {"service": SERVICE, "ready": not missing, "version": self.context.version}
        return {**said, "reason": "; ".join(missing)}


async def _again_and_again(every_s: float, work: Callable[[], None]) -> None:
    """Runs `work` in a thread, whether or not it failed before."""
    while True:
        try:
            await asyncio.to_thread(work)
        except Exception as error:
            logger.error("fault", error=type(error).__name__, place=place_of(error))
        await asyncio.sleep(every_s)


def passage_version() -> str:
    """The version installed, or 0 when run from the sources."""
    try:
        return version_of("passage")
    except PackageNotFoundError:
        return "0"


def listen(address: str) -> socket.socket:
    """Binds HOST:PORT. Raises OSError, or AddressError for any other form."""
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    # Without a host the system would bind every interface.
    is_long = len(port) > len(f"{PORT_MAX}")  # Python reads no number of 5,000 digits.
    if not host or not port.isdecimal() or is_long or int(port) > PORT_MAX:
        raise AddressError("must be HOST:PORT, with a host; 127.0.0.1:8080")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server(
        (host, int(port)), family=family, backlog=BACKLOG_CONNECTIONS, reuse_port=False
    )
    # asyncio sets it only on sockets that name their protocol; without it every answer waits for
    # the client's delayed acknowledgement, 40 ms. Accepted connections inherit it.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def tls_only(config: uvicorn.Config, default: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    """TLS 1.3 only."""
    del config
    context = default()
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


def main() -> None:
    own_process(SERVICE)
    settings = own_settings()
    configure(SERVICE, settings.log_level)
    try:
        listener = listen(settings.http)
    except AddressError:
        logger.error("address_invalid")
        sys.exit(WRONG_SETTING)
    except OSError as error:
        logger.error("address_taken", error=type(error), errno=error.errno)
        sys.exit(CANNOT_START)
    is_of_this_machine = is_loopback(listener.getsockname()[0])
    if not is_of_this_machine and settings.http_certificate is None:
        logger.error("address_without_tls")
        sys.exit(WRONG_SETTING)
    try:
        require_certified(settings, site_of(settings))
    except SiteError as error:
        logger.error("site_not_certified", do=str(error))
        sys.exit(WRONG_SETTING)
    query = Query(settings)
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD_OBJECTS)
    run_to_end(query.run(listener))
