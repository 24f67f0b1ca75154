"""Runs nats-server and the services as child processes: starts, watches, restarts and ends them.

Everything here runs on the main thread, because the kernel ends a child when the thread that
forked it ends (prctl(2), PR_SET_PDEATHSIG): so `kill -9` of the runner leaves no orphan.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from passage.connecting import connected
from passage.exits import Exit, VerbEndedError
from passage.folders import Folders
from passage.printing import err
from passage.runner.awaiting import Awaited
from passage.runner.children import ServiceProcess, bound_log, tail_of
from passage.runner.health import Health
from passage.runner.nats_server import NatsServer, NatsServerError
from passage.runner.stall import Stall, activity_of
from passage.runner.storing import StoreWatch, folders_stored_in
from passage.runner.taking_back import take_back
from passage.runner.telling import telling
from passage.running import Running, is_asked_to_unseal, write_running
from services import witness

LOOK_EVERY_S = 0.05
LOOK_AT_LOGS_EVERY_S = 5.0
FIRST_DELAY_S = 0.1
LONGEST_DELAY_S = 5.0
STEADY_AFTER_S = 20.0
"""For a child that ran this long, earlier ends no longer lengthen the delay."""
STUCK_AFTER_S = 60.0
ENDS_BEFORE_READY_MAX = 5
SERVICES_STOP_S = 0.7
WITNESS_STOP_S = 0.6
NATS_STOP_S = 0.3
NATS_RESTART_S = 5.0
"""How long it may take to end if only it is restarted."""
ASK_FOR_EVER = -1
NATS = "nats-server"

Process = ServiceProcess | NatsServer
T = TypeVar("T")


@dataclass
class Watch:
    started_at: float = 0.0
    ends: int = 0
    due_at: float | None = None

    def begin(self, now: float) -> None:
        self.started_at, self.due_at = now, None

    def end(self, now: float) -> float:
        """Notes an end; returns the delay before the next start, in seconds."""
        self.ends = 1 if now - self.started_at > STEADY_AFTER_S else self.ends + 1
        delay = min(FIRST_DELAY_S * 2.0 ** (self.ends - 1), LONGEST_DELAY_S)
        self.due_at = now + delay
        return delay


@dataclass
class Supervisor:
    """The child processes of one runner; setting `stopping` ends them all."""

    folders: Folders
    running: Running
    nats: NatsServer
    services: list[ServiceProcess]
    stopping: asyncio.Event
    gate: Callable[[Running], Coroutine[Any, Any, str]]
    """Returns the incarnation that services may write into. Raises VerbEndedError if closed."""
    stuck_after_s: float = STUCK_AFTER_S
    _watches: dict[str, Watch] = field(default_factory=dict)
    _ready: bool = False
    _was_sealed: bool = False
    """Whether the key holder was sealed when nats-server ended; it stays sealed then."""
    _admitted: bool = False
    """Whether the gate has passed for the log that nats-server has now."""
    _is_unpublished: bool = False
    """Whether `running.json` is out of date."""
    _why_not: str = "its log says why"

    def __post_init__(self) -> None:
        folders = folders_stored_in(self.folders, self.running.witnesses)
        self.stores = StoreWatch(folders, self.folders.logs, lambda: self.running)

    async def start_nats(self) -> None:
        """Returns when nats-server has its streams. Raises VerbEndedError (1)."""
        if not self._launch(NATS, self.nats):
            raise VerbEndedError(Exit.FAILED, f"nats-server did not start: {self._why_not}")
        stall = Stall(self.stuck_after_s, time.monotonic())
        with telling() as told:
            while not self.stopping.is_set():
                if await self._unless_stopping(asyncio.to_thread(self.nats.jetstream_answers)):
                    return
                is_stuck = stall.look(time.monotonic(), activity=activity_of(self.nats.pid))
                if is_stuck or not self.nats.running:
                    raise VerbEndedError(
                        Exit.FAILED, f"nats-server did not start: {self.nats.log_tail()}"
                    )
                told.tell(f"{NATS} reads its store")
                await self._pause(LOOK_EVERY_S)

    async def start_services(self) -> None:
        """Starts all services if the gate lets them write. Raises VerbEndedError."""
        incarnation = await self._unless_stopping(self.gate(self.running))
        if incarnation is None:  # Stopping.
            return
        for service in self.services:
            service.environment["PASSAGE_INCARNATION"] = incarnation
            if not (self._was_sealed and service.is_sealed):
                await take_back(self.running, service.name)
                self._launch(service.name, service)
        self._admitted, self._was_sealed = True, False

    async def wait_until_ready(self) -> None:
        """Returns when every service is ready. Raises VerbEndedError (1) if one never will be."""
        awaited = Awaited(self.services, self.stuck_after_s)
        said: dict[str, Health | None] = {}
        with telling() as told:
            async with connected(self.running, attempts=ASK_FOR_EVER) as client:
                while awaited.names and not self.stopping.is_set():
                    await self._look()
                    is_full = bool(self.stores.full or self.stores.refusing)
                    self._give_up(awaited.names, awaited.stuck(said, is_full=is_full))
                    asked = awaited.ask(client, self.running)
                    said = await self._unless_stopping(asked) or {}
                    awaited.hear(said, told)
                    await self._pause(awaited.pause_s)
        self._ready = not awaited.names
        self._publish()

    async def supervise(self) -> None:
        next_log_look = 0.0
        while not self.stopping.is_set():
            await self._look()
            if time.monotonic() > next_log_look:
                for path in (*(one.log_path for one in self.services), self.nats.log_path):
                    bound_log(path)
                next_log_look = time.monotonic() + LOOK_AT_LOGS_EVERY_S
            await self._pause(LOOK_EVERY_S)

    def stop(self) -> None:
        """Ends the services, then nats-server, within two seconds altogether."""
        self._stop_services()
        self.nats.stop(timeout=NATS_STOP_S)

    def _stop_services(self) -> None:
        """The witness ends last, so that it signs the end of the log."""
        last = [service for service in self.services if service.name == witness.SERVICE]
        others = [service for service in self.services if service not in last]
        for group, seconds in ((others, SERVICES_STOP_S), (last, WITNESS_STOP_S)):
            for service in group:
                service.ask_to_stop()
            deadline = time.monotonic() + seconds
            for service in group:
                service.end_by(deadline)

    async def _look(self) -> None:
        if self._is_unpublished:
            self._publish()
        if self.nats.running and self.stores.must_restart(time.monotonic()):
            err.print(f"{NATS} still refuses to write although there is space; restarting it")
            await asyncio.to_thread(self.nats.stop, NATS_RESTART_S)
        if not (self._admitted and self.nats.running):
            await self._start_again()
            return
        for service in self.services:
            if self._is_due(service.name, service):
                if self._watches[service.name].ends == 1:
                    # A message that crashes it must not come first each time.
                    await take_back(self.running, service.name)
                self._launch(service.name, service)

    async def _start_again(self) -> None:
        """After nats-server ended, services may write only once the gate has passed again.

        What is on its disk may differ from what they saw. Raises VerbEndedError (1) if the gate is
        closed.
        """
        self._admitted = False
        if not self._was_sealed:
            # An orderly end looks the same as sealing, so this is checked before the stop.
            self._was_sealed = any(service.is_sealed for service in self.services)
        delay = self._watches.setdefault(NATS, Watch()).end(time.monotonic())
        ended = "the services are not started yet" if self.nats.running else f"{NATS} ended"
        err.print(f"{ended}; ending what runs, and restarting everything in {delay:.1f} s")
        self._stop_services()
        await self._pause(delay)
        try:
            if not self.nats.running:
                await self.start_nats()
            await self.start_services()
        except VerbEndedError as error:
            is_passing = error.code is Exit.UNAVAILABLE or self.stores.full
            if self.nats.running and not is_passing:
                raise
            err.print(f"not started yet: {error}")

    def _is_due(self, name: str, process: ServiceProcess) -> bool:
        watch, now = self._watches.setdefault(name, Watch(time.monotonic())), time.monotonic()
        if process.running or self._stays_sealed(process):
            return False
        if watch.due_at is None:
            delay = watch.end(now)
            err.print(f"{name} ended; restarting it in {delay:.1f} s")
            return False
        return now >= watch.due_at

    def _stays_sealed(self, process: Process) -> bool:
        """Whether it is the sealed key holder, and nobody asked to unseal it."""
        if not (isinstance(process, ServiceProcess) and process.is_sealed):
            return False
        if process.name in self.running.pids:
            err.print(f"{process.name} is sealed; `passage keys unseal` starts it again")
            self._publish()
        if not is_asked_to_unseal(self.folders.data):
            return True
        self._watches[process.name].due_at = 0.0
        return False

    def _launch(self, name: str, process: Process) -> bool:
        try:
            process.launch()
        except (NatsServerError, OSError) as error:  # For example if no file can be written.
            self._why_not = str(error)
        self._watches.setdefault(name, Watch()).begin(time.monotonic())
        self._publish()
        return process.running

    def _give_up(self, waiting: Sequence[str], stuck: Sequence[str]) -> None:
        for service in self.services:
            ends = self._watches[service.name].ends
            if service.name in waiting and ends >= ENDS_BEFORE_READY_MAX:
                last_words = "\n".join(tail_of(service.log_path))  # Nothing personal is logged.
                raise VerbEndedError(
                    Exit.FAILED,
                    f"{service.name} ended {ends} times before it was ready; the end of "
                    f"{service.log_path}:\n{last_words}",
                )
        if stuck:
            raise VerbEndedError(
                Exit.FAILED,
                f"no progress for {self.stuck_after_s:g} s: {'; '.join(stuck)}; see "
                f"{self.folders.logs}",
            )

    async def _unless_stopping(self, work: Coroutine[Any, Any, T]) -> T | None:
        """The result of `work`, or None as soon as `stopping` is set."""
        task, stopped = asyncio.ensure_future(work), asyncio.ensure_future(self.stopping.wait())
        await asyncio.wait((task, stopped), return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if not task.done():
            task.cancel()
            return None
        return task.result()

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.stopping.wait(), seconds)

    def _publish(self) -> None:
        pids = {service.name: service.pid for service in self.services} | {NATS: self.nats.pid}
        self.running = self.running.model_copy(
            update={
                "pids": {name: pid for name, pid in pids.items() if pid is not None},
                "ready": self._ready,
            }
        )
        try:
            write_running(self.folders.data, self.running)
            self._is_unpublished = False
        except OSError:  # The disk is full: nothing ends for that; the next look tries again.
            self._is_unpublished = True
