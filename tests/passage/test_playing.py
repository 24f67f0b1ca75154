"""The demo's cast: every kind of case, invented people, and choices that follow from the seed."""

from collections import Counter

from passage.demo.callers import two_spellings
from passage.demo.cast import CALLS_A_DAY, KINDS
from passage.demo.day import WATCHES, chosen, plan
from passage.demo.people import people
from passage.demo.play import _cast
from shared.callers.addresses import spelled
from shared.matching.numbers import folded_number


def test_every_kind_comes_before_any_comes_again() -> None:
    kinds = [story for story, _ in _cast(len(KINDS), seed=1)]
    assert set(kinds) == {kind.story for kind in KINDS}


def test_a_seed_casts_one_way() -> None:
    assert _cast(100, seed=5) == _cast(100, seed=5)
    assert _cast(100, seed=5) != _cast(100, seed=6)


def test_a_day_has_a_hundred_calls_and_every_kind() -> None:
    calls = {kind.story: kind.calls for kind in KINDS}
    told = chosen(CALLS_A_DAY)
    assert sum(calls[story] for story in told) == CALLS_A_DAY
    assert Counter(told) == {kind.story: kind.times for kind in KINDS}


def test_a_small_day_has_each_kind_once_before_any_comes_again() -> None:
    told = chosen(sum(kind.calls for kind in KINDS))
    assert Counter(told) == {kind.story: 1 for kind in KINDS}


def test_a_seed_plans_one_day_and_the_evening_is_busiest() -> None:
    assert plan(CALLS_A_DAY, seed=5) == plan(CALLS_A_DAY, seed=5)
    assert plan(CALLS_A_DAY, seed=5) != plan(CALLS_A_DAY, seed=6)
    hours = [one.minute // 60 for seed in range(30) for one in plan(CALLS_A_DAY, seed)]
    evening, night = (sum(hour in range(*of) for hour in hours) for of in ((18, 22), (2, 6)))
    assert evening > 5 * night


def test_nobody_hands_a_shift_over_to_himself() -> None:
    for watch, following in zip(WATCHES, (*WATCHES[1:], WATCHES[0]), strict=True):
        assert not set(watch.operators) & set(following.operators)
        assert following.from_hour == watch.until_hour % 24


def test_the_sample_holds_some_three_hundred_distinct_people() -> None:
    assert len(people()) == 300
    assert len({person.service_number for person in people()}) == 300


def test_latin_lookalikes_are_other_letters_of_the_same_number() -> None:
    person = people()[0]
    latin = person.in_latin().service_number or ""
    assert latin != person.service_number
    assert folded_number(latin) == folded_number(person.service_number or "")


def test_both_spellings_of_an_invented_number_are_one_callers() -> None:
    for number in range(0, 1_000_000, 9_973):
        abroad, at_home = two_spellings(f"+7000123{number:06}")
        one, other = spelled("phone", abroad), spelled("phone", at_home, "UA")
        assert one is not None
        assert other is not None
        assert one.own[0] == other.own[0] == abroad
