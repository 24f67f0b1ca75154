"""Libraries that know other people's spellings: what they write, the readings recognise.

Every so-many-th entry of their dictionaries is compared.
"""

import csv
from collections.abc import Callable
from functools import partial
from importlib import import_module
from itertools import islice
from pathlib import Path

import iuliia
import pytest
from names_translator.dicts import default_dicts
from translitua import translit

from shared.matching import Stated, StatedField, Verdict, compare
from shared.matching.verdicts import NAME_FIELDS

MOST_CONTRADICTED = 0.002
CATEGORIES: dict[str, tuple[StatedField, int]] = {
    "first": ("first_names", 5),
    "patronymic": ("patronymic", 7),
    "last": ("surname", 70),
}
"""A dictionary, the field it is of, and that every so-many-th of its entries is compared."""

Pair = tuple[str, str]
Spelling = Callable[[str], str]
TABLES = import_module("translitua.translit")
OF_RUSSIAN: dict[str, Spelling] = {
    **{name: getattr(iuliia, name).translate for name in dir(iuliia) if name.isupper()},
    **{one.__name__: partial(translit, table=one) for one in TABLES.ALL_RUSSIAN},
}
OF_UKRAINIAN: dict[str, Spelling] = {
    one.__name__: partial(translit, table=one) for one in TABLES.ALL_UKRAINIAN
}
UNCLEAR = frozenset({"UZ", "MOSMETRO", "UkrainianGerman"})
"""They write one letter for two, or leave out soft signs, so they say nothing more often."""


def pairs(category: str) -> list[Pair]:
    """Ukrainian and Russian forms of one name."""
    entries = default_dicts().as_dict(category)
    every = CATEGORIES[category][1]
    some = islice(entries.items(), 0, None, every)
    return [(one.title(), other) for one, others in some for other in others]


def verdicts(field: StatedField, some: list[Pair]) -> dict[Verdict, list[Pair]]:
    found: dict[Verdict, list[Pair]] = {"agrees": [], "says_nothing": [], "conflicts": []}
    for one, other in some:
        judged = compare(Stated(**{field: one}), Stated(**{field: other}))
        found[judged[field].verdict].append((one, other))
    return found


@pytest.mark.parametrize("category", CATEGORIES)
def test_both_languages_forms_of_a_name_are_not_contradicted(category: str) -> None:
    some = pairs(category)
    found = verdicts(CATEGORIES[category][0], some)
    assert len(some) > 1_500
    assert len(found["conflicts"]) < MOST_CONTRADICTED * len(some), found["conflicts"]
    assert len(found["agrees"]) > 0.95 * len(some)


@pytest.mark.parametrize("system", sorted(OF_RUSSIAN))
def test_a_name_is_recognised_in_every_spelling_of_russian(system: str) -> None:
    assert_recognised(1, OF_RUSSIAN[system], often=system not in UNCLEAR)


@pytest.mark.parametrize("system", sorted(OF_UKRAINIAN))
def test_a_name_is_recognised_in_every_spelling_of_ukrainian(system: str) -> None:
    assert_recognised(0, OF_UKRAINIAN[system], often=system not in UNCLEAR)


def assert_recognised(language: int, spelled: Spelling, *, often: bool) -> None:
    for category, (field, _) in CATEGORIES.items():
        words = [pair[language] for pair in pairs(category)[::25]]
        found = verdicts(field, [(word, spelled(word)) for word in words])
        assert found["conflicts"] == []
        if often:
            assert len(found["agrees"]) >= 0.9 * len(words), found["says_nothing"]


FILE = Path(__file__).parent.parent / "golden" / "name-pairs.csv"
COLUMNS = ("surname", "first", "patronymic")


def rows() -> list[dict[str, str]]:
    with FILE.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


def stated(row: dict[str, str], side: str) -> Stated:
    return Stated(*(row[f"{column}_{side}"] for column in COLUMNS))


KINDS = sorted({row["kind"] for row in rows()})


@pytest.mark.parametrize("kind", KINDS)
def test_every_pair_of_a_kind_is_judged_as_it_should_be(kind: str) -> None:
    for row in rows():
        if row["kind"] == kind:
            one, other = stated(row, "a"), stated(row, "b")
            for judged in (compare(one, other), compare(other, one)):
                found = tuple(judged[field].verdict for field in NAME_FIELDS)
                assert found == tuple(row[column] for column in COLUMNS), row
