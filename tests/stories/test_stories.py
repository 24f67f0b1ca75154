"""Every story in every mode: in order, facts shuffled, everything twice, and after a rebuild.

The log is a real server's, the handlers are the services' own, and the rows come out of
`ReadModel.apply`; only the way of a message from server to handler is short.
"""

import itertools
import random
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.stories.moving import moved
from tests.stories.play import Play
from tests.stories.script import Step, Story, blocks, names, shuffled, story
from tests.stories.shown import Tables, after_events, check, compared, differences
from tests.stories.site import StorySite, story_site

SEEDS = (1, 2, 3)
ALL_AT_ONCE = 5_000
NUMBERS = itertools.count(10_001)


@dataclass
class Played:
    """What came out of one playing."""

    play: Play
    tables: Tables


@pytest.fixture
def played(
    story_stage: StorySite, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Played]]:
    """Plays a story, comparing all that it expects on the way."""
    with ExitStack() as stack:

        def stage_for(play: Story, folder: Path) -> StorySite:
            if not any(step.moves for step in play.steps):
                return story_stage
            return stack.enter_context(story_site(folder, story_stage.clock))  # It is left behind.

        def run(name: str, **mode: Any) -> Played:
            told, folder = story(name), tmp_path_factory.mktemp(name)
            play = Play(stage_for(told, folder), told, next(NUMBERS), **mode)
            shown: dict[int, Tables] = {}

            def tables() -> Tables:
                count = len(play.events)
                if count not in shown:
                    shown[count] = after_events(folder, play.events, ALL_AT_ONCE)
                return shown[count]

            def expect(step: Step) -> None:
                assert step.expect is not None
                check(step.expect, play, tables(), play.site.keys_of("query"))

            def move() -> None:
                running = timers_of(play.site)
                play.site = stack.enter_context(moved(play.site, folder / "elsewhere"))
                # What was moot already isn't set anew; everything else is, and nothing besides.
                assert timers_of(play.site)
                assert timers_of(play.site) <= running
                assert [one.id for one in play.site.all_events()] == [one.id for one in play.events]

            play.on_expect, play.on_move = expect, move
            play.site.new_events()  # What came before belongs to another story.
            play.play()
            return Played(play, tables())

        yield run


def timers_of(site: StorySite) -> set[tuple[str, datetime | None]]:
    """What is to fall due, about which case and when."""
    return {
        (name, timer.due_at)
        for timers in site.timers.values()
        for name, timer in timers.running.items()
        if timer.about is not None
    }


@pytest.fixture
def in_order(
    played: Callable[..., Played], kept_plays: dict[str, Played]
) -> Callable[[str], Played]:
    """A story played in order, once in a run."""

    def run(name: str) -> Played:
        if name not in kept_plays:
            kept_plays[name] = played(name)
        return kept_plays[name]

    return run


@pytest.fixture(scope="module")
def kept_plays() -> dict[str, Played]:
    return {}


def test_every_story_of_the_design_is_told_and_says_what_comes_out() -> None:
    assert names() == [f"E{number:02d}" for number in range(1, 28)]
    for name in names():
        assert story(name).steps[-1].expect is not None, name


def test_in_most_stories_facts_may_change_places() -> None:
    chance = random.Random(1)  # noqa: S311 - no secret
    moved = set()
    for name in names():
        together = blocks(story(name).steps, ())
        if any(shuffled(block, chance) != block for _ in range(20) for block in together):
            moved.add(name)
    assert len(moved) >= 20, moved


@pytest.mark.parametrize("name", names())
def test_in_order_it_comes_out_as_told_and_a_rebuild_agrees(
    name: str, in_order: Callable[[str], Played], tmp_path: Path
) -> None:
    told = in_order(name)
    live = after_events(tmp_path, told.play.events, at_once=1)
    assert live == told.tables


@pytest.mark.parametrize("name", names())
def test_with_everything_twice_nothing_more_is_stored(
    name: str, in_order: Callable[[str], Played], played: Callable[..., Played]
) -> None:
    once = in_order(name)
    twice = played(name, twice=True, winners=list(once.play.winners))
    assert unlike(twice, once) == ""
    assert len(twice.play.events) == len(once.play.events)


@pytest.mark.parametrize("name", names())
def test_facts_in_another_order_make_the_same_read_models(
    name: str, in_order: Callable[[str], Played], played: Callable[..., Played]
) -> None:
    told = in_order(name)
    split_at = tuple(at for at, _, _ in told.play.fired)
    for seed in SEEDS:
        chance = random.Random(zlib.crc32(f"{name} {seed}".encode()))  # noqa: S311 - no secret
        winners = list(told.play.winners)
        other = played(name, chance=chance, split_at=split_at, winners=winners)
        assert unlike(other, told) == "", seed


def unlike(one: Played, other: Played) -> str:
    """The rows in which two playings of a story differ, a line each."""
    found = differences(compared(one.tables, one.play), compared(other.tables, other.play))
    return "\n".join(found)
