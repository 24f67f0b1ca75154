"""The same people do the same things; what differs is what befalls the messages between services.

However deliveries overtake one another and come twice, and wherever appends are lost or answered
in vain, the same is known in the end.
"""

from __future__ import annotations

import random
import re
from typing import Any

import pytest

from services.query.models import case_list
from services.query.models.case_row import CaseRow
from shared.events.base import CaseEvent
from tests.casework.callers import REGISTRY, town_of_infiltrators
from tests.casework.consequences import wrong_in
from tests.casework.town import Town
from tests.casework.wiring import FOLDS, SERVICES

HASH = re.compile(r"[0-9a-f]{32,64}")
SEEDS = range(24)
POLICIES = 6


def played(seed: int, begun: Town) -> Town:
    """Plays a town, with everything in it that infiltrators, operators and a genuine man do."""
    return town_of_infiltrators(
        seed, POLICIES, may_override=seed % 2 == 1, stolen=seed % 3 > 0, begun=begun
    )


def rows_of(log: list[CaseEvent[Any]]) -> dict[str, CaseRow]:
    rows: dict[str, CaseRow] = {}
    for sequence, event in enumerate(log, start=1):
        rows[event.subject] = case_list.evolve(rows.get(event.subject), event, sequence)
    return rows


def comparable(town: Town, thing: object) -> str:
    """A thing without what chance names: cases by their order, events by their place."""
    names = {case_id: f"case-{number}" for number, case_id in enumerate(town.store.cases)}
    names |= {event.id: f"{event.type_name}-{event.caseversion}" for event in town.log}
    text = str(thing)
    for chance_name, name in names.items():
        if chance_name in text:
            text = text.replace(chance_name, name)
    return HASH.sub("#", text)


def known_in(town: Town) -> list[str]:
    """What an operator sees of every case; where in the log it stands is left out."""
    rows = rows_of(town.log)
    return [
        comparable(town, rows[case_id]._replace(sequence=0, version=0, claim_event_id=None))
        for case_id in town.store.cases
    ]


def written_in(town: Town) -> list[list[str]]:
    return [
        [comparable(town, (link.event.data, link.event.actor, link.event.time)) for link in links]
        for links in town.store.cases.values()
    ]


@pytest.mark.parametrize("seed", SEEDS)
def test_any_order_of_deliveries_leads_to_the_same_read_model(seed: int) -> None:
    in_order = played(seed, Town(REGISTRY))
    overtaking = Town(REGISTRY)
    overtaking.order = random.Random(seed)
    played(seed, overtaking)
    assert known_in(overtaking) == known_in(in_order)
    assert overtaking.broken() == []
    assert wrong_in(overtaking) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_a_crash_between_any_two_steps_leaves_the_same_log(seed: int) -> None:
    quiet = played(seed, Town(REGISTRY))
    crashing = Town(REGISTRY)
    crashing.crashing = random.Random(seed)
    played(seed, crashing)
    assert written_in(crashing) == written_in(quiet)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_folded_anew_is_what_was_folded_as_it_came(seed: int) -> None:
    town = played(seed, Town(REGISTRY))
    for service in SERVICES:
        live = {case_id: town.state(service, case_id) for case_id in town.store.cases}
        town.forget()
        assert {case_id: town.state(service, case_id) for case_id in live} == live
        fold = FOLDS[service]
        for case_id, state in live.items():
            anew = fold.initial
            for link in town.store.cases[case_id]:
                anew = fold.evolve(anew, link.event)
            assert anew == state


@pytest.mark.parametrize("seed", SEEDS)
def test_cases_dont_know_of_one_another_in_the_read_model(seed: int) -> None:
    town = played(seed, Town(REGISTRY))
    one_by_one = [link.event for links in town.store.cases.values() for link in links]
    live, rebuilt = rows_of(town.log), rows_of(one_by_one)
    assert {row._replace(sequence=0) for row in live.values()} == {
        row._replace(sequence=0) for row in rebuilt.values()
    }
