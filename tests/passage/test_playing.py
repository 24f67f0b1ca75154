"""The demo's cast: every kind of case, invented people, and choices that follow from the seed."""

from __future__ import annotations

from passage.playing.people import people
from passage.playing.play import STORIES, _cast
from shared.folding import folded_number


def test_every_kind_comes_before_any_comes_again() -> None:
    kinds = [story for story, _ in _cast(len(STORIES), seed=1)]
    assert set(kinds) == set(STORIES)


def test_a_seed_casts_one_way() -> None:
    assert _cast(100, seed=5) == _cast(100, seed=5)
    assert _cast(100, seed=5) != _cast(100, seed=6)


def test_the_sample_holds_some_three_hundred_distinct_people() -> None:
    assert len(people()) == 300
    assert len({person.service_number for person in people()}) == 300


def test_latin_lookalikes_are_other_letters_of_the_same_number() -> None:
    person = people()[0]
    latin = person.in_latin().service_number or ""
    assert latin != person.service_number
    assert folded_number(latin) == folded_number(person.service_number or "")
