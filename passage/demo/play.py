"""Plays many invented cases at once, and checks how each ends."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import uuid4

from passage.demo.acts import End
from passage.demo.cast import KINDS, Story
from passage.demo.people import people
from passage.demo.player import Player
from passage.demo.stage import Stage, StuckError, UnexpectedError

AT_ONCE = 16
FOLLOWS_WITHIN_S = 30.0
LOOK_AGAIN_S = 0.5


@dataclass(frozen=True)
class Played:
    """One story's outcome; `problem` is empty if all its cases end as expected."""

    kind: str
    cases: int
    calls: int
    ended: str
    problem: str = ""
    ends: tuple[End, ...] = ()


async def play(
    stage: Stage, count: int, seed: int, per_second: float, told: Callable[[Played], None]
) -> list[Played]:
    """Plays `count` stories, at most AT_ONCE at the same time and `per_second` begun a second."""
    chosen = _cast(count, seed)
    run = uuid4().hex[:12]
    slots = asyncio.Semaphore(AT_ONCE)
    begun = time.monotonic()

    async def one(number: int, story: Story, person: int) -> Played:
        if per_second:
            await asyncio.sleep(max(0.0, begun + number / per_second - time.monotonic()))
        async with slots:
            player = Player(stage, f"{seed}-{number}", f"{run}-{number}", people()[person])
            played = await play_one(player, story)
            told(played)
            return played

    return list(await asyncio.gather(*(one(n, *role) for n, role in enumerate(chosen))))


def _cast(count: int, seed: int) -> list[tuple[Story, int]]:
    """A story and a person for each; every kind comes before any comes again."""
    chance = random.Random(seed)  # noqa: S311 - invented cases, not secrets
    order = list(range(len(people())))
    chance.shuffle(order)
    return [(KINDS[n % len(KINDS)].story, order[n % len(order)]) for n in range(count)]


async def play_one(player: Player, story: Story) -> Played:
    """Plays one story, and compares each of its cases with the expected end."""
    kind = story.__name__.replace("_", " ")
    calls = 0
    try:
        ends = await story(player)
        calls = sum(len(of_case) for of_case in player.calls.values())
        problems = [await _problem(player, end) for end in ends]
    except (StuckError, UnexpectedError) as error:
        return Played(kind, len(player.calls), calls, "", str(error))
    ended = ", ".join(f"{end.progress}/{end.identity}" for end in ends)
    problem = "; ".join(p for p in problems if p)
    return Played(kind, len(ends), calls, ended, problem, tuple(ends))


async def _problem(player: Player, end: End) -> str:
    """How a case differs from its expected end; empty if it doesn't.

    After an outage of query its read models take some seconds to follow.
    """
    expected = {
        "progress": end.progress,
        "identity": end.identity,
        "contact": end.contact,
        "closing_reason": end.closing_reason,
        "episode": end.episode,
        **({"calls": len(player.calls[end.case_id])} if end.counted else {}),
        **end.shows,
    }
    gives_up_at = time.monotonic() + FOLLOWS_WITHIN_S
    while True:
        case = (await player.stage.case(end.case_id))["case"]
        unlike = [
            f"{name} is {case.get(name)}, not {value}"
            for name, value in expected.items()
            if case.get(name) != value
        ]
        if not unlike or time.monotonic() > gives_up_at:
            return f"case {end.case_id}: {', '.join(unlike)}" if unlike else ""
        await asyncio.sleep(LOOK_AGAIN_S)


def tally(played: Sequence[Played]) -> list[tuple[str, int, int, int, str, int]]:
    """A row a kind: stories, cases, calls, how they ended, and how many went wrong."""
    rows = []
    for kind in dict.fromkeys(one.kind for one in played):
        its = [one for one in played if one.kind == kind]
        cases, calls = sum(one.cases for one in its), sum(one.calls for one in its)
        ended = next((one.ended for one in its if one.ended), "")
        rows.append((kind, len(its), cases, calls, ended, sum(bool(one.problem) for one in its)))
    return rows
