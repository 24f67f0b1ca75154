"""Plays a day of the hotline: its calls spread over 24 hours, its shifts, and who follows whom.

The evening is busiest, the night belongs to those in the field, and at noon one address floods
the hotline.
"""

import asyncio
import itertools
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import uuid4

from passage.demo import callers
from passage.demo.cast import KINDS, Story
from passage.demo.people import people
from passage.demo.play import AT_ONCE, Played, play_one
from passage.demo.player import OPERATORS, Player
from passage.demo.stage import DONE, Stage, UnexpectedError, outcome_of

DAY_MINUTES = 24 * 60
LAST_STORIES_MINUTES = 5 * 60
"""Time for the stories that begin in the last hour."""
OF_THE_HOUR = (
    *(3, 2, 2, 1, 1, 1, 2, 3, 4, 5, 5, 5),
    *(5, 5, 5, 6, 7, 8, 10, 12, 13, 12, 9, 6),
)
"""Relative frequency of calls in each hour."""
NOON = 12 * 60
"""Besides the day's calls, one address floods the hotline at this minute."""
NAMED_AT_ONCE = 25
"""A shift names at most this many live cases; nobody would remember more."""


class Watch(NamedTuple):
    from_hour: int
    until_hour: int
    operators: tuple[str, ...]

    def holds(self, minute: int) -> bool:
        return self.from_hour * 60 <= minute < self.until_hour * 60


WATCHES = (
    Watch(0, 8, OPERATORS[:2]),
    Watch(8, 16, OPERATORS[2:4]),
    Watch(16, 24, OPERATORS[4:]),
)


@dataclass
class Shift:
    """One shift, and the version of its log; nobody else writes to it."""

    shift_id: str
    operators: tuple[str, ...]
    version: int = 0
    accepted: int = 0

    async def start(self, stage: Stage) -> None:
        await self.do(stage, "StartShift", self.operators[0], operators=list(self.operators))

    async def do(
        self, stage: Stage, command: str, by: str, outcome: str = DONE, **fields: Any
    ) -> None:
        """Sends a command that must come to this outcome. Raises UnexpectedError."""
        body = {
            "command_id": f"cmd-{self.shift_id[6:]}-{self.version}-{command[:8]}",
            "case_id": self.shift_id,
            **fields,
        }
        if command in {"HandOverShift", "EndShift"}:
            body["seen_version"] = self.version
        reply = await stage.command(command, body, by)
        found = outcome_of(reply)
        if found != outcome:
            raise UnexpectedError(f"case {self.shift_id}: {command} was {found}, not {outcome}")
        if outcome == DONE:
            self.version = int(reply.body["version"])


async def hand_over(
    stage: Stage, shift: Shift, following: Sequence[str], live: Sequence[str]
) -> None:
    """Names live cases to those who follow; each is accepted by one of them, then it ends."""
    by, named = shift.operators[0], list(live)[-NAMED_AT_ONCE:]
    await shift.do(stage, "HandOverShift", by, to=list(following), case_ids=named)
    if named:
        await shift.do(stage, "EndShift", by, "refused by all_accepted")
    for number, case_id in enumerate(named):
        await shift.do(
            stage, "AcceptShiftCase", following[number % len(following)], live_case=case_id
        )
    shift.accepted = len(named)
    await shift.do(stage, "EndShift", by)


class Planned(NamedTuple):
    """One story of the day: its first minute, and the number of its person."""

    minute: int
    story: Story
    person: int


@dataclass
class Day:
    """A day; a minute of it takes `minute_s` seconds, or 0: as fast as possible."""

    stage: Stage
    seed: int
    minute_s: float
    told: Callable[[Played], None]
    run: str = field(default_factory=lambda: uuid4().hex[:12])
    done: list[Played] = field(default_factory=list)
    shifts: list[Shift] = field(default_factory=list)

    async def play(self, calls: int) -> None:
        """Raises StuckError and UnexpectedError if a shift goes wrong."""
        begun, slots = time.monotonic(), asyncio.Semaphore(AT_ONCE)
        planned = list(enumerate(plan(calls, self.seed)))
        under_way: list[asyncio.Task[None]] = []
        try:
            for number, watch in enumerate(WATCHES):
                shift = Shift(f"SHIFT-{self.run}-{number + 1}", watch.operators)
                self.shifts.append(shift)
                await shift.start(self.stage)
                under_way += [
                    asyncio.create_task(self._one(place, one, shift, begun, slots))
                    for place, one in planned
                    if watch.holds(one.minute)
                ]
                if not self.minute_s:
                    await asyncio.gather(*under_way)
                await self._until(begun, watch.until_hour * 60)
                await self._end(number, shift)
            await asyncio.gather(*under_way)
        finally:
            for task in under_way:
                task.cancel()

    async def _one(
        self, place: int, one: Planned, shift: Shift, begun: float, slots: asyncio.Semaphore
    ) -> None:
        await self._until(begun, one.minute)
        async with slots:
            player = Player(
                self.stage,
                f"{self.seed}-{place}",
                f"{self.run}-{place}",
                people()[one.person],
                shift.operators,
                self.minute_s,
            )
            played = await play_one(player, one.story)
        self.done.append(played)
        self.told(played)

    async def _until(self, begun: float, minute: int) -> None:
        if self.minute_s:
            await asyncio.sleep(max(0.0, begun + minute * self.minute_s - time.monotonic()))

    async def _end(self, number: int, shift: Shift) -> None:
        """The next shift accepts each live case by name."""
        live = [
            end.case_id
            for played in self.done
            if not played.problem
            for end in played.ends
            if end.progress not in {"closed", "exchanged"} and "next_case" not in end.shows
        ]
        following = WATCHES[(number + 1) % len(WATCHES)]
        await hand_over(self.stage, shift, following.operators, live)


def plan(calls: int, seed: int) -> list[Planned]:
    """A day's stories by minute, with at least this many `calls`, and a flood at noon."""
    chance = random.Random(seed)  # noqa: S311 - invented cases, not secrets
    cast = chosen(calls)
    persons = list(range(len(people())))
    chance.shuffle(persons)
    chance.shuffle(cast)
    hours = chance.choices(range(24), OF_THE_HOUR, k=len(cast))
    planned = [
        Planned(hour * 60 + chance.randrange(60), story, persons[number % len(persons)])
        for number, (hour, story) in enumerate(zip(hours, cast, strict=True))
    ]
    flood = Planned(NOON, callers.flood_at_noon, persons[len(cast) % len(persons)])
    return sorted([*planned, flood], key=lambda one: one.minute)


def chosen(calls: int) -> list[Story]:
    """Stories with at least this many `calls`: each kind once, then the frequent ones again."""
    most = max(kind.times for kind in KINDS)
    kinds = (kind for turn in itertools.cycle(range(most)) for kind in KINDS if kind.times > turn)
    found: list[Story] = []
    count = 0
    while count < calls:
        kind = next(kinds)
        found.append(kind.story)
        count += kind.calls
    return found
