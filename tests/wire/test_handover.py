"""handover on a real server: deadlines over restarts.

No test waits for a clock: what is to come is due already, and that nothing more came shows when
every message is taken.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from passage.connecting import connected
from passage.install.provisioning import provision
from services.handover import CONSUMES
from shared import subjects
from shared.commands import handover
from shared.events.base import Event
from shared.skeleton.service import Service
from tests import examples as e
from tests.contexts import record
from tests.waiting import WITHIN_S
from tests.wire.conftest import Site

HOUR = timedelta(hours=1)
LEAD = "1EAD0000CASE"


async def seed(
    service: Service, case_id: str, events: Sequence[Event], at: datetime | None = None
) -> None:
    """Records what other services, or handover itself, decided earlier."""
    writer, when = service.context.writer, at or datetime.now(UTC)
    await asyncio.to_thread(record, writer, *events, case_id=case_id, at=when)


async def all_taken(site: Site) -> None:
    async with asyncio.timeout(WITHIN_S):
        for durable in CONSUMES:
            left = 1
            while left:
                info = await site.jetstream.consumer_info(durable.stream, durable.name)
                left = (info.num_pending or 0) + (info.num_ack_pending or 0)


async def overdue(site: Site, case_id: str) -> int:
    return (await site.history(case_id)).count("FollowUpOverdue")


async def redeliver_everything(site: Site) -> None:
    """Has the whole log delivered to handover again, as to a consumer that begins anew."""
    await site.jetstream.delete_consumer(subjects.CASES, "handover")
    async with connected(site.server.url) as client:
        await provision(client, replicas=1)


async def test_days_of_silence_are_said_once_each_over_restarts(site: Site) -> None:
    arrived = [e.case_opened(), e.arrived_in_ukraine()]
    async with site.service("handover") as service:
        await seed(service, LEAD, arrived, at=datetime.now(UTC) - 100 * HOUR)
        rules = {(await site.next_event("FollowUpOverdue")).data.rule for _ in range(3)}
        assert rules == {"arrived_contact_due", "arrived_silent", "decide_whether_lost"}
        await all_taken(site)
    await site.jetstream.purge_stream(subjects.timers_stream("handover"))
    await redeliver_everything(site)
    async with site.service("handover"):
        await all_taken(site)
    assert await overdue(site, LEAD) == 3


async def test_a_reminder_set_before_a_kill_comes_once_after_it(site: Site) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=1)
    async with site.service("handover") as service:
        await seed(service, LEAD, [e.case_opened()])
        await site.record(handover.SetFollowUp, LEAD, due_at=soon)
        await all_taken(site)
    site.server.kill()
    site.server.start()
    async with site.service("handover"):
        event = await site.next_event("FollowUpOverdue")
        assert (event.data.rule, event.data.due_at) == ("operator", soon)
        await site.record(handover.SetFollowUp, LEAD, due_at=soon - HOUR)
        last = await site.next_event("FollowUpOverdue")
    assert last.data.due_at == soon - HOUR
    assert await overdue(site, LEAD) == 2
