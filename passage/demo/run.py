"""A run of the demo: a day with its shifts, or a number of stories; and the results."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from passage.demo.day import DAY_MINUTES, LAST_STORIES_MINUTES, Day, Shift, plan
from passage.demo.play import AT_ONCE, Played, play
from passage.demo.stage import Stage, StuckError, UnexpectedError, staged
from passage.exits import Exit, VerbEndedError
from passage.printing import counted
from passage.running import Running
from shared.keys.keyfiles import KeyFilesError

SECONDS_A_MINUTE = 60.0


class Asked(NamedTuple):
    """What to play; a day unless `cases` is given."""

    calls: int
    cases: int | None
    seed: int
    speed: float
    patience_s: float

    @property
    def minute_s(self) -> float:
        """Seconds that a minute of the day takes; 0: as fast as possible."""
        return SECONDS_A_MINUTE / self.speed if self.speed else 0.0

    @property
    def stories(self) -> int:
        return self.cases or len(plan(self.calls, self.seed))


@dataclass(frozen=True)
class Ended:
    """`shift_problem` is empty if every shift ended as expected."""

    seed: int
    seconds: float
    played: list[Played]
    shifts: list[Shift]
    shift_problem: str

    @property
    def wrong(self) -> list[Played]:
        return [one for one in self.played if one.problem]

    @property
    def problems(self) -> list[str]:
        found = [f"{one.kind}: {one.problem}" for one in self.wrong]
        return [*found, f"shifts: {self.shift_problem}"] if self.shift_problem else found

    def as_json(self) -> dict[str, Any]:
        return {
            "seed": self.seed,
            "stories": len(self.played),
            "cases": sum(one.cases for one in self.played),
            "calls": sum(one.calls for one in self.played),
            "shifts": len(self.shifts),
            "handed_over_by_name": sum(one.accepted for one in self.shifts),
            "wrong": len(self.problems),
            "seconds": round(self.seconds, 1),
            "problems": [asdict(one) for one in self.wrong],
            "shift_problem": self.shift_problem,
        }

    def in_words(self) -> str:
        told = self.as_json()
        counts = [
            counted(told["stories"], "story", "stories"),
            *(
                counted(told[f"{one}s"], one)
                for one in ("case", "call", "shift")
                if told[f"{one}s"]
            ),
        ]
        wrong = counted(len(self.wrong), "story", "stories")
        end = f"{wrong} went wrong" if self.wrong else "every case ended as planned"
        return f"{', '.join(counts)}: {end}"


async def run(running: Running, asked: Asked, told: Callable[[Played], None]) -> Ended:
    """Raises VerbEndedError if the system can't be used."""
    began = time.monotonic()
    day_s = 0.0 if asked.cases else (DAY_MINUTES + LAST_STORIES_MINUTES) * asked.minute_s
    try:
        async with staged(running, asked.patience_s + day_s, AT_ONCE) as stage:
            played, shifts, problem = await _played(stage, asked, told)
    except KeyFilesError as error:
        raise VerbEndedError(Exit.FAILED, str(error)) from None
    return Ended(asked.seed, time.monotonic() - began, played, shifts, problem)


async def _played(
    stage: Stage, asked: Asked, told: Callable[[Played], None]
) -> tuple[list[Played], list[Shift], str]:
    if asked.cases:
        return await play(stage, asked.cases, asked.seed, asked.speed, told), [], ""
    day = Day(stage, asked.seed, asked.minute_s, told)
    try:
        await day.play(asked.calls)
    except (StuckError, UnexpectedError) as error:
        return day.done, day.shifts, str(error)
    return day.done, day.shifts, ""
