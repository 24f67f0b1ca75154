"""`passage demo`: plays an invented day, or cases of all kinds, on a running system."""

import asyncio
import itertools
import secrets
from typing import Annotated

import typer

from passage.cli.options import DEFAULT_DATA_DIR, AsJson, DataDir
from passage.cli.registry import holds_only, load
from passage.demo.cast import CALLS_A_DAY
from passage.demo.people import SAMPLE
from passage.demo.play import tally
from passage.demo.run import Asked, Ended, run
from passage.enrolling import enrolled
from passage.exits import Exit, VerbEndedError
from passage.printing import err, out, print_json, print_table
from passage.runner.telling import telling
from passage.running import Running, find_running

SEEDS = 1_000_000
COLUMNS = ("kind", "stories", "cases", "calls", "ended (progress/identity)", "wrong")


def demo_verb(  # noqa: PLR0913, PLR0917 - the options of a verb
    calls: Annotated[int, typer.Option(min=1, help="How many calls the day has.")] = CALLS_A_DAY,
    cases: Annotated[
        int | None,
        typer.Option(min=1, help="Play this many stories, each kind in turn, instead of a day."),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Repeats a run.")] = None,
    speed: Annotated[
        float,
        typer.Option(
            min=0,
            help="How many times faster than real time; with --cases, stories begun a second. 0: "
            "as fast as possible.",
        ),
    ] = 0,
    patience: Annotated[
        float,
        typer.Option(
            min=1, help="Seconds after which something that hasn't happened counts as wrong."
        ),
    ] = 300,
    enrol: Annotated[
        bool,
        typer.Option(
            "--enrol", help="While nobody is a supervisor: enrol its people first, as `up` does."
        ),
    ] = False,
    data: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Play a day of the hotline; exit code 1 if a case doesn't end as planned."""
    running = find_running(data)
    if not holds_only(running.registry, SAMPLE):
        raise VerbEndedError(
            Exit.USAGE,
            "the registry must hold only the sample's people: use a separate data folder",
        )
    load(running.registry, SAMPLE)
    if enrol:
        asyncio.run(enrolled(running))
    chosen_seed = secrets.randbelow(SEEDS) if seed is None else seed
    ended = _played(running, Asked(calls, cases, chosen_seed, speed, patience))
    _tell(ended, as_json)
    if ended.problems:
        raise typer.Exit(Exit.FAILED)


def _played(running: Running, asked: Asked) -> Ended:
    done = itertools.count(1)
    with telling() as told:
        return asyncio.run(
            run(running, asked, lambda _: told.tell("stories", next(done), asked.stories))
        )


def _tell(ended: Ended, as_json: bool) -> None:
    if as_json:
        print_json(ended.as_json())
    else:
        title = f"Played with seed {ended.seed} in {ended.seconds:.1f} s"
        print_table(title, COLUMNS, tally(ended.played))
        for problem in ended.problems:
            err.print(problem)
        out.print(ended.in_words())
