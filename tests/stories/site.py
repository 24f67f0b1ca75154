"""An installation on which stories are played: the real services in this process, on a real server.

Nothing waits: the clock is the story's, a timer falls due when the story says that it is so late,
and each message is handed to its handler as the server would hand it over.
"""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from typing_extensions import override

import services.desk.main
import services.handover.main
import services.intake.main
import services.keyholder.main
import services.verification.main
from passage.connecting import connected
from passage.install.provisioning import provision
from passage.runner.nats_server import NatsServer
from services import desk, handover, intake, keyholder, verification
from services.keyholder.lock import Lock
from services.keyholder.secrets import make_key_files
from services.query.recorder import RecordedEvent
from services.verification.registry import SqliteRegistry, load_csv
from shared import subjects
from shared.bus.answering import answer
from shared.bus.timers import Timer, Timers
from shared.commands.base import AnyAnswer, Command
from shared.commands.catalogue import ANSWERED_BY
from shared.keys.client import RemoteKeys
from shared.keys.keyfiles import make_channel_keys, read_intake_public_key
from shared.log.case_log import Fold
from shared.log.transact import Outcome
from shared.parked.parking import Delivery
from shared.settings import Settings
from shared.skeleton.service import Service, assemble
from tests.contexts import delivered, takes
from tests.stories.ports import Clock, StoryRegistry, StoryTimers
from tests.waiting import WITHIN_S

STORIES = Path(__file__).parents[1] / "golden" / "stories"
REGISTRY = STORIES / "registry.csv"
READ_AT_ONCE = 500
CONSUMERS = {
    "keyholder": keyholder.CONSUMES,
    "intake": intake.CONSUMES,
    "verification": verification.CONSUMES,
    "handover": handover.CONSUMES,
    "desk": desk.CONSUMES,
}


@dataclass(frozen=True)
class StoryService(Service):
    """A service whose timers are the story's."""

    story_timers: StoryTimers = field(kw_only=True)

    @override
    def timers(self) -> Timers:
        return self.story_timers


class Due(NamedTuple):
    at: datetime
    service: str
    timer: Timer


class Handed(NamedTuple):
    service: str
    delivery: Delivery


@dataclass
class StorySite:
    """One installation; stories follow one another on it, each with callers of its own."""

    settings: Settings
    server: NatsServer
    clock: Clock
    services: dict[str, Service] = field(default_factory=dict)
    timers: dict[str, StoryTimers] = field(default_factory=dict)
    sequence: int = 0
    """Up to where CASES was read."""

    def start(self) -> None:
        """Wires every service; none listens: what is to be heard is handed over."""
        self.services["keyholder"] = services.keyholder.main.wire(self.settings, Lock())
        for name in ("intake", "verification", "handover", "desk"):
            self.timers[name] = StoryTimers()
        self.registry = StoryRegistry(SqliteRegistry(self.settings.registry_file))
        wired = (
            services.intake.main.wire(self.settings, self._assemble),
            services.verification.main.wire(self.settings, self._assemble, self.registry),
            services.handover.main.wire(self.settings, self._assemble),
            services.desk.main.wire(self.settings, self._assemble),
        )
        self.services.update({service.context.service: service for service in wired})
        self.key = read_intake_public_key(self.settings.keys_dir)

    def stop(self) -> None:
        for service in self.services.values():
            service.close()

    def _assemble(self, name: str, fold: Fold[Any], settings: Settings) -> Service:
        made = assemble(name, fold, settings)
        parts = {one.name: getattr(made, one.name) for one in fields(made)}
        context = replace(made.context, now=self.clock)
        return StoryService(**{**parts, "context": context, "story_timers": self.timers[name]})

    def ask(self, command_type: type[Command], body: bytes) -> AnyAnswer:
        _, handler = self.services[ANSWERED_BY[command_type]].bus._commands[command_type.__name__]
        return answer(command_type, body, handler)

    def hand_over(self, handed: Handed) -> Outcome:
        """Has a service process a message; what it would park or try again later is a fault."""
        return self.services[handed.service].bus.handle(handed.delivery)

    def new_events(self) -> list[RecordedEvent]:
        recorder: Any = self.services["intake"].log.recorder
        found: list[RecordedEvent] = []
        while batch := recorder.select_notifications(
            self.sequence, READ_AT_ONCE, inclusive_of_start=False
        ):
            self.sequence = batch[-1].id
            found += batch
        return found

    def all_events(self) -> list[RecordedEvent]:
        return replace(self, sequence=0).new_events()

    def deliveries_of(self, event: RecordedEvent) -> list[Handed]:
        subject = ".".join(
            (subjects.CASES_PREFIX, *map(str, (event.originator_id, event.originator_version)))
        )
        subject = f"{subject}.{event.topic}"
        delivery = delivered(subject, bytes(event.state), sequence=event.id)
        return [
            Handed(service, delivery)
            for service, durables in CONSUMERS.items()
            for durable in durables
            if durable.stream == subjects.CASES
            and any(takes(one, subject) for one in durable.filter_subjects)
        ]

    def next_due(self, until: datetime) -> Due | None:
        """The timer that falls due first is removed, if any does by then."""
        running = [
            Due(timer.due_at, service, timer)
            for service, timers in self.timers.items()
            for timer in timers.running.values()
            if timer.due_at is not None and timer.due_at <= until
        ]
        if not running:
            return None
        first = min(running, key=lambda one: (one.at, one.timer.name))
        del self.timers[first.service].running[first.timer.name]
        return first

    @staticmethod
    def fired(due: Due) -> Handed:
        body = due.timer.model_dump_json(exclude_none=True).encode()
        stream = subjects.timers_stream(due.service)
        subject = subjects.due(due.service, due.timer.name)
        return Handed(due.service, delivered(subject, body, stream))

    def keys_of(self, service: str) -> RemoteKeys:
        connection = self.services["keyholder"].log.connection
        return RemoteKeys(connection, service, WITHIN_S)


@contextmanager
def story_site(folder: Path, clock: Clock) -> Iterator[StorySite]:
    keys = folder / "keys"
    make_key_files(keys)
    make_channel_keys(keys)
    settings_file = folder / "registry.db"
    load_csv(settings_file, REGISTRY)
    with running_server(folder / "nats") as server:
        site = StorySite(settings_for(server, keys, settings_file), server, clock)
        site.start()
        try:
            yield site
        finally:
            site.stop()


@contextmanager
def running_server(folder: Path) -> Iterator[NatsServer]:
    server = NatsServer(folder, sync_interval="2m")
    server.start()
    try:
        asyncio.run(_provision(server))
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def _provision(server: NatsServer) -> None:
    async with connected(server.url) as client:
        await provision(client, replicas=1)


def settings_for(server: NatsServer, keys: Path, registry: Path) -> Settings:
    return Settings(
        nats_url=server.url,
        keys_dir=keys,
        registry_file=registry,
        log_level="ERROR",
        fsync="trusted",  # A server without accounts can't be asked.
        threads=8,
        request_timeout_s=WITHIN_S,
    )
