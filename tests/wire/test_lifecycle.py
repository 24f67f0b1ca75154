"""What real services record of a man and refuse on his way, and deadlines over restarts."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from passage.install.provisioning import provision
from services.handover import CONSUMES
from shared import subjects
from shared.commands import handover, intake
from shared.commands.base import Invalid
from shared.commands.verification import CheckRegistry, VerifyIdentity
from shared.events.base import Event
from shared.events.fields import Identity
from shared.events.parsing import read_case_event
from shared.keys.messages import SealedValue
from shared.skeleton.service import Service
from tests import examples as e
from tests.contexts import OLENA, record
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


async def test_days_of_silence_are_said_once_each_over_restarts(site: Site) -> None:
    arrived = [e.case_opened(), e.arrived_in_ukraine()]
    async with site.service("handover") as service:
        await seed(service, LEAD, arrived, at=datetime.now(UTC) - 100 * HOUR)
        rules = {(await site.next_event("FollowUpOverdue")).data.rule for _ in range(3)}
        assert rules == {"arrived_contact_due", "arrived_silent", "decide_whether_lost"}
        await all_taken(site)
    await site.jetstream.purge_stream(subjects.timers_stream("handover"))
    # The whole log is delivered to handover again, as to a consumer that begins anew.
    await site.jetstream.delete_consumer(subjects.CASES, "handover")
    await provision(site.client, replicas=1)
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
