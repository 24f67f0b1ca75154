"""A supervisor makes a case of a parked message, or sets it aside; both are recorded first."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from passage.parked import clear, parked_in
from shared import subjects
from shared.commands.base import Recorded, Refused
from shared.commands.parked import SetParkedAside, TakeUpParked
from shared.keys.access import AccessRecord
from shared.keys.messages import SealedValue
from shared.parked.messages import still_waiting
from tests.asking import OLENA
from tests.wire.conftest import Site

NO_CALL = "tell them: I am at the mill, хочу жить".encode()
WHY = "what is it"


async def parked_one(site: Site, body: bytes = NO_CALL) -> dict[str, Any]:
    """Parks a message, and what a command says to mean it."""
    await site.jetstream.publish("calls.telegram", body)
    (one,) = await site.parked()
    return {"case_id": one.parked_id, "parked_sequence": 1, "purpose": WHY}


async def accesses(site: Site, parked_id: str) -> list[tuple[str, str, str]]:
    last = await site.jetstream.get_last_msg(subjects.AUDIT, subjects.audit(parked_id))
    record = AccessRecord.model_validate_json(last.data or b"")
    return [(record.by, one.field, record.purpose) for one in record.values]


async def ask(site: Site, command: Any, by: str = OLENA, **fields: Any) -> Any:
    return await site.ask(command, by=by, **fields)


async def test_a_case_is_made_of_what_could_not_be_read_once(intake: Site) -> None:
    meant = await parked_one(intake)
    first = await ask(intake, TakeUpParked, **meant)
    again = await ask(intake, TakeUpParked, by="taras", **meant)
    opened = await intake.next_event("CaseOpened")
    assert isinstance(first, Recorded)
    assert (again.result, again.case_id) == ("ignored", first.case_id)
    assert (opened.subject, opened.actor) == (first.case_id, f"operator:{OLENA}")
    assert (opened.data.channel, opened.data.changed) == ("telegram", ("taken_up",))
    values = [SealedValue.of(opened, name) for name in ("text", "as_received")]
    keys = intake.keys_of("query")
    text, original = await asyncio.to_thread(keys.open, values, OLENA, WHY)
    assert (text.text, json.loads(original.text or "")) == (
        NO_CALL.decode(),
        {"message": NO_CALL.decode()},
    )
    assert (await accesses(intake, meant["case_id"]))[0][1:] == ("taken_up", WHY)


async def test_what_was_set_aside_waits_no_more_and_who_and_why_stays(intake: Site) -> None:
    meant = await parked_one(intake)
    assert len(still_waiting(*await parked_in(intake.client))) == 1
    answer = await ask(intake, SetParkedAside, **meant)
    assert answer.result == "recorded"
    messages, notes = await parked_in(intake.client)
    assert (len(messages), still_waiting(messages, notes)) == (1, [])
    assert await clear(intake.client) == 1
    info = await intake.jetstream.stream_info(subjects.PARKED)
    assert info.state.messages == 0
    assert await accesses(intake, meant["case_id"]) == [(OLENA, "set_aside", WHY)]


async def test_only_what_is_parked_and_only_a_supervisor(site: Site) -> None:
    site.settings = site.settings.model_copy(update={"supervisors": "Taras Example"})
    async with site.service("intake"):
        meant = await parked_one(site)
        by_another = await ask(site, TakeUpParked, **meant)
        elsewhere = await ask(
            site, SetParkedAside, by="Taras Example", **{**meant, "parked_sequence": 9}
        )
        another = await ask(
            site, SetParkedAside, by="Taras Example", **{**meant, "case_id": "f" * 32}
        )
    assert isinstance(by_another, Refused)
    assert isinstance(elsewhere, Refused)
    assert [one.guard for one in (by_another, elsewhere, another)] == [
        *("left_to_supervisors", "parked_there", "parked_there"),
    ]
    assert (await site.jetstream.stream_info(subjects.CASES)).state.messages == 0
