"""One man's way through all three services, and what they refuse on it, on a real server."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from shared import subjects
from shared.commands.base import ANSWER, Ignored, Invalid, Refused
from shared.commands.handover import (
    AcceptHandover,
    ApproveRendezvous,
    DiscloseRendezvous,
    OfferHandover,
    PlanRendezvous,
    RecordArrival,
    RecordHandover,
)
from shared.commands.intake import (
    AddNote,
    CloseCase,
    DeclareSurrender,
    IssueReturnCode,
    ProvidePersonalData,
    TriageCall,
)
from shared.commands.verification import CheckRegistry, VerifyIdentity
from shared.events.fields import Identity
from shared.events.parsing import read_case_event
from shared.key_messages import SealedValue
from tests.asking import OLENA, PETRO
from tests.waiting import WITHIN_S
from tests.wire.conftest import Site

HIM = {"surname": "Beispiel", "service_number": "AB 000123", "date_of_birth": "1990-05-17"}
PLACE = {"description": "the mill of Musterdorf"}


def in_hours(hours: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()


async def opened(site: Site) -> tuple[str, str]:
    """The case and the call that opened it."""
    call_id = await site.call()
    event = await site.next_event("CaseOpened")
    return event.subject, call_id


async def verified(site: Site) -> tuple[str, str]:
    """The case of a verified man and his return code."""
    case_id, call_id = await opened(site)
    triage = {"intent": "surrender", "situation": "serving", "urgency": "today"}
    await site.record(TriageCall, case_id, call_id=call_id, **triage)
    await site.record(DeclareSurrender, case_id)
    await site.record(ProvidePersonalData, case_id, identity=HIM)
    code = (await site.record(IssueReturnCode, case_id)).return_code
    assert (await site.next_event("RegistryChecked")).data.outcome == "match"
    await site.record(VerifyIdentity, case_id, basis="registry_and_operator")
    assert code is not None
    return case_id, code


async def guided(site: Site) -> tuple[str, str]:
    """The case of a man who was told where to go, and his rendezvous."""
    case_id, code = await verified(site)
    call_id = await site.call("+380990000000", code=code)
    await site.next_event("CallLinked")
    await site.record(RecordArrival, case_id, place=PLACE, call_id=call_id)
    window = {"window_from": in_hours(1), "window_to": in_hours(3)}
    await site.record(PlanRendezvous, case_id, place=PLACE, team="Heron", **window)
    meeting = (await site.next_event("RendezvousPlanned")).data.rendezvous_id
    await site.record(ApproveRendezvous, case_id, PETRO, rendezvous_id=meeting)
    told = {"rendezvous_id": meeting, "to_whom": "caller", "call_id": call_id}
    await site.record(DiscloseRendezvous, case_id, **told)
    return case_id, meeting


async def hand_over(site: Site, case_id: str) -> None:
    await site.record(OfferHandover, case_id, team="Heron", deadline_at=in_hours(1))
    offer = (await site.next_event("HandoverOffered")).data.offer_id
    await site.record(AcceptHandover, case_id, offer_id=offer, team="Heron")
    receipt: dict[str, Any] = {"receipt_number": "R-0001", "received_at": in_hours(0)}
    await site.record(RecordHandover, case_id, team="Heron", head_count=1, **receipt)


async def test_a_man_is_verified_guided_and_handed_over(all_services: Site) -> None:
    site = all_services
    case_id, _ = await guided(site)
    await hand_over(site, case_id)
    closed = await site.record(CloseCase, case_id, reason="handed_over")
    assert closed.version == 16
    assert (await site.history(case_id))[-2:] == ["HandedOver", "CaseClosed"]


async def test_nothing_personal_stands_in_the_log_and_all_of_it_opens_with_the_key(
    all_services: Site,
) -> None:
    site = all_services
    await verified(site)
    bodies = [await site.stored(sequence) for sequence in range(1, 8)]
    for secret in (b"Beispiel", b"000123", b"1990-05-17", b"+3804", b"I want to live"):
        assert not any(secret in body for body in bodies)
    given = next(body for body in bodies if b"PersonalDataProvided" in body)
    sealed = SealedValue.of(read_case_event(given), "identity")
    keys = site.running["verification"].context.keys
    (opened_again,) = await asyncio.to_thread(keys.open, [sealed], OLENA, "a test")
    assert Identity.model_validate_json(opened_again.text or "").surname == "Beispiel"


async def test_a_contradiction_is_found_recorded_and_blocks(all_services: Site) -> None:
    site = all_services
    case_id, _ = await opened(site)
    wrong = {**HIM, "first_names": "Oleg", "date_of_birth": "1991-05-17"}
    await site.record(ProvidePersonalData, case_id, identity=wrong)
    contradicted = await site.next_event("IdentityContradicted")
    assert contradicted.data.fields == ("first_names", "date_of_birth")
    answer = await site.ask(VerifyIdentity, case_id, basis="two_sources", second_by=PETRO)
    assert isinstance(answer, Refused)
    assert answer.guard == "no_open_contradiction"
    await site.record(ProvidePersonalData, case_id, identity=HIM)
    await site.next_event("RegistryChecked")
    await site.record(VerifyIdentity, case_id, basis="registry_and_operator")


async def test_an_unavailable_registry_calls_a_person_and_is_asked_again(
    all_services: Site,
) -> None:
    site = all_services
    file = site.settings.registry_file
    away = file.rename(file.with_suffix(".away"))
    case_id, _ = await opened(site)
    await site.record(ProvidePersonalData, case_id, identity=HIM)
    assert (await site.next_event("VerificationEscalated")).data.reason == "unavailable"
    away.rename(file)
    await site.record(CheckRegistry, case_id)
    assert (await site.next_event("RegistryChecked")).data.outcome == "match"


async def test_the_same_command_twice_is_stored_once(all_services: Site) -> None:
    site = all_services
    case_id, _ = await opened(site)
    first = await site.record(AddNote, case_id, text="calm", command_id="note-1")
    again = await site.record(AddNote, case_id, text="calm", command_id="note-1")
    assert (again.result, again.sequence) == ("repeated", first.sequence)
    assert await site.history(case_id) == ["CaseOpened", "NoteAdded"]


async def test_one_command_id_in_two_commands_is_two_commands(all_services: Site) -> None:
    site = all_services
    case_id, _ = await opened(site)
    await site.record(AddNote, case_id, text="calm", command_id="same")
    declared = await site.record(DeclareSurrender, case_id, command_id="same")
    coded = await site.record(IssueReturnCode, case_id, command_id="same")
    assert (declared.result, coded.events) == ("recorded", ("ReturnCodeIssued",))


async def test_nothing_happens_in_the_future(all_services: Site) -> None:
    site = all_services
    case_id, _ = await opened(site)
    answer = await site.ask(AddNote, case_id, text="calm", happened_at=in_hours(1))
    assert isinstance(answer, Refused)
    assert answer.guard == "happened_by_now"
    answer = await site.ask(AddNote, case_id, text="calm", happened_at="9999-12-31T23:59:59-12:00")
    assert isinstance(answer, Invalid)


async def test_a_decision_on_an_old_version_says_what_changed(all_services: Site) -> None:
    site = all_services
    case_id, _ = await opened(site)
    await site.record(AddNote, case_id, text="calm")
    answer = await site.ask(CloseCase, case_id, reason="withdrew", seen_version=1)
    assert isinstance(answer, Refused)
    assert (answer.guard, answer.changed_since) == ("seen_version", ("NoteAdded",))
    await site.record(CloseCase, case_id, reason="withdrew")
    assert isinstance(await site.ask(CloseCase, case_id, reason="withdrew"), Ignored)


async def test_a_wrong_command_names_the_fields_and_never_the_values(all_services: Site) -> None:
    site = all_services
    for body in (
        b"Kanarienvogelsky",
        b'{"identity": {"surname": "", "date_of_birth": "Kanarienvogelsky"}}',
        b'{"Kanarienvogelsky": 1, "case_id": "no such.case", "provenance": "Kanarienvogelsky"}',
    ):
        subject = subjects.command("intake", "ProvidePersonalData")
        reply = await site.client.request(subject, body, timeout=WITHIN_S)
        answer = ANSWER.validate_json(reply.data)
        assert isinstance(answer, Invalid)
        assert answer.errors
        assert b"Kanarienvogelsky" not in reply.data
