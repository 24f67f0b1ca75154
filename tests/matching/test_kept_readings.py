"""Readings that are kept in memory: so many of each kind, and none once they are let go of."""

from collections.abc import Iterator

import pytest

from shared.matching import Stated, compare, forget, given_names, parts, patronymics, surnames
from shared.matching.readings import KEPT, readings

LETTERS = "абвгдежзиклмнопрстуфхцчшщэюя"
OF_EACH_KIND = (
    readings,
    surnames.surname,
    given_names.first_name,
    patronymics.patronymic_of,
    parts.words_of,
    parts.partings,
)


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    forget()
    yield
    forget()


def word(number: int) -> str:
    """A word for each number."""
    letters = ""
    for _ in range(4):
        number, place = divmod(number, len(LETTERS))
        letters += LETTERS[place]
    return letters


def test_the_longest_unused_reading_is_made_again_and_is_the_same() -> None:
    first = readings(word(0))
    for number in range(1, KEPT):
        readings(word(number))
    made = readings.cache_info().misses
    assert readings(word(0)) == first  # So another one is the longest unused now.
    assert readings.cache_info().misses == made
    readings(word(KEPT))
    assert readings.cache_info().currsize == KEPT
    readings(word(0))
    assert readings.cache_info().misses == made + 1
    readings(word(1))
    assert readings.cache_info().misses == made + 2


def test_of_each_kind_so_many_are_kept_and_none_once_they_are_let_go_of() -> None:
    one = Stated("Взоров", "Иван", "Петрович")
    compare(one, one)
    kept = [kind.cache_info() for kind in OF_EACH_KIND]
    assert all(one.currsize for one in kept)
    assert {one.maxsize for one in kept} == {KEPT}
    forget()
    assert [kind.cache_info().currsize for kind in OF_EACH_KIND] == [0] * len(OF_EACH_KIND)
