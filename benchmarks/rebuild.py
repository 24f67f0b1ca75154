"""Rebuilding one case: processor time of decode, chain and fold, and the whole way from the log.

The whole way is taken from two servers at once, one with a small log and one with a large one.
"""

import gc
import itertools
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from benchmarks.figures import MILLISECONDS, Bench, Measured, compared, take_turns, timed_ms
from benchmarks.filling import LONG, SHORT, Filled, fill
from benchmarks.site import site_in
from benchmarks.story import FOLDS
from services.intake.routing import new_case_id
from shared.log.case_log import CaseLog
from shared.log.history import History

SMALL_EVENTS = 10_000
LARGE_EVENTS = 1_000_000
FOLDS_TIMED = 300
LOADS_A_ROUND = 20
ROUNDS = 15
FOLD_NAME = "handover"
"""The service that folds most."""


def run(bench: Bench) -> Iterator[Measured]:
    small_events = bench.count(SMALL_EVENTS, 1_000)
    large_events = bench.count(LARGE_EVENTS, 2_000)
    fold = FOLDS[FOLD_NAME]
    with (
        site_in(bench.folder_for("small")) as small_site,
        site_in(bench.folder_for("large")) as large_site,
    ):
        small, large = fill(small_site, small_events), fill(large_site, large_events)
        with (
            small_site.case_log(fold, "small") as small_log,
            large_site.case_log(fold, "large") as large_log,
        ):
            for events, case_id in ((SHORT, small.short_cases[0]), (LONG, small.long_cases[0])):
                yield _processor_time(bench, small_log, events, case_id)
            for name, of_small, of_large in _cases(small, large):
                sides = {
                    f"{large.events} in the log": _loader(large_log, of_large),
                    f"{small.events} in the log": _loader(small_log, of_small),
                }
                rounds = take_turns(sides, bench.rounds(ROUNDS))
                yield compared(f"rebuild/from the log/{name}", rounds, "ms")


def _cases(small: Filled, large: Filled) -> Iterator[tuple[str, Sequence[str], Sequence[str]]]:
    new = [new_case_id() for _ in range(ROUNDS * LOADS_A_ROUND)]
    yield f"{SHORT} events", small.short_cases, large.short_cases
    yield f"{LONG} events", small.long_cases, large.long_cases
    yield "new case", new, new


def _processor_time(bench: Bench, log: CaseLog[Any], events: int, case_id: str) -> Measured:
    stored = log.recorder.select_events(case_id)
    empty: History[Any] = History(case_id, log.fold.initial)
    if log.extend(empty, stored).version != events:
        raise RuntimeError(f"case {case_id} doesn't have {events} events")
    taken = []
    gc.collect()
    for _ in range(bench.count(FOLDS_TIMED, 10)):
        began = time.thread_time()
        log.extend(empty, stored)
        taken.append(MILLISECONDS * (time.thread_time() - began))
    return Measured(
        name=f"rebuild/processor time/{events} events",
        figures={"median": statistics.median(taken), "lowest": min(taken)},
        unit="ms",
        aim="< 1" if events == LONG else "",
        notes={"fold": FOLD_NAME},
    )


def _loader(log: CaseLog[Any], cases: Sequence[str]) -> Callable[[], float]:
    """Loads cases from all over the log; returns the median in milliseconds."""
    spread = cases[:: max(1, len(cases) // (ROUNDS * LOADS_A_ROUND))]
    turn = itertools.cycle(spread)

    def load() -> float:
        some = itertools.islice(turn, LOADS_A_ROUND)
        return statistics.median(timed_ms(partial(read_all, log, case_id)) for case_id in some)

    return load


def read_all(log: CaseLog[Any], case_id: str) -> None:
    """Loads a case from the log, whatever of it is in memory."""
    empty: History[Any] = History(case_id, log.fold.initial)
    log.extend(empty, log.recorder.select_events(case_id))
