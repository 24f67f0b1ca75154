"""One man's way through all three services, what they refuse on it, and deadlines over restarts."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from nats.js.errors import NotFoundError

from passage.connecting import connected
from passage.install.provisioning import provision
from services.handover import CONSUMES
from shared import subjects
from shared.commands import handover, intake
from shared.commands.base import ANSWER, Invalid
from shared.commands.intake import ProvidePersonalData
from shared.commands.verification import CheckRegistry, VerifyIdentity
from shared.events.base import Event
from shared.events.fields import Identity
from shared.events.parsing import read_case_event
from shared.keys.messages import SealedValue
from shared.skeleton.deadlines import ALL_SET
from shared.skeleton.service import Service
from tests import examples as e
from tests.contexts import OLENA, PETRO, record
from tests.waiting import WITHIN_S
from tests.wire.conftest import Site

HIM = {"surname": "Beispiel", "service_number": "AB 000123", "date_of_birth": "1990-05-17"}
PLACE = {"description": "the mill of Musterdorf"}


def in_hours(hours: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()


async def verified(site: Site) -> tuple[str, str]:
    call_id = await site.call()
    case_id = (await site.next_event("CaseOpened")).subject
    triage = {"intent": "surrender", "situation": "serving", "urgency": "today"}
    await site.record(intake.TriageCall, case_id, call_id=call_id, **triage)
    await site.record(intake.DeclareSurrender, case_id)
    await site.record(intake.ProvidePersonalData, case_id, identity=HIM)
    code = (await site.record(intake.IssueReturnCode, case_id)).return_code
    assert (await site.next_event("RegistryChecked")).data.outcome == "match"
    await site.record(VerifyIdentity, case_id, basis="registry_and_operator")
    assert code is not None
    return case_id, code


async def guided(site: Site) -> tuple[str, str]:
    case_id, code = await verified(site)
    call_id = await site.call("+380990000000", code=code)
    await site.next_event("CallLinked")
    await site.record(handover.RecordArrival, case_id, place=PLACE, call_id=call_id)
    window = {"window_from": in_hours(1), "window_to": in_hours(3)}
    await site.record(handover.PlanRendezvous, case_id, place=PLACE, team="Heron", **window)
    meeting = (await site.next_event("RendezvousPlanned")).data.rendezvous_id
    await site.record(handover.ApproveRendezvous, case_id, PETRO, rendezvous_id=meeting)
    told = {"rendezvous_id": meeting, "to_whom": "caller", "call_id": call_id}
    await site.record(handover.DiscloseRendezvous, case_id, **told)
    return case_id, meeting


async def hand_over(site: Site, case_id: str) -> None:
    await site.record(handover.OfferHandover, case_id, team="Heron", deadline_at=in_hours(1))
    offer = (await site.next_event("HandoverOffered")).data.offer_id
    await site.record(handover.AcceptHandover, case_id, offer_id=offer, team="Heron")
    receipt: dict[str, Any] = {"receipt_number": "R-0001", "received_at": in_hours(0)}
    await site.record(handover.RecordHandover, case_id, team="Heron", head_count=1, **receipt)


async def test_a_man_is_verified_guided_and_handed_over(all_services: Site) -> None:
    case_id, _ = await guided(all_services)
    await hand_over(all_services, case_id)
    closed = await all_services.record(intake.CloseCase, case_id, reason="handed_over")
    assert closed.version == 16
    assert (await all_services.history(case_id))[-2:] == ["HandedOver", "CaseClosed"]


async def test_nothing_personal_stands_in_the_log_and_all_of_it_opens_with_the_key(
    all_services: Site,
) -> None:
    await verified(all_services)
    bodies = [await all_services.stored(sequence) for sequence in range(1, 8)]
    for secret in (b"Beispiel", b"000123", b"1990-05-17", b"+3804", b"I want to live"):
        assert not any(secret in body for body in bodies)
    given = next(body for body in bodies if b"PersonalDataProvided" in body)
    sealed = SealedValue.of(read_case_event(given), "identity")
    keys = all_services.running["verification"].context.keys
    (opened_again,) = await asyncio.to_thread(keys.open, [sealed], OLENA, "a test")
    assert Identity.model_validate_json(opened_again.text or "").surname == "Beispiel"


async def test_an_unavailable_registry_calls_a_person_and_is_asked_again(
    all_services: Site,
) -> None:
    file = all_services.settings.registry_file
    away = file.rename(file.with_suffix(".away"))
    case_id = await all_services.opened()
    await all_services.record(intake.ProvidePersonalData, case_id, identity=HIM)
    assert (await all_services.next_event("VerificationEscalated")).data.reason == "unavailable"
    away.rename(file)
    await all_services.record(CheckRegistry, case_id)
    assert (await all_services.next_event("RegistryChecked")).data.outcome == "match"


async def test_one_command_id_in_two_commands_is_two_commands(all_services: Site) -> None:
    case_id = await all_services.opened()
    await all_services.record(intake.AddNote, case_id, text="calm", command_id="same")
    declared = await all_services.record(intake.DeclareSurrender, case_id, command_id="same")
    coded = await all_services.record(intake.IssueReturnCode, case_id, command_id="same")
    assert (declared.result, coded.events) == ("recorded", ("ReturnCodeIssued",))


async def test_nothing_happens_in_the_future(all_services: Site) -> None:
    case_id = await all_services.opened()
    note = {"text": "calm", "happened_at": in_hours(1)}
    await all_services.refused("happened_by_now", intake.AddNote, case_id, **note)
    answer = await all_services.ask(
        intake.AddNote, case_id, text="calm", happened_at="9999-12-31T23:59:59-12:00"
    )
    assert isinstance(answer, Invalid)


async def test_a_wrong_command_names_the_fields_and_never_the_values(all_services: Site) -> None:
    for body in (
        b"Kanarienvogelsky",
        b'{"identity": {"surname": "", "date_of_birth": "Kanarienvogelsky"}}',
        b'{"Kanarienvogelsky": 1, "case_id": "no such.case", "provenance": "Kanarienvogelsky"}',
    ):
        subject = subjects.command("intake", "ProvidePersonalData")
        reply = await all_services.client.request(subject, body, timeout=WITHIN_S)
        answer = ANSWER.validate_json(reply.data)
        assert isinstance(answer, Invalid)
        assert answer.errors
        assert b"Kanarienvogelsky" not in reply.data


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
            case_id = await site.opened(address)
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
            third = await site.opened("+380440000003")
            await site.record(
                ProvidePersonalData, third, identity={"surname": "Vzorov"}, happened_at=long_ago
            )
            assert await told_overdue(site) == third


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
