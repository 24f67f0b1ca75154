"""`passage case show --reveal`: opened values stand where masked ones did, for a named person."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from passage.api import Api
from passage.cli.case import _show, find_verb, show_verb
from passage.exits import Exit, VerbEndedError
from passage.own_keys import AsPerson, OwnKeys, made_key
from passage.running import Running
from tests import examples as e
from tests.examples import CASE, CaseBook
from tests.query.asking import WHO, asked
from tests.query.fixed_keys import FixedKeys, identity_text, sealed_event
from tests.query.stage import MemoryLog

WANTED = {"purpose": "caller_on_the_line", "classes": ["identity"]}
OLENA = AsPerson(OwnKeys(Path("nowhere")), made_key("olena", "http://localhost"))


def log_of_one() -> MemoryLog:
    log, book = MemoryLog(), CaseBook()
    book.add(sealed_event(e.case_opened(), CASE, 1, caller_address="+380 00", text="hello"))
    for version, surname in ((2, "Vzorov"), (3, "Primerenko")):
        text = identity_text(surname)
        book.add(sealed_event(e.personal_data_provided(), CASE, version, identity=text))
    log.write(book)
    return log


async def test_revealed_values_stand_where_masked_ones_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = FixedKeys()
    async with asked(log_of_one(), tmp_path, keys) as desk:

        @asynccontextmanager
        async def api_of(_: Running, __: AsPerson) -> AsyncIterator[Api]:
            yield Api(desk.http)

        monkeypatch.setattr("passage.cli.case.api_of", api_of)
        masked = await _show(Running.bare(), OLENA, CASE, {}, None)
        early = await _show(Running.bare(), OLENA, CASE, {"as_of_version": 2}, WANTED)
        keys.erased.add((CASE, "identity"))
        erased = await _show(Running.bare(), OLENA, CASE, {}, WANTED)
        keys.sealed = True
        with pytest.raises(VerbEndedError) as ended:
            await _show(Running.bare(), OLENA, CASE, {}, WANTED)
    details = [one["details"] for one in early["timeline"]]
    assert masked["timeline"][1]["details"]["identity"] == "sealed"
    assert [one.get("identity") for one in details] == [None, {"surname": "Vzorov"}]
    assert (details[0]["caller_address"], details[0]["text"]) == ("+380 00", "sealed")
    assert erased["timeline"][2]["details"]["identity"] == "erased"
    assert ended.value.code == Exit.UNAVAILABLE
    assert "passage keys unseal" in str(ended.value)
    assert [len(one.values) for one in keys.accesses] == [2, 3]


def test_a_version_that_is_yet_to_come_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def shown(*_: object) -> dict[str, Any]:
        return {"case": {"case_id": CASE, "version": 4}, "timeline": []}

    monkeypatch.setattr("passage.cli.case._show", shown)
    monkeypatch.setattr("passage.cli.case.find_running", lambda _: SimpleNamespace(http=""))
    monkeypatch.setattr("passage.cli.case.as_person", lambda *_: OLENA)
    show_verb(CASE, as_of=999)
    assert "the case has no version 999 yet; this is version 4" in capsys.readouterr().err


@pytest.mark.parametrize(("classes", "purpose"), [("identity", None), (",", "verifying")])
def test_nothing_is_revealed_for_nothing(classes: str, purpose: str | None) -> None:
    with pytest.raises(VerbEndedError) as ended:
        show_verb(CASE, reveal=classes, purpose=purpose)
    assert ended.value.code == Exit.USAGE


@pytest.mark.parametrize(
    ("given", "sent_body"),
    [
        ({"number": CASE}, {"case_number": CASE}),
        ({"code": "000 111 2222", **WHO}, {"return_code": "000 111 2222", **WHO}),
        ({"service_number": "AB1", **WHO}, {"service_number": "AB1", **WHO}),
        ({"name": "Vzorov", **WHO}, {"name": "Vzorov", **WHO}),
        (
            {"caller": "phone:+380 44", **WHO},
            {"caller": {"channel": "phone", "address": "+380 44"}, **WHO},
        ),
    ],
)
def test_a_search_is_sent_for_the_person_who_makes_it(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], sent_body: dict[str, Any]
) -> None:
    bodies: list[dict[str, Any]] = []

    async def found(_: str, who: AsPerson, wanted: dict[str, Any]) -> dict[str, Any]:
        bodies.append(wanted)
        assert who is OLENA
        return {"items": [{"case_id": CASE, "suggestion": {"score": 90, "agrees": ["surname"]}}]}

    monkeypatch.setattr("passage.cli.case._found", found)
    monkeypatch.setattr("passage.cli.case.find_running", lambda _: SimpleNamespace(http=""))
    monkeypatch.setattr("passage.cli.case.as_person", lambda *_: OLENA)
    find_verb(**given)
    assert bodies == [sent_body]


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"number": CASE, "code": "1"},
        {"code": "1"},
        {"name": "Vzorov"},
        {"service_number": "AB1", "remark": "he is on the line"},
        {"caller": "+380 44", **WHO},
        {"caller": "phone:", **WHO},
    ],
)
def test_a_search_by_nothing_or_for_nothing_is_not_sent(given: dict[str, Any]) -> None:
    with pytest.raises(VerbEndedError) as ended:
        find_verb(**given)
    assert ended.value.code == Exit.USAGE
