"""Ten thousand infiltrators say and call what a seed makes them; nobody tells them a place.

Each town has a genuine man and 25 infiltrators, who know of one another's cases. In every second
town the operators set guards aside, as two people may; in every other pair of towns infiltrators
have a real man's papers. In the rest no infiltrator is told a place at all.
"""

import random
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import NamedTuple

from tests.casework.callers import REGISTRY, genuine, town_of_infiltrators
from tests.casework.operators import Operators
from tests.casework.rights import wrong_in
from tests.casework.town import Town

POLICIES = 10_000
IN_ONE_TOWN = 25
CORES = 2
MEN = 40


class Found(NamedTuple):
    """What came of some towns."""

    wrong: list[str]
    told_without_override_or_papers: list[str]
    types: Counter[str]


def play(seeds: Iterable[int]) -> Found:
    """Plays the towns of some seeds, and gives what is wrong in them."""
    found = Found([], [], Counter())
    for seed in seeds:
        overriding, stolen = seed % 2 == 1, seed % 4 >= 2
        town = town_of_infiltrators(seed, IN_ONE_TOWN, may_override=overriding, stolen=stolen)
        found.wrong.extend(f"seed {seed}: {one}" for one in wrong_in(town))
        found.wrong.extend(f"seed {seed}: {one}" for one in town.broken())
        found.types.update(event.type_name for event in town.log)
        if overriding or stolen:
            continue
        genuine_case = town.log[0].subject
        told = {one.subject for one in town.log if one.type_name == "RendezvousDisclosed"}
        found.told_without_override_or_papers.extend(told - {genuine_case})
    return found


def test_no_infiltrator_is_told_a_place_before_he_is_verified_or_two_people_answer_for_it() -> None:
    towns = range(POLICIES // IN_ONE_TOWN)
    with ProcessPoolExecutor(CORES, get_context("spawn")) as pool:
        halves = list(pool.map(play, [towns[one::CORES] for one in range(CORES)]))
    assert [one for half in halves for one in half.wrong] == []
    assert [one for half in halves for one in half.told_without_override_or_papers] == []
    types = sum((half.types for half in halves), Counter[str]())
    # The tricks did come to something: else the above would say nothing.
    reached = {"DuressSignalled", "GroupJoined", "EmergencyOverrideUsed", "IdentityContradicted"}
    assert all(types[name] > 100 for name in reached | {"RendezvousDisclosed", "GuidanceGiven"})


def test_a_genuine_man_is_told_one_by_the_same_operators() -> None:
    told = 0
    for seed in range(MEN):
        town, chance = Town(REGISTRY), random.Random(seed)
        operators = Operators(town, chance)
        operators.may_override = False
        told += genuine(operators, chance)
        assert wrong_in(town) == []
    assert told > MEN * 0.7
