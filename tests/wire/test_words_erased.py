"""What desk's logs tell of a case opens nowhere once it is erased; through real services."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from passage.integrity.erasure.proof import Looked, look
from passage.running import Running
from shared.commands.base import Recorded
from shared.commands.intake import ErasePersonalData
from shared.commands.people import WithdrawDecision
from shared.commands.shifts import HandOverShift, StartShift
from tests.signers import KeyFile
from tests.waiting import WITHIN_S
from tests.wire.conftest import Site
from tests.wire.people import agreed, enrol, link_by_the_keeper, proposed

SHIFT = "SHIFT-1"
SALT = "0" * 22


@pytest.fixture
async def keys(all_services: Site, place: Path) -> tuple[KeyFile, KeyFile]:
    """Of two supervisors."""
    del place  # Where the verb finds the installation.
    found = KeyFile("olena"), KeyFile("petro")
    links = [link_by_the_keeper(one.person, "--role", "supervisor") for one in found]
    for key, link in zip(found, links, strict=True):
        await enrol(all_services, link, key)
    return found


def running(site: Site) -> Running:
    database = site.settings.keys_dir.parent / "query.db"
    there: dict[str, Any] = {"keys": site.settings.keys_dir, "database": f"sqlite:///{database}"}
    return Running.bare(site.settings.nats_url).model_copy(update=there)


async def closed_by_now(site: Site, case_id: str) -> Looked:
    """Once the key holder has destroyed what desk and intake told it to."""
    async with asyncio.timeout(WITHIN_S):
        while (looked := await look(running(site), case_id, {})).findings.errors:
            await site.client.flush()
    return looked


async def test_remarks_and_proposed_decisions_go_with_their_case(
    all_services: Site, keys: tuple[KeyFile, KeyFile]
) -> None:
    site, (olena, petro) = all_services, keys
    case_id = await site.opened()
    await site.record(StartShift, SHIFT, "olena", operators=["olena"])
    said = {"to": ["petro"], "case_ids": [case_id], "remark": "Vzorov is afraid"}
    await site.record(HandOverShift, SHIFT, "olena", **said)

    def erasing(command_id: str, seen: int) -> ErasePersonalData:
        return ErasePersonalData(
            command_id=command_id,
            case_id=case_id,
            by="olena",
            seen_version=seen,
            classes=("identity", "narrative"),
            legal_basis="request_of_person",
            reference="letter of Vzorov",
            salt=SALT,
        )

    seen = len(await site.history(case_id))
    open_still = await proposed(site, olena, erasing("erase-1", seen))
    erasure = erasing("erase-2", seen)
    decision = await proposed(site, olena, erasure)
    answer = await agreed(site, petro, decision, erasure)
    assert isinstance(answer, Recorded), answer
    looked = await closed_by_now(site, case_id)
    assert sorted(looked.erasures.told_until) == sorted([SHIFT, open_still, decision])
    closed = {(spot.case_id, spot.field) for spot, _ in looked.erasures.must_stay_closed()}
    assert {(SHIFT, "remark"), (open_still, "command"), (decision, "command")} < closed
    for log_id in looked.erasures.told_until:
        assert (await site.history(log_id)).count("WordsErased") == 1
    again = await site.record(HandOverShift, SHIFT, "olena", **said)
    assert again.events == ("ShiftHandedOver",)
    await site.record(WithdrawDecision, open_still, "olena")
