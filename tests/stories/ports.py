"""What a story brings in the stead of the world: its clock, its timers, and its registry."""

from dataclasses import dataclass
from datetime import datetime, time
from typing import Literal

from typing_extensions import override

from services.verification.registry import Registry
from services.verification.registry_answers import RegistryAnswer
from shared.bus.timers import Timer, Timers
from shared.matching import Stated

RegistryState = Literal["answers", "unavailable", "silent"]


@dataclass
class Clock:
    """What time it is in the story."""

    at: datetime

    def __call__(self) -> datetime:
        return self.at


class StoryTimers(Timers):
    """A service's timers, due by the story's clock; the real ones have tests on the wire."""

    def __init__(self) -> None:
        self.running: dict[str, Timer] = {}

    @override
    def set(self, timer: Timer) -> None:
        if timer.due_at is None:
            raise ValueError("a timer that is set once has a due_at")
        self.running[timer.name] = timer

    @override
    def set_daily(self, kind: str, at: time) -> None:
        """No story is about what is done every night."""

    @override
    def is_set(self, timer: Timer) -> bool:
        return timer.name in self.running

    @override
    def cancel(self, timer: Timer) -> None:
        self.running.pop(timer.name, None)


class StoryRegistry(Registry):
    """The registry, which a story may have silent or out of reach."""

    name = "local"

    def __init__(self, file: Registry) -> None:
        self._file = file
        self.state: RegistryState = "answers"

    @override
    def look_up(self, claim: Stated) -> RegistryAnswer:
        if self.state == "silent":
            raise TimeoutError("the registry is silent in this story")
        if self.state == "unavailable":
            return RegistryAnswer("unavailable")
        return self._file.look_up(claim)
