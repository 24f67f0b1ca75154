"""`passage demo`: plays an invented day, or cases of all kinds, on a running system."""

from __future__ import annotations

import asyncio
import itertools
import secrets
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Annotated, NamedTuple

import typer

from passage.cli.options import DEFAULT_DATA_DIR, AsJson, DataDir
from passage.cli.registry_load import holds_only, load
from passage.demo.cast import CALLS_A_DAY
from passage.demo.day import DAY_MINUTES, LAST_STORIES_MINUTES, Day, plan
from passage.demo.people import SAMPLE
from passage.demo.play import AT_ONCE, Played, play, tally
from passage.demo.stage import StuckError, UnexpectedError, staged
from passage.exits import Exit, VerbEndedError
from passage.printing import counted, err, out, print_json, print_table
from passage.runner.telling import telling
from passage.running import Running, find_running
from shared.keyfiles import KeyFilesError

SEEDS = 1_000_000
STORIES = "stories"
SECONDS_A_MINUTE = 60.0
COLUMNS = ("kind", "stories", "cases", "calls", "ended (progress/identity)", "wrong")


class Asked(NamedTuple):
    """What is to be played; without `cases`, a day."""

    calls: int
    cases: int | None
    seed: int
    speed: float
    patience_s: float

    @property
    def minute_s(self) -> float:
        """How many seconds a minute of the day takes."""
        return SECONDS_A_MINUTE / self.speed if self.speed else 0.0


def demo_verb(  # noqa: PLR0913, PLR0917 - the options of a verb
    calls: Annotated[int, typer.Option(min=1, help="How many calls the day has.")] = CALLS_A_DAY,
    cases: Annotated[
        int | None, typer.Option(min=1, help="No day: so many stories, each kind in turn.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Plays the same way again.")] = None,
    speed: Annotated[
        float,
        typer.Option(
            min=0,
            help="So many times as fast as life; with --cases, stories begun a second. "
            "0: as fast as it goes.",
        ),
    ] = 0,
    patience: Annotated[
        float, typer.Option(min=1, help="Seconds until what doesn't happen counts as wrong.")
    ] = 300,
    data: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Play a day of the hotline; exit code 1 when a case doesn't end as planned."""
    running = find_running(data)
    if not holds_only(running.registry, SAMPLE):
        raise VerbEndedError(
            Exit.USAGE, "this system's registry holds other people than the sample: no demo here"
        )
    load(running.registry, SAMPLE)
    chosen_seed = secrets.randbelow(SEEDS) if seed is None else seed
    asked = Asked(calls, cases, chosen_seed, speed, patience)
    started = time.monotonic()
    stories = cases or len(plan(calls, chosen_seed))
    done = itertools.count(1)
    with telling() as told:
        ended = asyncio.run(
            _play(running, asked, lambda _: told.tell(STORIES, next(done), stories))
        )
    _report(ended, asked, time.monotonic() - started, as_json)
    if ended.wrong or ended.shift_problem:
        raise typer.Exit(Exit.FAILED)


@dataclass(frozen=True)
class Ended:
    """What was played; `shift_problem` is empty where every shift ended as it must."""

    played: list[Played]
    shifts: int = 0
    accepted: int = 0
    shift_problem: str = ""

    @property
    def wrong(self) -> list[Played]:
        return [one for one in self.played if one.problem]


async def _play(running: Running, asked: Asked, told: Callable[[Played], None]) -> Ended:
    day_s = 0.0 if asked.cases else (DAY_MINUTES + LAST_STORIES_MINUTES) * asked.minute_s
    try:
        async with staged(running, asked.patience_s + day_s, AT_ONCE) as stage:
            if asked.cases:
                return Ended(await play(stage, asked.cases, asked.seed, asked.speed, told))
            return await _play_day(Day(stage, asked.seed, asked.minute_s, told), asked.calls)
    except KeyFilesError as error:
        raise VerbEndedError(Exit.FAILED, str(error)) from None


async def _play_day(day: Day, calls: int) -> Ended:
    problem = ""
    try:
        await day.play(calls)
    except (StuckError, UnexpectedError) as error:
        problem = str(error)
    accepted = sum(shift.accepted for shift in day.shifts)
    return Ended(day.done, len(day.shifts), accepted, problem)


def _report(ended: Ended, asked: Asked, seconds: float, as_json: bool) -> None:
    played, wrong = ended.played, ended.wrong
    cases, calls = sum(one.cases for one in played), sum(one.calls for one in played)
    if as_json:
        print_json(
            {
                "seed": asked.seed,
                "stories": len(played),
                "cases": cases,
                "calls": calls,
                "shifts": ended.shifts,
                "handed_over_by_name": ended.accepted,
                "wrong": len(wrong) + bool(ended.shift_problem),
                "seconds": round(seconds, 1),
                "problems": [asdict(one) for one in wrong],
                "shift_problem": ended.shift_problem,
            }
        )
        return
    print_table(f"Played with seed {asked.seed} in {seconds:.1f} s", COLUMNS, tally(played))
    for one in wrong:
        err.print(f"{one.kind}: {one.problem}")
    if ended.shift_problem:
        err.print(f"shifts: {ended.shift_problem}")
    good = (
        "every case ended as planned"
        if not wrong
        else f"{counted(len(wrong), 'story', 'stories')} went wrong"
    )
    shifts = f", {counted(ended.shifts, 'shift')}" if ended.shifts else ""
    told = f"{counted(len(played), 'story', 'stories')}, {counted(cases, 'case')}"
    out.print(f"{told}, {counted(calls, 'call')}{shifts}: {good}")
