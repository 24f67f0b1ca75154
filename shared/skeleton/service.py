"""The parts of every service process: its log, its keys, its bus and its clock."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from shared import subjects
from shared.bus.bus import Bus
from shared.bus.timers import Timers
from shared.commands.base import Command, Decision
from shared.diagnostics.logger import configure, logger, place_of
from shared.events.base import CaseEvent
from shared.events.signatures import Signature
from shared.jetstream.buckets import Bucket
from shared.keys.client import Keys, RemoteKeys
from shared.keys.keyfiles import read_intake_public_key
from shared.log.case_log import CaseLog, Fold, LogError, jetstream_env
from shared.log.transact import Cause, Fenced, Seen, Writer
from shared.people.directory import Directory
from shared.people.signed import SIGNED
from shared.people.site import site_of
from shared.refusals import CLOCK_LEEWAY, CLOCK_OFF_MAX, HAPPENED_BY_NOW, require, seconds_off
from shared.settings import Settings
from shared.skeleton.signing import Counters, Nonces, Signing

BEGIN_AGAIN_AFTER_S = 5.0

StateT = TypeVar("StateT")
Assemble = Callable[[str, Fold[Any], Settings], "Service"]
"""How a service is assembled; stories inject their own clock and timers."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Context:
    """What a handler works with, besides the message."""

    service: str
    writer: Writer
    now: Callable[[], datetime] = _now
    signing: Signing | None = None
    """Checks signatures; None in what takes no commands from people."""

    @property
    def keys(self) -> Keys:
        return self.writer.keys

    @property
    def source(self) -> str:
        return f"/services/{self.service}"

    def cause_of(self, command: Command) -> Cause:
        """The cause under which a command's events are recorded.

        Raises RefusedError if it is dated in the future. A decision has the time now, by which it
        is judged; one dated earlier is refused unless it is a repeat.
        """
        now = self.now()
        happened_at, is_decision = command.happened_at or now, isinstance(command, Decision)
        require(happened_at <= now + CLOCK_LEEWAY, HAPPENED_BY_NOW)
        happened_at = self.by_now(happened_at, now, command=type(command).__name__)
        return Cause(
            causation_id=command.cause_id,
            correlation_id=command.correlation_id,
            actor=f"operator:{command.by}",
            source=self.source,
            happened_at=now if is_decision else happened_at,
            seen=Seen.by(command),
            is_back_dated=is_decision and happened_at < now - CLOCK_LEEWAY,
            fenced=None if command.TAKES_CASE else Fenced(command.by, command.fence),
            signed=self._signed(command),
        )

    def _signed(self, command: Command) -> Callable[[], tuple[Signature, ...]] | None:
        if self.signing is None or type(command) not in SIGNED:
            return None
        return partial(self.signing.signatures_of, command)

    def by_now(
        self,
        said_at: datetime,
        now: datetime | None = None,
        *,
        channel: str | None = None,
        command: str | None = None,
    ) -> datetime:
        """When it happened: never after it was recorded, whatever a clock says.

        `channel` or `command` names whose clock it is, to log it if it is wrong.
        """
        heard_at = now or self.now()
        if said_at > heard_at + CLOCK_OFF_MAX:
            seconds = seconds_off(said_at, heard_at)
            logger.error("clock_off", channel=channel, command=command, seconds=seconds)
        return min(said_at, heard_at)

    def cause_in(self, event: CaseEvent[Any]) -> Cause:
        return self.own_cause(event.id, event.correlationid)

    def own_cause(self, causation_id: str, correlation_id: str) -> Cause:
        """The cause of what the service records without a command."""
        return Cause(
            causation_id=causation_id,
            correlation_id=correlation_id,
            actor=f"service:{self.service}",
            source=self.source,
            happened_at=self.now(),
        )


@dataclass(frozen=True)
class Service:
    """A service before it listens: `main` adds its handlers to the bus and runs it."""

    settings: Settings
    context: Context
    bus: Bus
    log: CaseLog[Any]
    people: Directory | None = None
    """None in a service that no person gives commands to."""
    at_start: list[Callable[[], None]] = field(default_factory=list)
    """Run once, beside serving; retried until the log answers."""
    _ended: threading.Event = field(default_factory=threading.Event)

    async def run(self) -> None:
        """Serves until SIGTERM or SIGINT, then closes the log."""
        self.begin()
        try:
            await self.bus.run()
        finally:
            self.close()

    def begin(self) -> None:
        """Starts `at_start`, on threads of its own."""
        for work in self.at_start:
            threading.Thread(target=self._do, args=(work,), name="start", daemon=True).start()

    def close(self) -> None:
        self._ended.set()
        if self.people is not None:
            self.people.close()
        self.log.close()

    def _do(self, work: Callable[[], None]) -> None:
        while not self._ended.is_set():
            try:
                work()
            except (LogError, TimeoutError) as error:
                logger.warning("not_at_start", error=type(error).__name__)
                self._ended.wait(BEGIN_AGAIN_AFTER_S)
            except Exception as error:
                if not self._ended.is_set():
                    logger.error("fault", error=type(error).__name__, place=place_of(error))
                return
            else:
                return

    def bucket(self, name: str) -> Bucket:
        return Bucket(self.log.connection, name, self.settings.request_timeout_s)

    def timers(self) -> Timers:
        timeout_s = self.settings.request_timeout_s
        return Timers(self.log.connection, self.context.service, timeout_s)


def assemble(name: str, fold: Fold[StateT], settings: Settings) -> Service:
    """Raises KeyFilesError and the recorder's OperationalError."""
    configure(name, settings.log_level)
    intake_public = read_intake_public_key(settings.keys_dir)
    log = CaseLog(fold, jetstream_env(settings, f"passage-{name}-log"))
    timeout_s = settings.request_timeout_s
    keys = RemoteKeys(log.connection, name, timeout_s)
    people = Directory.over(settings, name)
    signing = Signing(
        people,
        Nonces(Bucket(log.connection, subjects.NONCES_BUCKET, timeout_s), name, _now),
        Counters(Bucket(log.connection, subjects.COUNTERS_BUCKET, timeout_s)),
        site_of(settings),
    )
    bus = Bus(name, settings, keys, intake_public, is_ready=log.is_connected)
    bus.answers_nonces(signing.nonces.issue)
    return Service(
        settings=settings,
        context=Context(name, Writer(log, keys), signing=signing),
        bus=bus,
        log=log,
        people=people,
    )
