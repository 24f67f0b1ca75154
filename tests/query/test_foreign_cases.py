"""Ten operators, every route, and the numbers of others' cases: no value that isn't theirs.

The key holder's rules are the real ones: what it opened, and what it had recorded before that.
"""

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
import pytest_asyncio

from services.keyholder.budgets import FIRST_SHARE, Budgets
from shared.events.claims import CaseClaimed
from shared.people.roles import VIEWS, Role, may
from shared.people.state import PersonState
from tests.examples import NOON, CaseBook
from tests.query.asking import WHO, Desk, Man, asked, book_of, client_of
from tests.query.kept_keys import Audit, kept_keys
from tests.query.stage import MemoryLog, books_of
from tests.rarer_examples import signature

pytestmark = pytest.mark.asyncio(loop_scope="module")

OPERATORS = [f"operator_{number}" for number in range(10)]
CASES = 60
CASES_AN_HOUR = 80
READS_MANY = 20
ALL = ["identity", "location", "narrative"]
NAME = re.compile(r"\{\w+\}")
FILLED = {"group_id": "GROUP-1", "shift_id": "SHIFT-1", "export_id": "EXPORT-1"} | {
    "decision_id": "DECISION-1",
    "account": "olena",
    "session": "0" * 64,
    "sequence": "1",
}
ROLES: dict[str, Role] = {"vira": "verifier", "elm": "supervisor"}
A_SIGNATURE = signature("olena").model_dump(mode="json", exclude_none=True)
CASE_IDS = [one.case_id for one in books_of(CASES)]
OWN = dict(zip(OPERATORS, CASE_IDS, strict=False))
"""Each operator has claimed one case; nobody works on the others."""


def surname(case_id: str) -> str:
    return f"Vzorov{case_id[-6:]}"


def books() -> Iterator[CaseBook]:
    holders = {case_id: operator for operator, case_id in OWN.items()}
    for case_id in CASE_IDS:
        number = case_id[-6:]
        book = book_of(case_id, Man(surname(case_id), born="1990-05-17", phone=f"+380{number}77"))
        if case_id in holders:
            claim = CaseClaimed(operator=holders[case_id], lease_until=NOON, fence=1, basis="free")
            book.add(claim)
        yield book


def person(account: str) -> PersonState:
    role = ROLES.get(account, "operator")
    return PersonState(account=account, roles=frozenset({role}))


@dataclass
class House:
    desk: Desk
    audit: Audit

    async def ask(self, act: str, account: str, case_id: str) -> httpx.Response:
        """As a script would that knows the number: with it in the path and in the body."""
        method, path = act.split(" ")
        for name, value in {**FILLED, "case_id": case_id}.items():
            path = path.replace(f"{{{name}}}", value)
        headers = self.desk.logins.let_in(account, *person(account).roles)
        body = bodies(case_id).get(act)
        return await self.desk.http.request(method, path, headers=headers, json=body)

    async def reveal(self, account: str, case_id: str) -> httpx.Response:
        headers = self.desk.logins.let_in(account, *person(account).roles)
        body = {**WHO, "classes": ["identity", "narrative"]}
        return await self.desk.http.post(f"/api/cases/{case_id}/reveal", json=body, headers=headers)

    def shown(self, account: str) -> set[str]:
        """The cases of which the record says that this person was shown values."""
        records = [one for one in self.audit.records if one.by == account and one.use == "shown"]
        return {case for one in records if not one.is_search for case in one.case_ids}


def bodies(case_id: str) -> dict[str, Any]:
    return {
        "POST /api/cases/{case_id}/reveal": {**WHO, "classes": ALL},
        "POST /api/shifts/{shift_id}/reveal": {**WHO, "classes": ALL},
        "POST /api/people/{account}/reveal": {**WHO, "classes": ALL},
        "POST /api/candidates": {**WHO, "case_id": case_id, "reveal": True},
        "POST /api/search": {**WHO, "case_number": case_id},
        "POST /api/decisions/{decision_id}/agree": {"signature": A_SIGNATURE},
        "POST /api/signing": {
            "command": "ErasePersonalData",
            "body": {"case_id": case_id, "seen_version": 2, "legal_basis": "court_order"},
        },
        "POST /api/me/authenticator": {"totp_secret": "A" * 32},
    }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    folder, audit = tmp_path_factory.mktemp("foreign"), Audit()
    an_hour = {"searches": 10_000, "hashes": 100_000, "cases": CASES_AN_HOUR, "values": 10_000}
    keys = kept_keys(audit, Budgets(an_hour, 60), person, folder)  # type: ignore[arg-type]
    log = MemoryLog.of(*books())
    async with asked(log, folder, keys, accesses=audit.of_case) as made:
        settings = made.context.settings.model_copy(update={"reads_many_cases": READS_MANY})
        context = replace(made.context, settings=settings, newest_accesses=audit.newest)
        async with client_of(context) as http:
            yield House(replace(made, http=http, context=context), audit)


@pytest.mark.wide
@pytest.mark.parametrize("act", VIEWS)
async def test_no_route_shows_ten_operators_a_value_of_a_case_that_is_not_theirs(
    house: House, act: str
) -> None:
    before = len(house.audit.records)
    for number, operator in enumerate(OPERATORS):
        for case_id in (OWN[OPERATORS[number - 1]], CASE_IDS[-1 - number]):
            answer = await house.ask(act, operator, case_id)
            assert surname(case_id) not in answer.text
            assert f"+380{case_id[-6:]}77" not in answer.text
            assert "1990-05-17" not in answer.text
            if may(["operator"], act):
                assert answer.status_code not in {401, 422}, answer.text
            else:
                assert answer.status_code == 403
    opened = [one for one in house.audit.records[before:] if one.use == "shown" and one.values]
    assert opened == []


async def test_each_operator_sees_the_values_of_their_own_case(house: House) -> None:
    for operator, case_id in OWN.items():
        answer = await house.reveal(operator, case_id)
        assert surname(case_id) in answer.text
        assert house.shown(operator) == {case_id}


async def test_nothing_is_opened_before_the_record_says_who_and_what_for(house: House) -> None:
    operator, case_id = next(iter(OWN.items()))
    assert (await house.reveal(operator, case_id)).status_code == 200
    for recorded_before, values in house.audit.opened:
        assert recorded_before > 0
        record = house.audit.records[recorded_before - 1]
        assert {one.case_id for one in values} == set(record.case_ids)
    before = len(house.audit.opened)
    with house.audit.away():
        answer = await house.reveal(operator, case_id)
    assert answer.status_code == 503
    assert surname(case_id) not in answer.text
    assert len(house.audit.opened) == before


async def test_a_script_that_reads_case_after_case_is_stopped_and_a_supervisor_sees_it(
    house: House,
) -> None:
    """A verifier's: every identity that is yet to be decided is theirs to know."""
    answers = [await house.reveal("vira", case_id) for case_id in CASE_IDS]
    allowed = int(CASES_AN_HOUR * FIRST_SHARE)
    assert [one.status_code for one in answers] == [200] * allowed + [429] * (CASES - allowed)
    assert answers[-1].json()["retry_after_s"] > 0
    assert all(
        surname(one) in answer.text
        for one, answer in zip(CASE_IDS[:allowed], answers, strict=False)
    )
    assert not any("Vzorov" in answer.text for answer in answers[allowed:])
    assert house.shown("vira") == set(CASE_IDS[:allowed])
    alarms = await house.ask("GET /api/alarms", "elm", CASE_IDS[0])
    [seen] = [one for one in alarms.json()["reading"] if one["by"] == "vira"]
    assert seen["cases"] == allowed
    # Nobody else's work ends with it.
    assert (await house.reveal(OPERATORS[0], OWN[OPERATORS[0]])).status_code == 200
