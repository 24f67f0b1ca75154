"""The index of names: quick, and it finds what comparing every name would find."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz import fuzz

from services.query.reads.name_index import (
    ALIKE,
    SAME,
    SUGGESTED_FROM,
    NameIndex,
    is_slip,
    parts_of,
)
from shared.events.fields import Identity
from shared.matching.searching import Signs, is_key, signs_sought

BORN = "1990-02-03"
SURNAMES = ["Взоров", "Vzorow", "Примеренко", "Beispiel", "Іваненко", "Иван"]
FIRST_NAMES = ["Иван", "Ivan", "Олексій", "Алексей", "Петро"]
MEN = st.lists(
    st.tuples(
        st.sampled_from(SURNAMES),
        st.sampled_from(FIRST_NAMES) | st.none(),
        st.sampled_from([BORN, "1991-04-05"]) | st.none(),
    ),
    min_size=1,
    max_size=12,
)
SOUGHT = st.lists(st.sampled_from(SURNAMES + FIRST_NAMES), min_size=1, max_size=3)


def index_of(men: list[tuple[str, str | None, str | None]]) -> NameIndex:
    index = NameIndex()
    for number, (surname, first_names, born) in enumerate(men):
        identity = Identity(surname=surname, first_names=first_names)
        index.add((f"{number}", 2), parts_of(identity), born)
    return index


def likeness(sought: Signs, signs: Signs) -> float:
    if sought & signs:
        return SAME
    scores = [
        (fuzz.ratio(one, other), one, other)
        for one in filter(is_key, sought)
        for other in filter(is_key, signs)
    ]
    return max((s for s, one, other in scores if s >= ALIKE or is_slip(one, other)), default=0.0)


@given(MEN, SOUGHT)
def test_it_finds_whom_comparing_every_name_finds(
    men: list[tuple[str, str | None, str | None]], sought: list[str]
) -> None:
    wanted = signs_sought(" ".join(sought))
    expected = set()
    for number, (surname, first_names, _) in enumerate(men):
        parts = parts_of(Identity(surname=surname, first_names=first_names))
        every = frozenset().union(*parts.values())
        score = sum(likeness(one, every) for one in wanted) / len(wanted)
        by_surname = any(likeness(one, parts["surname"]) for one in wanted)
        if score >= SUGGESTED_FROM and (by_surname or score >= ALIKE):
            expected.add((f"{number}", round(score)))
    found = index_of(men).find(wanted, None, limit=100)
    assert {(one.case_id, one.score) for one in found} == expected
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)


@given(MEN, st.data())
def test_what_is_taken_out_leaves_nothing_behind(
    men: list[tuple[str, str | None, str | None]], data: st.DataObject
) -> None:
    index = index_of(men)
    gone = data.draw(st.sets(st.sampled_from(range(len(men)))))
    for number in gone:
        index.remove((f"{number}", 2))
    left = [man for number, man in enumerate(men) if number not in gone]
    assert len(index) == len(left)
    for part in range(2):
        for man in men:
            name = str(man[part] or "Никто")
            found = index.find(signs_sought(name), None, limit=100)
            assert {int(one.case_id) for one in found}.isdisjoint(gone)


def test_of_men_of_one_name_he_who_was_born_that_day_comes_first() -> None:
    index = index_of(
        [("Взоров", "Иван", "1991-04-05"), ("Взоров", "Иван", None), ("Взоров", "Иван", BORN)]
    )
    found = index.find(signs_sought("Vzorov Ivan"), BORN, limit=3)
    assert [one.case_id for one in found] == ["2", "1", "0"]


def test_a_man_is_suggested_once_however_often_he_gave_his_name() -> None:
    index = NameIndex()
    for version in (2, 5):
        index.add(("case", version), parts_of(Identity(surname="Взоров")), None)
    assert len(index.find(signs_sought("Взоров"), None, limit=3)) == 1
