"""The casework with a million events in the log: who is this caller, one case, a new case.

Candidates are asked for as an operator's page does, over HTTP, of query's own process; names are
misheard or in the other alphabet. A new case is appended to this log and to an empty one in turns.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from random import Random
from typing import Any, NamedTuple
from uuid import uuid4

from benchmarks.casework_filling import Case, Casework, Size, fill_casework
from benchmarks.figures import (
    MILLISECONDS,
    Bench,
    Measured,
    compared,
    spread,
    take_turns,
    timed_ms,
)
from benchmarks.people import People
from benchmarks.rebuild import read_all
from benchmarks.site import Query, Site, query_process, site_in
from benchmarks.story import FOLDS, Story
from services.intake.routing import new_case_id
from shared.log.transact import Writer

EVENTS, WAITING, PAST = 1_000_000, 1_000, 40_000
ASKED, KNOWN = 400, 250
"""How many questions by name, and by key."""
LOADED, COLD = 2_000, 30
UNTIL_COLD_S = 2.5
ROUNDS, NEW_A_ROUND = 15, 40
FOLLOWED_WITHIN_S = 1_800.0
NAMES_WITHIN_S = 600.0
LOOK_EVERY_S = 0.2
WHO = {"purpose": "caller_on_the_line"}
AIM_OF_CANDIDATES, AIM_OF_CASE = "p99 < 100", "p99 < 10"


class Asked(NamedTuple):
    """A question, and the case that is to be among the candidates."""

    body: dict[str, Any]
    case_id: str


def run(bench: Bench) -> Iterator[Measured]:
    size = Size(
        bench.count(EVENTS, 1_000),
        bench.count(WAITING, 5),
        bench.count(PAST, 45),
        bench.count(KNOWN, 10),
    )
    with ExitStack() as stack:
        site = stack.enter_context(site_in(bench.folder_for("casework")))
        empty = stack.enter_context(site_in(bench.folder_for("casework-empty")))
        casework = fill_casework(site, size)
        began = time.perf_counter()
        with query_process(site, bench.folder_for("casework-query")) as query:
            yield _followed(query, casework, began)
            yield _names_opened(query, casework)
            for name, questions in _questions(bench, casework):
                yield _candidates(query, name, questions)
            yield _shown(bench, query, casework)
        yield from _loaded(bench, site, casework)
        yield _new_cases(bench, {f"{casework.events} in the log": site, "empty log": empty})


def _followed(query: Query, casework: Casework, began: float) -> Measured:
    """How fast the read models were made, from the start of query's process on."""
    query.wait(casework.events, FOLLOWED_WITHIN_S)
    seconds = time.perf_counter() - began
    figures = {"rate": casework.events / seconds}
    load = round(os.getloadavg()[0], 1)
    notes = {"events": casework.events, "cases": len(casework.cases), "load": load}
    return Measured("casework/query follows", figures, "events/s", notes=notes)


def _names_opened(query: Query, casework: Casework) -> Measured:
    """How long opening the names takes, once after a start; other requests are served meanwhile."""
    body = {**WHO, "surname": casework.cases[0].identity.surname}
    began = time.perf_counter()
    first_s = 0.0
    while not _ask(query, body)["names_complete"]:
        first_s = first_s or time.perf_counter() - began
        if time.perf_counter() - began > NAMES_WITHIN_S:
            raise RuntimeError("the names aren't open yet")
        time.sleep(LOOK_EVERY_S)
    seconds = time.perf_counter() - began
    figures = {"all": seconds, "first answer": first_s or seconds}
    return Measured("casework/names opened", figures, "s", notes={"names": len(casework.cases)})


def _questions(bench: Bench, casework: Casework) -> Iterator[tuple[str, list[Asked]]]:
    people, cases, known = People(seed=5), casework.cases, casework.known
    count = bench.count(ASKED, 10)
    yield "by name", [_by_name(people, one) for one in cases[:: max(1, len(cases) // count)]]
    yield "by caller and name", [_by_caller(people, one) for one in known]
    numbers = [(one.identity.service_number, one.case_id) for one in known]
    asked = [Asked({**WHO, "service_number": number}, of) for number, of in numbers if number]
    yield "by service number", asked
    some = cases[1 :: max(1, len(cases) // (count // 4))]
    yield "of a case", [Asked({**WHO, "case_id": one.case_id}, "") for one in some]


def _by_name(people: People, case: Case) -> Asked:
    man = case.identity
    body = {
        **WHO,
        "surname": people.misspelled(man.surname or ""),
        "first_names": man.first_names,
        "patronymic": man.patronymic,
    }
    if man.date_of_birth is not None:
        body["date_of_birth"] = man.date_of_birth
    return Asked(body, case.case_id)


def _by_caller(people: People, case: Case) -> Asked:
    body = {**_by_name(people, case).body, "caller": {"channel": "phone", "address": case.address}}
    return Asked(body, case.case_id)


def _candidates(query: Query, name: str, questions: Sequence[Asked]) -> Measured:
    taken, found = [], 0
    for one in questions:
        began = time.perf_counter()
        answer = _ask(query, one.body)
        taken.append(MILLISECONDS * (time.perf_counter() - began))
        found += not one.case_id or one.case_id in {item["case_id"] for item in answer["items"]}
    notes = {"questions": len(questions), "found": round(found / len(questions), 3)}
    return spread(f"casework/candidates/{name}", taken, "ms", aim=AIM_OF_CANDIDATES, notes=notes)


def _ask(query: Query, body: dict[str, Any]) -> dict[str, Any]:
    answer = query.client.post("/api/candidates", json=body, timeout=FOLLOWED_WITHIN_S)
    answer.raise_for_status()
    shown: dict[str, Any] = answer.json()
    return shown


def _shown(bench: Bench, query: Query, casework: Casework) -> Measured:
    def show(case: Case) -> None:
        query.client.get(f"/api/cases/{case.case_id}").raise_for_status()

    taken = [timed_ms(partial(show, case)) for case in _spread(bench, casework)]
    return spread("casework/one case shown by the API", taken, "ms")


def _loaded(bench: Bench, site: Site, casework: Casework) -> Iterator[Measured]:
    """The milliseconds of a load: of a case that a service works on, and of a past one.

    nats-server keeps a block of 8 MB in memory for two seconds after it was read; a case whose
    blocks it hasn't costs their reading.
    """
    chance = Random(6)  # noqa: S311 - nothing is secret here
    waiting = [one.case_id for one in casework.cases if one.waits]
    past = [one.case_id for one in casework.cases if not one.waits]
    with site.case_log(FOLDS["handover"], "load") as log:
        for case_id in waiting:
            log.load(case_id)
        again = chance.choices(waiting, k=bench.count(LOADED, 10))
        taken = [timed_ms(partial(log.load, case_id)) for case_id in again]
        yield spread("casework/one case loaded, that is worked on", taken, "ms", aim=AIM_OF_CASE)
        some = _spread(bench, casework)
        taken = [timed_ms(partial(read_all, log, one.case_id)) for one in some]
        yield spread("casework/one case loaded, all of it", taken, "ms", aim=AIM_OF_CASE)
        taken = []
        for case_id in chance.sample(past, bench.count(COLD, 1)):
            time.sleep(UNTIL_COLD_S)
            taken.append(timed_ms(partial(read_all, log, case_id)))
        yield spread("casework/one case loaded, its blocks long unread", taken, "ms")


def _spread(bench: Bench, casework: Casework) -> Sequence[Case]:
    return casework.cases[:: max(1, len(casework.cases) // bench.count(LOADED, 10))]


def _new_cases(bench: Bench, sites: dict[str, Site]) -> Measured:
    """The milliseconds of a new case: its keys are made, its first call is sealed."""
    with ExitStack() as stack:
        sides: dict[str, Callable[[], float]] = {}
        for name, site in sites.items():
            writer = stack.enter_context(site.writer(FOLDS["intake"], "intake"))
            _open_cases(writer, 1)
            sides[name] = partial(_open_cases, writer, NEW_A_ROUND)
        return compared("casework/new case", take_turns(sides, bench.rounds(ROUNDS)), "ms", "~ 1")


def _open_cases(writer: Writer, count: int) -> float:
    """The milliseconds of each."""
    began = time.perf_counter()
    for _ in range(count):
        Story({"intake": writer}, new_case_id()).call(uuid4().hex, "caller")
    return MILLISECONDS * (time.perf_counter() - began) / count
