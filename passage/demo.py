"""`passage demo`: drives invented cases of all kinds through a running system, and checks them."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from passage.exits import Exit, VerbEndedError
from passage.options import DEFAULT_DATA_DIR, AsJson, DataDir
from passage.playing.people import SAMPLE
from passage.playing.play import AT_ONCE, Played, play, tally
from passage.playing.stage import staged
from passage.printing import err, out, print_json, print_table
from passage.registry import holds_only, load
from passage.running import Running, find_running
from shared.keyfiles import KeyFilesError

SEEDS = 1_000_000
COLUMNS = ("kind", "stories", "cases", "calls", "ended (progress/identity)", "wrong")


def demo_verb(
    cases: Annotated[int, typer.Option(min=1, help="How many stories.")] = 24,
    seed: Annotated[int | None, typer.Option(help="Plays the same way again.")] = None,
    speed: Annotated[
        float, typer.Option(min=0, help="Stories begun a second; 0: as fast as it goes.")
    ] = 0,
    patience: Annotated[
        float, typer.Option(min=1, help="Seconds until what doesn't happen counts as wrong.")
    ] = 300,
    data: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Play invented cases of all kinds; exit code 1 when one doesn't end as it must."""
    running = find_running(data)
    if not holds_only(running.registry, SAMPLE):
        raise VerbEndedError(
            Exit.USAGE, "this system's registry holds other people than the sample: no demo here"
        )
    load(running.registry, SAMPLE)
    chosen = secrets.randbelow(SEEDS) if seed is None else seed
    started = time.monotonic()
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=err,
        disable=as_json,
    ) as progress:
        task = progress.add_task("playing", total=cases)
        played = asyncio.run(
            _play(running, cases, chosen, (speed, patience), lambda _one: progress.advance(task))
        )
    _report(played, chosen, time.monotonic() - started, as_json)
    if any(one.problem for one in played):
        raise typer.Exit(Exit.FAILED)


async def _play(
    running: Running,
    cases: int,
    seed: int,
    pace: tuple[float, float],
    told: Callable[[Played], None],
) -> list[Played]:
    speed, patience = pace
    try:
        async with staged(running, patience, AT_ONCE) as stage:
            return await play(stage, cases, seed, speed, told)
    except KeyFilesError as error:
        raise VerbEndedError(Exit.FAILED, str(error)) from None


def _report(played: list[Played], seed: int, seconds: float, as_json: bool) -> None:
    wrong = [one for one in played if one.problem]
    if as_json:
        print_json(
            {
                "seed": seed,
                "stories": len(played),
                "cases": sum(one.cases for one in played),
                "calls": sum(one.calls for one in played),
                "wrong": len(wrong),
                "seconds": round(seconds, 1),
                "problems": [asdict(one) for one in wrong],
            }
        )
        return
    print_table(f"Played with seed {seed} in {seconds:.1f} s", COLUMNS, tally(played))
    for one in wrong:
        err.print(f"{one.kind}: {one.problem}")
    cases, calls = sum(one.cases for one in played), sum(one.calls for one in played)
    good = "every case ended as it must" if not wrong else f"{len(wrong)} stories went wrong"
    out.print(f"{len(played)} stories, {cases} cases, {calls} calls: {good}")
