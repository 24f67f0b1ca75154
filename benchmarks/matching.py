"""Pairs of statements compared a second on one core: words never met before, and met ones.

Half of the pairs are one invented man, told twice and once in the other alphabet or misheard; the
others are two men.
"""

from collections.abc import Iterator
from dataclasses import replace

from benchmarks.figures import Bench, Measured, Stopwatch, take_turns
from benchmarks.people import People
from benchmarks.registry import COLUMNS, stated
from shared.matching import Stated, compare, forget

PAIRS = 20_000
ROUNDS = 5
AIM = ">= 5000 a second"


def run(bench: Bench) -> Iterator[Measured]:
    """Measures processor time, so that other processes' noise isn't included."""
    pairs = _pairs(bench.count(PAIRS))
    _compare(pairs[:1])  # The table of given names is read once.

    def never_met() -> float:
        forget()
        return _compare(pairs)

    rounds = take_turns(
        {"words never met": never_met, "words met before": lambda: _compare(pairs)},
        bench.rounds(ROUNDS),
    )
    yield Measured(
        name="matching/pairs of statements",
        figures={name: max(taken) for name, taken in rounds.items()},
        unit="pairs/s of one core",
        aim=AIM,
        notes={"pairs": len(pairs)},
    )


def _compare(pairs: list[tuple[Stated, Stated]]) -> float:
    watch = Stopwatch()
    with watch:
        for one, other in pairs:
            compare(one, other)
    return len(pairs) / watch.cpu_s


def _pairs(count: int) -> list[tuple[Stated, Stated]]:
    people = People()
    pairs = []
    for number in range(count):
        one, other = (stated(people.next(of), *COLUMNS) for of in (number, number + count))
        if number % 2:
            other = replace(one, surname=people.misspelled(one.surname or ""))
        pairs.append((one, other))
    return pairs
