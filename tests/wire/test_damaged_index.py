"""An index that leads nowhere parks the call that needs it, and holds up no other."""

from __future__ import annotations

import json

import pytest

from tests.wire.conftest import Site

pytestmark = pytest.mark.wire


async def test_episodes_that_come_back_to_their_case_park_the_call_and_no_more(site: Site) -> None:
    async with site.service("intake"):
        await site.call("+380440000001")
        case_id = (await site.next_event()).subject
        for one, following in ((case_id, "0EXAMP000002"), ("0EXAMP000002", case_id)):
            entry = json.dumps({"case_id": following}).encode()
            await site.jetstream.publish(f"$KV.INDEX.next.{one}", entry)
        await site.call("+380440000001")
        (parked,) = await site.parked()
        await site.call("+380440000002")
        assert (await site.next_event()).type_name == "CaseOpened"
    assert (parked.reason, parked.field) == ("failed", "index")


async def test_more_episodes_than_a_man_has_park_the_call(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.intake.routing.EPISODES_MAX", 2)
    async with site.service("intake"):
        await site.call("+380440000001")
        case_id = (await site.next_event()).subject
        for one, following in ((case_id, "0A"), ("0A", "0B"), ("0B", "0C")):
            entry = json.dumps({"case_id": following}).encode()
            await site.jetstream.publish(f"$KV.INDEX.next.{one}", entry)
        await site.call("+380440000001")
        (parked,) = await site.parked()
    assert (parked.reason, parked.field) == ("failed", "index")


async def test_an_entry_that_was_deleted_parks_the_call_that_needs_it(site: Site) -> None:
    async with site.service("intake"):
        await site.jetstream.publish("$KV.INDEX.call.phone.call-1", b"")
        await site.call("+380440000001", call_id="call-1")
        (parked,) = await site.parked()
    assert (parked.reason, parked.field) == ("failed", "index")
