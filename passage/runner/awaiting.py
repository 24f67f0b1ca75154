"""Services that were started and aren't ready yet: how far each has come, and which is stuck.

A service that is catching up is never ended, however long it takes.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence

from nats.aio.client import Client

from passage.runner.children import ServiceProcess
from passage.runner.health import Health, health_of, state_of
from passage.runner.stall import Stall, activity_of
from passage.runner.telling import Telling
from passage.running import Running

SOON_S = 5.0
LOOK_SOON_S, LOOK_LATER_S = 0.05, 0.5
"""After SOON_S it asks less often: each answer costs time."""
READY = "services that are ready"


class Awaited:
    def __init__(self, services: Sequence[ServiceProcess], stuck_after_s: float) -> None:
        now = time.monotonic()
        self._began = now
        self._stalls = {one.name: Stall(stuck_after_s, now) for one in services}
        self._services = {one.name: one for one in services}

    @property
    def names(self) -> list[str]:
        return sorted(self._services)

    @property
    def pause_s(self) -> float:
        """The pause before they are asked again."""
        return LOOK_SOON_S if time.monotonic() - self._began < SOON_S else LOOK_LATER_S

    async def ask(self, client: Client, running: Running) -> dict[str, Health | None]:
        names = self.names
        said = await asyncio.gather(*(health_of(client, running, one) for one in names))
        return dict(zip(names, said, strict=True))

    def hear(self, said: Mapping[str, Health | None], told: Telling) -> None:
        """Notes their answers: a ready service is no longer awaited."""
        for name, health in said.items():
            if health is not None and health.ready:
                told.end(f"{name} reads the log")
                del self._services[name]
            elif health is not None and health.read < health.of:
                told.tell(f"{name} reads the log", health.read, health.of)
        told.tell(READY, len(self._stalls) - len(self._services), len(self._stalls))

    def stuck(self, said: Mapping[str, Health | None], *, is_full: bool = False) -> list[str]:
        """Those that make no progress, each with its state; none while a disk is full."""
        now, found = time.monotonic(), []
        for name, service in sorted(self._services.items()):
            health = said.get(name)
            far = (health.read, health.of) if health is not None else None
            activity = activity_of(service.pid)
            if self._stalls[name].look(now, now if is_full else far, activity):
                found.append(f"{name} ({state_of(health)})")
        return found
