"""Nothing personal leaves query but through reveal: every event, through every route and page."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from services.query.masking import entry_shown, erased_in, row_shown
from services.query.models.case_row import CaseRow
from services.query.models.folding import ReadEvent
from shared.events.base import Event
from shared.events.claims import CaseClaimed
from shared.events.fields import personal_fields
from tests import examples as e
from tests.examples import CASE, NOON, CaseBook
from tests.query.asking import OPERATING, WHO, Desk, asked
from tests.query.fixed_keys import FixedKeys, identity_text, sealed_event
from tests.query.stage import MemoryLog, book_with
from tests.rarer_examples import every_event, of_shifts

CANARY = "Kanarienvogel"
SEALED_TOKEN = re.compile(r"1\.[A-Za-z0-9_-]{40,}")
CALLER_KEY = "c" * 64
SHIFT = "SHIFT-0EXAMPLE"


def canary_book(*events: Event) -> CaseBook:
    """A case of these events, or of every one there is; a canary in each personal field."""
    book = CaseBook()
    for version, event in enumerate(events or every_event(), start=1):
        texts = {
            field: identity_text(CANARY) if field == "identity" else f"{CANARY} {field}"
            for field in event.PERSONAL
        }
        if isinstance(event, type(e.case_opened())):
            event = event.model_copy(update={"caller_key": CALLER_KEY})  # noqa: PLW2901
        book.add(sealed_event(event, CASE, version, **texts))
    return book


def test_the_canaries_are_really_there_and_really_sealed() -> None:
    bodies = [body.decode() for _, body in canary_book().stored]
    personal = sum(len(event.PERSONAL) for event in every_event())
    assert personal > 12
    assert sum(len(SEALED_TOKEN.findall(body)) for body in bodies) == personal
    assert CANARY not in "".join(bodies)


async def every_answer(desk: Desk) -> dict[str, str]:
    """Asks every route of the API and every page what it has, in each way there is to ask."""
    answers: dict[str, str] = {}

    async def ask(method: str, path: str, **more: Any) -> None:
        answer = await desk.http.request(method, path, **more)
        answers[f"{method} {path} {more}"] = f"{dict(answer.headers)} {answer.text}"

    described = (await desk.http.get("/openapi.json")).json()
    for path, methods in described["paths"].items():
        filled = path.replace("{case_id}", CASE).replace("{group_id}", CASE)
        filled = filled.replace("{shift_id}", SHIFT)
        if "get" in methods:
            await ask("GET", filled)
        elif "/commands/" in path:
            await ask("POST", filled, json={"case_id": CASE, "text": CANARY})
    for version in range(1, 25):
        await ask("GET", f"/api/cases/{CASE}", params={"as_of_version": version})
        await ask("GET", f"/cases/{CASE}", params={"as_of_version": version})
    for wanted in (
        {"case_number": CASE},
        {"return_code": "000 111 2222"},
        {"caller": {"channel": "phone", "address": f"{CANARY} caller_address"}},
        {"service_number": f"{CANARY} 1"},
        {"name": CANARY, **WHO},
    ):
        await ask("POST", "/api/search", json=wanted)
    for path in ("/", f"/cases/{CASE}", "/openapi.json", "/nowhere"):
        await ask("GET", path)
    await ask("POST", "/search", data={"sought": CASE})
    await ask("GET", f"/api/cases/{CASE}", params={"reveal": "identity"})
    return answers


async def test_no_sealed_value_and_no_plaintext_leaves_by_any_way_but_reveal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log, shift = MemoryLog(), CaseBook(case_id=SHIFT)
    for version, event in enumerate(of_shifts()[:3], start=1):
        text = {"remark": f"{CANARY} remark"} if event.PERSONAL else {}
        shift.add(sealed_event(event, SHIFT, version, **text))
    log.write(canary_book(), shift)
    async with asked(log, tmp_path, FixedKeys()) as desk:
        answers = await every_answer(desk)
        reveal = {**WHO, "classes": ["identity", "location", "narrative"]}
        revealed = (await desk.http.post(f"/api/cases/{CASE}/reveal", json=reveal)).text
        of_shift = (await desk.http.post(f"/api/shifts/{SHIFT}/reveal", json=reveal)).json()
        metrics = (await desk.http.get("/metrics")).text
    assert len(answers) > 60
    for asked_for, answer in answers.items():
        assert CANARY not in answer, asked_for
        assert not SEALED_TOKEN.search(answer), asked_for
        assert CALLER_KEY not in answer, asked_for
    assert revealed.count(CANARY) == sum(len(event.PERSONAL) for event in every_event())
    assert not SEALED_TOKEN.search(revealed)
    assert [one["value"] for one in of_shift["values"]] == [f"{CANARY} remark"]
    assert CANARY not in metrics
    assert "Duress" not in metrics.replace("ClearDuress", "")
    said = capsys.readouterr()
    assert CANARY not in said.out + said.err


async def test_a_name_that_is_found_is_masked_all_the_same(tmp_path: Path) -> None:
    log = MemoryLog.of(canary_book(e.case_opened(), e.personal_data_provided()))
    async with asked(log, tmp_path, FixedKeys()) as desk:
        found = (await desk.http.post("/api/search", json={"name": CANARY, **WHO})).json()
    assert found["items"][0]["suggestion"]["name"] == "sealed"
    assert CANARY not in str(found)


async def test_a_revealed_value_is_not_there_the_next_time(tmp_path: Path) -> None:
    log, keys = MemoryLog(), FixedKeys()
    log.write(canary_book())
    path = f"/api/cases/{CASE}"
    async with asked(log, tmp_path, keys) as desk:
        await desk.http.post(f"{path}/reveal", json={**WHO, "classes": ["identity"]})
        keys.sealed = True
        again = await desk.http.post(f"{path}/reveal", json={**WHO, "classes": ["identity"]})
        shown = await desk.http.get(path)
    assert again.status_code == 503
    assert CANARY not in again.text + shown.text


@pytest.mark.parametrize("event", every_event(), ids=lambda one: type(one).__name__)
def test_every_personal_field_of_every_event_is_masked(event: Event) -> None:
    book = CaseBook()
    envelope = book.add(event)
    shown = entry_shown(_read(envelope), {}, to_supervisor=True)["details"]
    given = {name for name in event.PERSONAL if getattr(event, name) is not None}
    assert {name for name, value in shown.items() if value == "sealed"} == given
    assert personal_fields(type(event)) == event.PERSONAL
    assert not SEALED_TOKEN.search(json.dumps(shown))


@pytest.mark.parametrize("event", every_event(), ids=lambda one: type(one).__name__)
def test_only_supervisors_are_shown_duress_and_why_somebody_is_believed(event: Event) -> None:
    item = _read(CaseBook().add(event))
    to_all, to_supervisor = entry_shown(item, {}), entry_shown(item, {}, to_supervisor=True)
    name = type(event).__name__
    if name in {"DuressSignalled", "DuressCleared", "CredibilityAssessed"}:
        assert (to_all["type_name"], to_all["details"]) == ("Restricted", {})
        assert to_all["actor"] == to_all["causation_id"] == "restricted"
        assert name not in json.dumps(to_all, default=str)
    else:
        assert to_all == to_supervisor
    assert to_supervisor["type_name"] == name
    assert bool(to_supervisor["details"]) == bool(type(event).model_fields)


def test_a_duress_hash_is_shown_to_nobody() -> None:
    issued = e.return_code_issued().model_copy(update={"duress_hash": e.digest("twin")})
    shown = entry_shown(_read(CaseBook().add(issued)), {}, to_supervisor=True)
    assert shown["details"] == {"code_hash": issued.code_hash}


async def test_what_only_supervisors_are_shown_is_opened_for_them_alone(tmp_path: Path) -> None:
    log, keys = MemoryLog(), FixedKeys()
    book = canary_book()
    book.add(CaseClaimed(operator="petro", lease_until=NOON, fence=9, basis="free"))
    log.write(book)
    path, narrative = f"/api/cases/{CASE}", {**WHO, "classes": ["narrative"]}
    async with asked(log, tmp_path, keys) as desk:
        holder = desk.logins.let_in("petro", *OPERATING)
        to_all = await desk.http.post(f"{path}/reveal", json=narrative, headers=holder)
        to_her = await desk.http.post(f"{path}/reveal", json=narrative)
        hidden = (await desk.http.get(path, headers=holder)).text
        shown = (await desk.http.get(path)).text
    for name in ("DuressCleared", "CredibilityAssessed"):
        assert name not in to_all.text
        assert name in to_her.text
    assert "DuressSignalled" in shown
    assert "DuressSignalled" not in hidden
    opened = [one.type_name for access in keys.accesses[:1] for one in access.values]
    assert "DuressCleared" not in opened


def test_what_was_erased_is_shown_as_erased_and_what_came_later_is_not() -> None:
    book = CaseBook()
    first, second = book.add(e.personal_data_provided()), book.add(e.personal_data_provided())
    erased = {"identity": 1}
    assert entry_shown(_read(first), erased)["details"]["identity"] == "erased"  # type: ignore[arg-type]
    assert entry_shown(_read(second), erased)["details"]["identity"] == "sealed"  # type: ignore[arg-type]
    assert erased_in([first, second]) == {}


def test_a_column_that_came_to_hold_a_sealed_value_is_masked() -> None:
    row = CaseRow(CASE, opened_at=NOON, team=e.sealed())
    assert row_shown(row)["team"] == "sealed"
    assert row_shown(row)["case_id"] == CASE


def _read(envelope: Any) -> Any:
    return ReadEvent(envelope.caseversion, NOON, b"", envelope)


async def test_what_was_erased_is_erased_in_the_past_as_well(tmp_path: Path) -> None:
    erased = e.personal_data_erased("identity")
    log = MemoryLog.of(book_with([e.case_opened(), e.personal_data_provided(), erased]))
    async with asked(log, tmp_path) as desk:
        now = (await desk.http.get(f"/api/cases/{CASE}")).json()
        then = (await desk.http.get(f"/api/cases/{CASE}?as_of_version=1")).json()
    assert now["timeline"][0] == then["timeline"][0]
    details = then["timeline"][0]["details"]
    assert (details["caller_address"], details["text"]) == ("erased", "sealed")
