"""Erasure through real services: asked while he is guided, and his places after handover."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

from services.intake.deadlines import LOCATION_RETENTION
from shared.bus.timers import Timer, Timers
from shared.commands.base import Ignored, Refused, Unavailable
from shared.commands.handover import RecordMissed
from shared.commands.intake import ErasePersonalData, ProvidePersonalData
from tests.wire.conftest import Site
from tests.wire.test_lifecycle import HIM, guided, hand_over, verified

SERVICES = ("intake", "verification", "handover")
REQUEST = {"legal_basis": "request_of_person", "reference": "letter 17"}


async def test_a_missed_rendezvous_lets_the_erasure_through(all_services: Site) -> None:
    case_id, meeting = await guided(all_services)
    await all_services.record(ErasePersonalData, case_id, **REQUEST)
    await all_services.record(
        RecordMissed, case_id, rendezvous_id=meeting, who="caller", reason="did not come"
    )
    erased = await all_services.next_event("PersonalDataErased")
    assert erased.data.classes == ("identity", "location", "narrative")
    assert erased.actor == "service:intake"


async def test_a_verified_man_is_erased_once_and_what_he_gives_later_again(
    all_services: Site,
) -> None:  # E18
    case_id, _ = await verified(all_services)
    unnamed = await all_services.ask(ErasePersonalData, case_id, legal_basis="request_of_person")
    assert isinstance(unnamed, Refused)
    assert unnamed.guard == "request_named"
    done = await all_services.record(ErasePersonalData, case_id, **REQUEST)
    assert done.events == ("PersonalDataErased",)
    assert isinstance(
        await all_services.ask(ErasePersonalData, case_id, classes=["identity"], **REQUEST), Ignored
    )
    # The key holder hears of the erasure a moment later, and gives no new keys before.
    given: dict[str, Any] = {"command_id": "same", "identity": HIM}
    while isinstance(await all_services.ask(ProvidePersonalData, case_id, **given), Unavailable):
        pass
    await all_services.next_event("RegistryChecked")
    again = await all_services.record(ErasePersonalData, case_id, classes=["identity"], **REQUEST)
    assert again.events == ("PersonalDataErased",)


async def test_a_timer_that_fell_due_while_intake_was_away_is_done_when_it_is_back(
    site: Site,
) -> None:
    async with AsyncExitStack() as stack:
        for name in SERVICES:
            await stack.enter_async_context(site.service(name))
        case_id, _ = await guided(site)
        await site.running["intake"].bus.broker.stop()
        await hand_over(site, case_id)
        received_at = (await site.next_event("HandedOver")).data.received_at
        due = Timer(kind=LOCATION_RETENTION, about=case_id, due_at=received_at)
        Timers(site.running["handover"].log.connection, "intake", 5.0).set(due)
    site.settings = site.settings.model_copy(update={"location_retention_hours": 0.0})
    async with site.service("intake"):
        erased = await site.next_event("PersonalDataErased")
    assert (erased.data.classes, erased.causationid) == (("location",), due.cause_id)
