"""handover on a real server: groups, races for an offer, deadlines over restarts, lost men.

No test waits for a clock: what is to come is due already, and that nothing more came shows when
every message is taken.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

from passage.connecting import connected
from passage.install.provisioning import provision
from services.handover import CONSUMES
from shared import subjects
from shared.commands import handover
from shared.events.base import Event
from shared.events.groups import GroupFormed, GroupJoined
from shared.events.handover import HandoverOffered
from shared.log.transact import Cause, transact
from shared.skeleton.service import Service
from tests import examples as e
from tests.asking import OLENA
from tests.waiting import WITHIN_S
from tests.wire.conftest import Site

HOUR = timedelta(hours=1)
LEAD = "1EAD0000CASE"
MEMBERS = ("MEMBER00CASE", "MEMBER01CASE", "MEMBER02CASE")


async def seed(
    service: Service, case_id: str, events: Sequence[Event], at: datetime | None = None
) -> None:
    """Records what other services, or handover itself, decided earlier."""
    when = at or datetime.now(UTC)
    for event in events:
        cause = Cause(uuid4().hex, "story", f"operator:{OLENA}", "/services/story", when)
        decide = partial(_only, event)
        await asyncio.to_thread(transact, service.context.writer, case_id, cause, decide)


def _only(event: Event, _state: object) -> list[Event]:
    return [event]


def offer_now() -> HandoverOffered:
    return e.handover_offered().model_copy(update={"deadline_at": datetime.now(UTC) + HOUR})


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


async def test_a_group_receipt_reaches_each_members_log_once_even_when_redelivered(
    site: Site,
) -> None:
    formed = GroupFormed(group_id=LEAD, declared_size=4)
    joined = [GroupJoined(group_id=LEAD, member_case=one) for one in MEMBERS]
    receipt: dict[str, Any] = {
        "team": "Heron",
        "receipt_number": "R-0002",
        "received_at": datetime.now(UTC),
    }
    async with site.service("handover") as service:
        for one in MEMBERS:
            await seed(service, one, [e.case_opened()])
        offered = [offer_now(), e.handover_accepted()]
        await seed(service, LEAD, [e.case_opened(), formed, *joined, *offered])
        done = await site.record(
            handover.RecordGroupHandover,
            LEAD,
            head_count=3,
            received=[LEAD, *MEMBERS[:2]],
            missing=[MEMBERS[2]],
            **receipt,
        )
        assert done.events == ("GroupHandedOver", "HandoverDiscrepancyRaised")
        received = {(await site.next_event("HandedOver")).subject for _ in range(3)}
        assert received == {LEAD, *MEMBERS[:2]}
        await all_taken(site)
    await redeliver_everything(site)
    async with site.service("handover"):
        await all_taken(site)
    for one in (LEAD, *MEMBERS[:2]):
        assert (await site.history(one)).count("HandedOver") == 1
    assert await site.history(MEMBERS[2]) == ["CaseOpened"]


async def test_an_offer_is_made_answered_and_withdrawn_over_the_wire(site: Site) -> None:
    later: dict[str, Any] = {"team": "Heron", "deadline_at": datetime.now(UTC) + HOUR}
    now = datetime.now(UTC)
    window = {"window_from": now + HOUR, "window_to": now + 2 * HOUR}
    planned = e.rendezvous_planned().model_copy(update=window)  # One that doesn't expire meanwhile.
    async with site.service("handover") as service:
        await seed(service, LEAD, [e.case_opened(), planned, e.rendezvous_disclosed()])
        first = await site.record(handover.OfferHandover, LEAD, **later)
        assert (await site.ask(handover.OfferHandover, LEAD, **later)).result == "refused"
        offer_id = (await site.next_event("HandoverOffered")).data.offer_id
        await site.record(handover.WithdrawHandover, LEAD, offer_id=offer_id, reason="too far")
        second = await site.record(handover.OfferHandover, LEAD, **later)
        assert second.version == first.version + 2


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


async def test_where_the_timers_were_lost_they_are_set_anew_from_the_log(site: Site) -> None:
    async with site.service("handover") as service:
        offered = [e.case_opened(), offer_now()]
        await seed(service, LEAD, offered, at=datetime.now(UTC) - timedelta(minutes=20))
        await all_taken(site)
    await site.jetstream.purge_stream(subjects.timers_stream("handover"))
    hasty = site.settings.model_copy(update={"offer_unanswered_minutes": 10.0})
    async with replace(site, settings=hasty).service("handover"):
        event = await site.next_event("FollowUpOverdue")
    assert event.data.rule == "handover_unacknowledged"


async def test_what_is_no_timer_of_handovers_is_parked(site: Site) -> None:
    async with site.service("handover"):
        await site.jetstream.publish(subjects.due("handover", "junk"), b"{}")
        (parked,) = await site.parked()
    assert (parked.service, parked.reason) == ("handover", "wrong_data")
