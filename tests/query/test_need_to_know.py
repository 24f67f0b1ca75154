"""Personal values are for whom the case is: by their role, and by who works on it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from shared.events.claims import CaseClaimed, CaseReleased
from shared.events.fields import PersonalClass
from shared.people.roles import Role
from tests import examples as e
from tests.examples import NOON, CaseBook
from tests.query.asking import WHO, Desk, Man, asked, book_of
from tests.query.fixed_keys import FixedKeys, sealed_event
from tests.query.stage import MemoryLog, books_of
from tests.rarer_examples import of_shifts

pytestmark = pytest.mark.asyncio(loop_scope="module")

CASES = 40
OPERATORS = [f"operator_{number}" for number in range(10)]
NEW, HELD, ARRIVED, ESCALATED, TAKEN_OVER, RELEASED = (f"0EXAMP{n:06}" for n in range(1, 7))
OTHERS = [one.case_id for one in books_of(CASES)][6:]
ALL: tuple[PersonalClass, ...] = ("identity", "location", "narrative")


def claimed(operator: str, fence: int = 1) -> CaseClaimed:
    return CaseClaimed(operator=operator, lease_until=NOON, fence=fence, basis="free")


def books() -> list[CaseBook]:
    more: dict[str, list[Any]] = {
        HELD: [claimed("olena")],
        TAKEN_OVER: [claimed("olena"), claimed("petro", 2)],
        RELEASED: [claimed("olena"), CaseReleased(operator="olena", fence=1, reason="done")],
        ESCALATED: [e.verification_escalated()],
        ARRIVED: [e.arrived_in_ukraine()],
    }
    found = []
    for empty in books_of(CASES):
        man = Man("Vzorov", phone="+380440000001", number=None)
        book = book_of(empty.case_id, man)
        for event in more.get(book.case_id, []):
            version = book.version + 1
            texts = dict.fromkeys(event.PERSONAL, "a secret")
            book.add(sealed_event(event, book.case_id, version, **texts))
        found.append(book)
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    folder = tmp_path_factory.mktemp("need")
    async with asked(MemoryLog.of(*books()), folder, FixedKeys()) as made:
        yield made


async def seen(
    desk: Desk, account: str, role: Role, case_id: str, *classes: PersonalClass
) -> tuple[int, str, int]:
    """Status, kind of problem, and how many values."""
    body = {**WHO, "classes": classes or ("identity",)}
    headers = desk.logins.let_in(account, role)
    answer = await desk.http.post(f"/api/cases/{case_id}/reveal", json=body, headers=headers)
    said = answer.json()
    return answer.status_code, said.get("type", "").rpartition(":")[2], len(said.get("values", ()))


async def test_ten_operators_see_no_field_of_any_case_that_is_not_theirs(desk: Desk) -> None:
    opened = desk.context.keys.accesses  # type: ignore[attr-defined]
    before = len(opened)
    for operator in OPERATORS:
        for case_id in (NEW, HELD, *OTHERS):
            found = await seen(desk, operator, "operator", case_id, *ALL)
            assert found == (403, "not-your-case", 0)
    assert len(opened) == before


async def test_whoever_works_on_a_case_sees_its_values(desk: Desk) -> None:
    status, _, values = await seen(desk, "olena", "operator", HELD, *ALL)
    assert (status, values > 0) == (200, True)


@pytest.mark.parametrize("case_id", [TAKEN_OVER, RELEASED])
async def test_whose_case_it_was_sees_them_no_longer(desk: Desk, case_id: str) -> None:
    assert (await seen(desk, "olena", "operator", case_id))[:2] == (403, "not-your-case")


@pytest.mark.parametrize(
    ("role", "case_id", "classes", "expected"),
    [
        ("verifier", ESCALATED, ("identity", "narrative"), (200, "")),
        ("verifier", ESCALATED, ("location",), (403, "not-your-values")),
        ("verifier", RELEASED, ("identity",), (200, "")),  # His identity is yet to be decided.
        ("coordinator", NEW, ("identity",), (403, "not-your-case")),
        ("coordinator", ARRIVED, ("identity", "location"), (200, "")),
        ("coordinator", ARRIVED, ("narrative",), (403, "not-your-values")),
        ("supervisor", NEW, ALL, (200, "")),
        ("auditor", HELD, ("identity",), (403, "not-your-role")),
        ("integration", HELD, ("identity",), (403, "not-your-role")),
    ],
)
async def test_each_role_sees_what_it_has_to_do_with(
    desk: Desk,
    role: Role,
    case_id: str,
    classes: tuple[PersonalClass, ...],
    expected: tuple[int, str],
) -> None:
    assert (await seen(desk, "taras", role, case_id, *classes))[:2] == expected


async def test_a_single_field_is_judged_by_its_class(desk: Desk) -> None:
    body = {**WHO, "fields": [{"version": 3, "field": "place"}]}
    for role, status in (("verifier", 403), ("coordinator", 200)):
        headers = desk.logins.let_in("taras", role)  # type: ignore[arg-type]
        answer = await desk.http.post(f"/api/cases/{ARRIVED}/reveal", json=body, headers=headers)
        assert answer.status_code == status, role


@pytest.mark.parametrize(
    ("role", "wanted", "status"),
    [
        ("operator", {"case_id": HELD}, 200),
        ("operator", {"case_id": NEW}, 403),
        ("operator", {"surname": "Vzorov"}, 403),
        ("verifier", {"surname": "Vzorov"}, 200),
    ],
)
async def test_reasons_that_hold_values_are_for_whom_they_may_be(
    desk: Desk, role: Role, wanted: dict[str, str], status: int
) -> None:
    headers = desk.logins.let_in("olena", role)
    body = {**WHO, **wanted, "reveal": True}
    answer = await desk.http.post("/api/candidates", json=body, headers=headers)
    without = {**body, "reveal": False}
    masked = await desk.http.post("/api/candidates", json=without, headers=headers)
    assert (answer.status_code, masked.status_code) == (status, 200)


async def test_reasons_of_ones_own_case_hold_no_value_of_anothers(desk: Desk) -> None:
    """All men here have one name: whoever asks about their own is compared with the others."""
    reasons, opened = {}, desk.context.keys.accesses  # type: ignore[attr-defined]
    for account, role in (("olena", "operator"), ("vira", "verifier")):
        headers = desk.logins.let_in(account, role)  # type: ignore[arg-type]
        body = {**WHO, "case_id": HELD, "reveal": True}
        before = len(opened)
        answer = await desk.http.post("/api/candidates", json=body, headers=headers)
        found = answer.json()["items"]
        assert found
        reasons[account] = [why["reason"] for one in found for why in one["verdicts"]]
        shown = [one for one in opened[before:] if one.use == "shown"]
        cases = {value.case_id for one in shown for value in one.values}
        assert (cases == {HELD}) == (account == "olena")
    assert not any(reasons["olena"])
    assert any(reasons["vira"])


async def test_the_remarks_of_a_shift_are_for_its_people_and_those_who_follow(
    tmp_path: Path,
) -> None:
    shift = CaseBook(case_id="SHIFT-night")
    for version, event in enumerate(of_shifts()[:2], start=1):
        names = {"operators": ("olena", "petro")} if version == 1 else {"to": ("ivan",)}
        text = {"remark": "a secret"} if event.PERSONAL else {}
        named = event.model_copy(update=names)
        shift.add(sealed_event(named, shift.case_id, version, **text))
    async with asked(MemoryLog.of(shift), tmp_path, FixedKeys()) as desk:
        body = {**WHO, "classes": ["narrative"]}
        found = {}
        for account, role in (("petro", "operator"), ("ivan", "operator"), ("maria", "operator")):
            headers = desk.logins.let_in(account, role)  # type: ignore[arg-type]
            path = f"/api/shifts/{shift.case_id}/reveal"
            found[account] = (await desk.http.post(path, json=body, headers=headers)).status_code
    assert found == {"petro": 200, "ivan": 200, "maria": 403}
