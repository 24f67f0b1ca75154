"""A registry that says nothing, on a real server: the late timer fires once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from nats.js.errors import NotFoundError

from shared import subjects
from shared.commands.intake import ProvidePersonalData
from shared.skeleton.deadlines import ALL_SET
from tests.wire.conftest import Site

STREAM = subjects.timers_stream("verification")


async def told_overdue(site: Site) -> str:
    while True:
        event = await site.next_event("VerificationEscalated")
        if event.data.reason == "overdue":
            return event.subject


async def all_timers_set(site: Site) -> None:
    subject = subjects.timer("verification", ALL_SET.name)
    while True:
        try:
            await site.jetstream.get_last_msg(STREAM, subject)
        except NotFoundError:
            continue
        return


async def test_a_claim_of_the_day_before_yesterday_is_overdue_once(
    site: Site, tmp_path: Path
) -> None:
    missing = tmp_path / "no_registry.db"
    site.settings = site.settings.model_copy(update={"registry_file": missing})
    long_ago = datetime.now(UTC) - timedelta(days=2)
    first, second = "+380440000001", "+380440000002"
    async with site.service("intake"):
        for address in (first, second):
            await site.call(address)
            case_id = (await site.next_event("CaseOpened")).subject
            await site.record(
                ProvidePersonalData,
                case_id,
                identity={"surname": "Beispiel"},
                happened_at=long_ago,
            )
        async with site.service("verification"):
            overdue = {await told_overdue(site), await told_overdue(site)}
            assert len(overdue) == 2
            await all_timers_set(site)
        # As after a restore: the timers are lost, and are set anew from the log.
        await site.jetstream.purge_stream(STREAM)
        async with site.service("verification"):
            await all_timers_set(site)
            await site.call("+380440000003")
            third = (await site.next_event("CaseOpened")).subject
            await site.record(
                ProvidePersonalData, third, identity={"surname": "Vzorov"}, happened_at=long_ago
            )
            assert await told_overdue(site) == third
