"""What comparing a caller with a candidate comes to, field by field, and who is told why."""

from pathlib import Path

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
from tests.query.asking import PHONE, Man, asked, book_of, log_of, statement, who
from tests.query.fixed_keys import FixedKeys
from tests.query.stage import MemoryLog, books_of

BY_PHONE = {"caller": {"channel": "phone", "address": "044 000 00 01"}}


async def test_what_says_too_little_is_neither_for_him_nor_against_him(tmp_path: Path) -> None:
    man = Man("Взоров", "Юрий", "1990", number="АВ-000123", phone=PHONE)
    told = {
        "surname": "Взроов",
        "first_names": "Егор",
        "date_of_birth": "1990-02-04",
        "service_number": "АВ-000124",
    }
    async with asked(log_of(man), tmp_path) as desk:
        (found,) = await who(desk, **told, **BY_PHONE)
    assert (found["agrees"], found["conflicts"]) == (["caller"], [])
    assert found["says_nothing"] == ["service_number", "surname", "first_names", "date_of_birth"]
    assert "Says too little: service number, surname" in found["reason"]


async def test_reasons_hold_values_and_are_given_only_where_that_is_asked(tmp_path: Path) -> None:
    man = Man("Взоров", "Олексій", phone=PHONE)
    keys = FixedKeys()
    async with asked(log_of(man), tmp_path, keys) as desk:
        wanted = {"surname": "Vzorov", "first_names": "Петро", **BY_PHONE}
        (masked,) = await who(desk, **wanted)
        unseen = [one.use for one in keys.accesses]
        (shown,) = await who(desk, **wanted, reveal=True)
    verdicts = {one["field"]: (one["verdict"], one["reason"]) for one in shown["verdicts"]}
    assert verdicts["surname"] == ("agrees", "Vzorov = Взоров")
    assert verdicts["first_names"] == ("conflicts", "Петро, Олексій: two given names")
    assert {one["reason"] for one in masked["verdicts"]} == {None}
    assert "shown" not in unseen
    assert [one.use for one in keys.accesses[len(unseen) :]] == ["compared", "shown"]


async def test_of_several_statements_the_one_that_speaks_for_him_counts(tmp_path: Path) -> None:
    log, (empty,) = MemoryLog(), books_of(1)
    book = book_of(empty.case_id, Man("Примерный", "Иван", phone=PHONE))
    book.add(statement(book.case_id, 3, Man("Взроов", "Иван")))
    log.write(book)
    async with asked(log, tmp_path) as desk:
        (found,) = await who(desk, surname="Взоров", first_names="Олег", **BY_PHONE)
    assert (found["says_nothing"], found["conflicts"]) == (["surname"], ["first_names"])


async def test_why_a_case_is_like_another_shows_both(tmp_path: Path) -> None:
    keys = FixedKeys()
    men = [Man("Взоров", "Юрий", phone=PHONE), Man("Vzorov", "Егор", phone=PHONE)]
    async with asked(log_of(*men), tmp_path, keys) as desk:
        (found,) = await who(desk, case_id="0EXAMP000001", reveal=True)
    reasons = {one["field"]: one["reason"] for one in found["verdicts"]}
    assert "Юрий, Егор" in reasons["first_names"]
    (shown,) = [one for one in keys.accesses if one.use == "shown"]
    assert {value.case_id[-1] for value in shown.values} == {"1", "2"}


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
