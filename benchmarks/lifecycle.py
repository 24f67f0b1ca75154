"""The ten-step lifecycle with its read model, beside the same on eventsourcing and SQLite.

A round plays whole cases and ends when the read model shows the last event. On both sides this
process runs the three services' deciders, on a thread for each case in flight. The read model is
kept as each side keeps it: query is a process; the library's projection is a thread beside the
application, because its SQLite recorder tells nobody outside of new events. The ratio is to the
library left as it is; `benchmarks.on_sqlite` says what is tuned.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial

from benchmarks.figures import Bench, Measured, Stopwatch, rates
from benchmarks.on_sqlite import sqlite_site
from benchmarks.site import Site, query_process, site_in
from benchmarks.story import FOLDS, STEPS, Side, Story, Writers
from services.intake.routing import new_case_id
from services.keyholder.secrets import read_secrets

ROUNDS = 5
IN_FLIGHT = {1: 20, 16: 96, 64: 192}
"""Cases in flight -> cases of one round."""
AIM = ">= 1.5"


def run(bench: Bench) -> Iterator[Measured]:
    with ExitStack() as stack:
        site = stack.enter_context(site_in(bench.folder_for("lifecycle")))
        secrets = read_secrets(site.settings.keys_dir)
        plain = stack.enter_context(sqlite_site(bench.folder_for("sqlite"), secrets, tuned=False))
        tuned = stack.enter_context(
            sqlite_site(bench.folder_for("sqlite-tuned"), secrets, tuned=True)
        )
        query = stack.enter_context(query_process(site, bench.folder_for("lifecycle-query")))
        sides: dict[str, Side] = {
            "passage": (writers_on(site, stack), query.wait),
            "eventsourcing": plain,
            "eventsourcing tuned": tuned,
        }
        for in_flight, usual in IN_FLIGHT.items():
            cases, rounds = bench.count(usual, in_flight), bench.rounds(ROUNDS)
            yield measure("lifecycle", sides, in_flight, cases, rounds, AIM)


def writers_on(site: Site, stack: ExitStack) -> Writers:
    return {name: stack.enter_context(site.writer(fold, name)) for name, fold in FOLDS.items()}


def measure(
    name: str, sides: Mapping[str, Side], in_flight: int, cases: int, rounds: int, aim: str
) -> Measured:
    """Plays rounds with each side in turn; the ratio is of the first to the second."""
    return rates(
        f"{name}/{in_flight} in flight",
        {one: partial(_play, *side, in_flight, cases) for one, side in sides.items()},
        STEPS * cases,
        rounds,
        "events/s",
        aim,
        cases_a_round=cases,
    )


def _play(
    writers: Writers,
    wait_until_shown: Callable[[int], None],
    in_flight: int,
    cases: int,
    watch: Stopwatch,
) -> None:
    with watch:
        stories = [Story(writers, new_case_id()) for _ in range(cases)]
        with ThreadPoolExecutor(in_flight) as threads:
            ends = list(threads.map(Story.play, stories))
        wait_until_shown(max(end.sequence for end in ends))
