"""The writing services in this process, on a real nats-server of the test's own."""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import nats
import pytest
from nats.aio.client import Client
from nats.errors import NoRespondersError
from nats.js.client import JetStreamContext

import services.desk.main
import services.handover.main
import services.intake.main
import services.keyholder.main
import services.verification.main
from passage import channel
from passage.connecting import connected
from passage.install.backup_keys import ensure_backup_keys
from passage.install.provisioning import provision
from passage.runner.nats_server import NatsServer
from services.keyholder.lock import Lock
from services.keyholder.secrets import make_key_files
from services.verification.registry import load_csv
from shared import subjects
from shared.commands.base import ANSWER, AnyAnswer, Command, Decision, Recorded, Refused
from shared.commands.catalogue import ANSWERED_BY
from shared.events.base import CaseEvent
from shared.events.fields import Channel
from shared.events.parsing import read_case_event
from shared.keys.client import RemoteKeys
from shared.keys.keyfiles import make_channel_keys, read_intake_public_key
from shared.parked.parking import Parked
from shared.policy import policy
from shared.settings import Settings
from shared.skeleton.service import Service
from tests.contexts import OLENA
from tests.waiting import WITHIN_S

WIRES: dict[str, Callable[[Settings], Service]] = {
    "keyholder": lambda settings: services.keyholder.main.wire(settings, Lock()),
    "intake": services.intake.main.wire,
    "verification": services.verification.main.wire,
    "handover": services.handover.main.wire,
    "desk": services.desk.main.wire,
}
REGISTRY = (
    "surname,first_names,patronymic,rank,date_of_birth,service_number,unit\n"
    "Beispiel,Max,,private,1990-05-17,AB-000123,1\n"
)


@dataclass
class Site:
    """One installation as a test sees it."""

    settings: Settings
    server: NatsServer
    client: Client
    seen_sequence: int = 0
    running: dict[str, Service] = field(default_factory=dict)
    key_holder: AsyncExitStack = field(default_factory=AsyncExitStack)

    @property
    def jetstream(self) -> JetStreamContext:
        return self.client.jetstream(timeout=WITHIN_S)

    @asynccontextmanager
    async def service(self, name: str) -> AsyncIterator[Service]:
        async with self.serving(WIRES[name](self.settings)) as service:
            yield service

    @asynccontextmanager
    async def serving(self, service: Service) -> AsyncIterator[Service]:
        await service.bus.broker.start()
        service.begin()
        self.running[service.context.service] = service
        try:
            yield service
        finally:
            await service.bus.broker.stop()
            service.close()

    async def restart_key_holder(self) -> None:
        await self.stop_key_holder()
        await self.key_holder.enter_async_context(self.service("keyholder"))
        # It is ready as a service before the server knows that it answers about keys.
        asked = subjects.keyholder("hash", "intake")
        async with asyncio.timeout(WITHIN_S):
            while True:
                with suppress(NoRespondersError):
                    await self.client.request(asked, b"{}", timeout=WITHIN_S)
                    return

    async def stop_key_holder(self) -> None:
        await self.key_holder.aclose()

    def keys_of(self, service: str) -> RemoteKeys:
        log = self.running["keyholder"].log
        return RemoteKeys(log.connection, service, WITHIN_S)

    async def call(
        self,
        address: str | None = "+380440000000",
        text: str = "I want to live",
        code: str | None = None,
        call_id: str | None = None,
        on: Channel = "phone",
    ) -> str:
        """Publishes a call as its channel would and gives its id."""
        call = channel.Call(
            call_id or f"call-{uuid4().hex[:12]}",
            on,
            address,
            "ru",
            datetime.now(UTC),
            text,
            code,
        )
        key = read_intake_public_key(self.settings.keys_dir)
        await channel.publish(self.jetstream, channel.envelope_of(call, key))
        return call.call_id

    async def opened(self, *address: Any, **said: Any) -> str:
        await self.call(*address, **said)
        return (await self.next_event("CaseOpened")).subject

    async def ask(
        self, command_type: type[Command], case_id: str, by: str = OLENA, **fields: Any
    ) -> AnyAnswer:
        """Sends a command, decided on the version the case has now, and gives the answer."""
        who: dict[str, Any] = {"command_id": uuid4().hex, "case_id": case_id, "by": by}
        if issubclass(command_type, Decision):
            who["seen_version"] = len(await self.history(case_id))
        body = json.dumps({**who, **fields}, default=str).encode()
        subject = subjects.command(ANSWERED_BY[command_type], command_type.__name__)
        reply = await self.client.request(subject, body, timeout=WITHIN_S)
        return ANSWER.validate_json(reply.data)

    async def record(
        self, command_type: type[Command], case_id: str, by: str = OLENA, **fields: Any
    ) -> Recorded:
        answered = await self.ask(command_type, case_id, by, **fields)
        assert isinstance(answered, Recorded), answered
        return answered

    async def refused(
        self, guard: str, command_type: type[Command], *who: str, **fields: Any
    ) -> Refused:
        answered = await self.ask(command_type, *who, **fields)
        assert isinstance(answered, Refused), answered
        assert answered.guard == guard
        return answered

    async def next_event(self, *types: str) -> CaseEvent[Any]:
        """Waits for the log's next event, of one of the types if any are named."""
        while True:
            self.seen_sequence += 1
            event = read_case_event(await self.stored(self.seen_sequence))
            if not types or event.type_name in types:
                return event

    async def stored(self, sequence: int) -> bytes:
        subscription = await self.jetstream.subscribe(
            f"{subjects.CASES_PREFIX}.>",
            ordered_consumer=True,
            config=nats.js.api.ConsumerConfig(
                deliver_policy=nats.js.api.DeliverPolicy.BY_START_SEQUENCE,
                opt_start_seq=sequence,
            ),
        )
        try:
            return (await subscription.next_msg(timeout=WITHIN_S)).data
        finally:
            await subscription.unsubscribe()

    async def history(self, case_id: str) -> list[str]:
        info = await self.jetstream.stream_info(
            subjects.CASES, subjects_filter=f"{subjects.CASES_PREFIX}.{case_id}.>"
        )
        found = [subjects.read_case_subject(name) for name in info.state.subjects or {}]
        return [one.type_name for one in sorted(found, key=lambda one: one.version)]

    async def codes(self) -> list[str]:
        index = await self.jetstream.key_value(subjects.INDEX_BUCKET)
        return sorted(key for key in await index.keys() if key.startswith("code."))

    async def calls_left(self) -> int:
        """Waits until every call is processed, and gives how many weren't in time: 0."""
        left = 1
        async with asyncio.timeout(WITHIN_S):
            while left:
                streams = map(subjects.calls_stream, policy().channels.names)
                infos = [await self.jetstream.stream_info(stream) for stream in streams]
                left = sum(info.state.messages for info in infos)
        return left

    async def parked(self, count: int = 1) -> list[Parked]:
        subscription = await self.jetstream.subscribe("parked.>", ordered_consumer=True)
        try:
            messages = [await subscription.next_msg(timeout=WITHIN_S) for _ in range(count)]
        finally:
            await subscription.unsubscribe()
        return [Parked.model_validate_json(message.data) for message in messages]


@pytest.fixture
async def site(tmp_path: Path, server: NatsServer) -> AsyncIterator[Site]:
    """An installation with streams, registry and a key holder; no other service runs yet."""
    make_key_files(tmp_path / "keys")
    make_channel_keys(tmp_path / "keys")
    rows = tmp_path / "rows.csv"
    rows.write_text(REGISTRY, encoding="utf-8")
    load_csv(tmp_path / "registry.db", rows)
    settings = Settings(
        nats_url=server.url,
        keys_dir=tmp_path / "keys",
        registry_file=tmp_path / "registry.db",
        log_level="ERROR",
        fsync="trusted",  # A server without accounts can't be asked.
        threads=8,
    )
    async with connected(server.url, attempts=-1) as client:  # However long a test stops it.
        await provision(client, replicas=1)
        site = Site(settings, server, client)
        await site.restart_key_holder()
        yield site
        await site.stop_key_holder()


@pytest.fixture
def place(tmp_path: Path, site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder in which the verbs find the installation; its keys are made."""
    ensure_backup_keys(site.settings.keys_dir)
    monkeypatch.setenv("PASSAGE_NATS_URL", site.server.url)
    monkeypatch.setenv("PASSAGE_KEYS_DIR", str(site.settings.keys_dir))
    monkeypatch.setenv("PASSAGE_DATABASE_URL", f"sqlite:///{tmp_path / 'query.db'}")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    yield tmp_path / "place"
    assert list(temporary.iterdir()) == []


@pytest.fixture
async def all_services(site: Site) -> AsyncIterator[Site]:
    async with AsyncExitStack() as stack:
        for name in ("intake", "verification", "handover", "desk"):
            await stack.enter_async_context(site.service(name))
        yield site


@pytest.fixture
async def intake(site: Site) -> AsyncIterator[Site]:
    async with site.service("intake"):
        yield site


@pytest.fixture
async def impatient(site: Site) -> AsyncIterator[Site]:
    """An installation in which a channel must report at once."""
    site.settings = site.settings.model_copy(update={"outbound_report_minutes": 0.001})
    async with site.service("intake"):
        yield site
