"""An index that leads nowhere parks the call that needs it, and holds up no other."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from shared.commands.intake import CloseCase
from tests.wire.conftest import Site


async def closed_case(site: Site, address: str) -> str:
    await site.call(address)
    case_id = (await site.next_event("CaseOpened")).subject
    await site.record(CloseCase, case_id, reason="withdrew")
    return case_id


async def follow(site: Site, *case_ids: str) -> None:
    """Has the index say that each of these cases goes on in the next."""
    for one, following in pairwise(case_ids):
        entry = json.dumps({"case_id": following}).encode()
        await site.jetstream.publish(f"$KV.INDEX.next.{one}", entry)


async def test_episodes_that_come_back_to_their_case_park_the_call_and_no_more(
    intake: Site,
) -> None:
    first = await closed_case(intake, "+380440000001")
    other = await closed_case(intake, "+380440000002")
    await follow(intake, first, other, first)
    await intake.call("+380440000001")
    (parked,) = await intake.parked()
    await intake.call("+380440000003")
    assert (await intake.next_event("CaseOpened")).type_name == "CaseOpened"
    assert (parked.reason, parked.field) == ("failed", "index")


async def test_more_episodes_than_a_man_has_park_the_call(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.intake.routing.EPISODES_MAX", 2)
    async with site.service("intake"):
        cases = [await closed_case(site, f"+38044000000{number}") for number in range(1, 4)]
        await follow(site, *cases)
        await site.call("+380440000001")
        (parked,) = await site.parked()
    assert (parked.reason, parked.field) == ("failed", "index")


async def test_an_entry_that_was_deleted_parks_the_call_that_needs_it(intake: Site) -> None:
    await intake.jetstream.publish("$KV.INDEX.call.phone.call-1", b"")
    await intake.call("+380440000001", call_id="call-1")
    (parked,) = await intake.parked()
    assert (parked.reason, parked.field) == ("failed", "index")
