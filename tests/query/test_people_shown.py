"""What supervisors see of people: the list, one of them, and alarms of refused logins."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.query.api.boards import LOGIN_ALARMS_FOR, login_alarms
from services.query.api.people import PEOPLE_MAX
from shared.events.people import AttemptsRefused, PersonAdded, PersonSuspended
from shared.people.sessions import hash_of
from shared.people.state import Moment, Token
from tests import examples as e
from tests.examples import NOON, CaseBook
from tests.query.asking import asked
from tests.query.at_the_door import cookie_of, standing
from tests.query.fixed_keys import FixedKeys, sealed_event
from tests.query.stage import MemoryLog
from tests.rarer_examples import of_decisions, of_people
from tests.soft_passkeys import SoftPasskey


def _log() -> MemoryLog:
    nobody, olena = CaseBook(case_id="PERSON-nobody"), CaseBook(case_id="PERSON-olena")
    nobody.add(AttemptsRefused(kind="token", why="unknown", count=4))
    olena.add_all(of_people()[:7])
    return MemoryLog.of(nobody, olena)


async def test_the_list_has_everybody_and_the_attempts_that_named_nobody(tmp_path: Path) -> None:
    async with asked(_log(), tmp_path) as desk:
        listed = (await desk.http.get("/api/people")).json()["items"]
        page = (await desk.http.get("/supervise/people")).text
    nobody, olena = listed
    assert (nobody["account"], nobody["name"]) == ("nobody", None)
    assert nobody["refused"] == [{"kind": "token", "why": "unknown", "count": 4}]
    assert (olena["account"], olena["roles"], olena["keys"]) == ("olena", ["supervisor"], 1)
    assert "token unknown 4" in page
    assert "Olena Example" in page


async def test_of_too_many_people_and_decisions_the_first_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.query.pages.people.PEOPLE_SHOWN_MAX", 1)
    monkeypatch.setattr("services.query.pages.rendering.DECISIONS_SHOWN_MAX", 1)
    log = _log()
    for number in range(2):
        decision = CaseBook(case_id=f"DECISION-{number}")
        decision.add(of_decisions()[0])
        log.write(decision)
    async with asked(log, tmp_path) as desk:
        page = (await desk.http.get("/supervise/people")).text
        too_many = await desk.http.get(f"/api/people?limit={PEOPLE_MAX + 1}")
    assert "Olena Example" not in page
    assert (page.count("Look at it"), page.count("DECISION-0")) == (1, 1)
    assert too_many.status_code == 422


async def test_refused_attempts_and_logins_without_a_key_are_alarms_for_a_day(
    tmp_path: Path,
) -> None:
    async with asked(_log(), tmp_path) as desk:
        generations = desk.context.generations
        now = login_alarms(generations, NOON + timedelta(minutes=1))
        later = login_alarms(generations, NOON + LOGIN_ALARMS_FOR + timedelta(minutes=1))
    assert [one.account for one in now] == ["nobody", "olena"]
    assert now[0].refused[0].count == 4
    assert now[1].without_key_at is not None
    assert later == []


async def test_one_person_is_shown_with_keys_and_a_machine_with_tokens(tmp_path: Path) -> None:
    async with standing(tmp_path) as door:
        door.people.add("danylo", "supervisor")
        door.people.register(SoftPasskey("olena"))
        door.people.add("sums", "integration")
        token = Token(hash_of("x"), "figures", datetime.now(UTC), Moment(3, datetime.now(UTC)))
        door.people.change("sums", is_machine=True, tokens={token.token_hash: token})
        passkey = SoftPasskey("danylo")
        door.people.register(passkey)
        cookie = cookie_of(await door.by_passkey(passkey))
        get = door.desk.http.get
        olena = (await get("/api/people/olena", headers=cookie)).json()
        sums = (await get("/api/people/sums", headers=cookie)).json()
        missing = await get("/api/people/petro", headers=cookie)
        pages = {
            one: await get(f"/supervise/people/{one}", headers=cookie)
            for one in ("olena", "sums", "petro")
        }
    assert [one["label"] for one in olena["keys"]] == ["at the desk"]
    assert ([one["label"] for one in sums["tokens"]], sums["is_machine"]) == (["figures"], True)
    assert missing.status_code == 404
    assert [one.status_code for one in pages.values()] == [200, 200, 404]
    assert "Offer a link" in pages["olena"].text
    assert "Issue a token" in pages["sums"].text


async def test_a_supervisor_has_opened_why_somebody_was_suspended(tmp_path: Path) -> None:
    log, keys = MemoryLog(), FixedKeys()
    olena, ivan = CaseBook(case_id="PERSON-olena"), CaseBook(case_id="PERSON-ivan")
    ivan.add(PersonAdded(name="Ivan Example", by="olena"))
    suspended = PersonSuspended(reason=e.sealed(), by="olena")
    ivan.add(sealed_event(suspended, "PERSON-ivan", 2, reason="his key was found in the street"))
    olena.add_all(of_people()[:7])
    log.write(olena, ivan)
    why = {"purpose": "oversight", "remark": "asked by him", "classes": ["narrative"]}
    async with asked(log, tmp_path, keys) as desk:
        shown = await desk.http.post("/api/people/ivan/reveal", json=why)
        # Never opened: what she proves herself with.
        own = await desk.http.post("/api/people/olena/reveal", json=why)
        operator = desk.logins.let_in("petro", "operator")
        other = await desk.http.post("/api/people/ivan/reveal", json=why, headers=operator)
    [value] = shown.json()["values"]
    assert (value["type_name"], value["value"]) == (
        "PersonSuspended",
        "his key was found in the street",
    )
    assert (own.json()["values"], other.status_code) == ([], 403)
    [access] = keys.accesses
    assert (access.by, access.purpose) == ("olena", "oversight: asked by him")
