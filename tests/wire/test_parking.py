"""What a service can't process: tried again with growing delay, parked, and put back by request."""

import asyncio
import json
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from passage import channel
from passage.parked import clear, parked_in
from services.keyholder.secrets import make_key_files, read_secrets
from services.verification import CASES
from services.verification.deadlines import Spans
from services.verification.handlers import Verification
from services.verification.main import deadlines_of
from services.verification.reactions import REACTIONS
from services.verification.registry_answers import RegistryAnswer
from services.verification.state import VerificationState, evolve
from shared import subjects
from shared.bus.consuming import FIRST_RETRY_DELAY_S, LONGEST_RETRY_DELAY_S, retry_delay_s
from shared.commands.base import Ignored, Recorded
from shared.commands.intake import ProvidePersonalData
from shared.commands.parked import SetParkedAside, TakeUpParked
from shared.keys.access import AccessRecord
from shared.keys.keyfiles import KeyFilesError, read_intake_public_key
from shared.keys.messages import SealedValue
from shared.log.case_log import Fold
from shared.matching import Stated
from shared.parked.messages import still_waiting
from shared.parked.parking import Delivery, RetryAnswer, UnprocessableError, park
from shared.skeleton.due import spans_of
from shared.skeleton.reactions import react
from shared.skeleton.service import assemble
from tests.contexts import OLENA
from tests.waiting import WITHIN_S
from tests.wire.conftest import Site


class RegistryWithAFault:
    """A registry client that fails in a way nobody foresaw."""

    name = "faulty"

    def look_up(self, claim: Stated) -> RegistryAnswer:
        raise ZeroDivisionError(claim.surname)


async def retried(site: Site, service: str, sequence: int) -> RetryAnswer:
    body = json.dumps({"sequence": sequence}).encode()
    reply = await site.client.request(subjects.retry(service), body, timeout=WITHIN_S)
    answer = RetryAnswer.model_validate_json(reply.data)
    if answer.result == "done":
        # As `passage parked retry` does, with the keeper's right: no service may.
        await site.jetstream.delete_msg(subjects.PARKED, sequence)
    return answer


async def test_a_fault_is_tried_a_few_times_then_parked_then_mended_by_a_retry(site: Site) -> None:
    async with site.service("intake"):
        case_id = await site.opened()
        await site.record(ProvidePersonalData, case_id, identity={"surname": "Beispiel"})

        broken = assemble("verification", Fold(VerificationState(), evolve), site.settings)
        deadlines = deadlines_of(broken.context, broken.timers(), spans_of(Spans, site.settings))
        faulty = Verification(broken.context, RegistryWithAFault(), deadlines)
        broken.bus.consume(CASES, partial(react, REACTIONS, faulty))
        await broken.bus.broker.start()
        (parked,) = await site.parked()
        await broken.bus.broker.stop()
        broken.log.close()
        assert (parked.reason, parked.expected) == ("failed", "ZeroDivisionError")
        assert parked.deliveries == 5
        assert "Beispiel" not in parked.model_dump_json()
        assert await site.history(case_id) == ["CaseOpened", "PersonalDataProvided"]

    async with site.service("verification"):
        assert (await retried(site, "verification", 1)).result == "done"
        assert (await site.next_event("RegistryChecked")).data.outcome == "partial"
        assert (await retried(site, "verification", 1)).result == "gone"


async def test_what_is_still_bad_stays_parked(site: Site) -> None:
    await site.jetstream.publish("calls.phone", b"no call")
    async with site.service("intake"), site.service("verification"):
        await site.parked()
        assert (await retried(site, "verification", 1)).reason == "intake parked it"
        answer = await retried(site, "intake", 1)
        assert (answer.result, answer.reason) == ("still_parked", "not_json")
        assert (await retried(site, "intake", 0)).result == "gone"


async def test_what_an_older_version_parked_from_its_one_stream_can_be_put_back(site: Site) -> None:
    key = read_intake_public_key(site.settings.keys_dir)
    now = datetime.now(UTC)
    call = channel.Call("call-1", "phone", "+380440000000", "ru", now, "I want to live")
    body = channel.envelope_of(call, key).model_dump_json(exclude_none=True).encode()
    old = Delivery(stream="CALLS", sequence=7, subject="calls.phone", body=body, deliveries=5)
    parked = park("intake", old, UnprocessableError("failed"), now, key)
    await site.jetstream.publish("parked.intake.failed", parked.model_dump_json().encode())
    async with site.service("intake"):
        assert (await retried(site, "intake", 1)).result == "done"
        assert (await site.next_event("CaseOpened")).data.call_id == "call-1"


async def test_what_parked_has_no_room_for_waits_in_its_channels_own_stream(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.bus.hands.NOT_PARKED_DELAY_S", 0.05)
    monkeypatch.setattr("shared.bus.bus.NO_ROOM_FOR_S", 0.05)
    parked = (await site.jetstream.stream_info(subjects.PARKED)).config
    await site.jetstream.update_stream(parked, max_msgs_per_subject=2)
    async with site.service("intake"):
        for number in range(5):
            await site.jetstream.publish("calls.phone", b"no call %d" % number)
        await site.jetstream.publish("calls.web", b"no call")
        assert len(await site.parked(3)) == 3
        for on in ("phone", "web"):
            await site.call(f"@{on}", on=on)
            await site.next_event("CaseOpened")
        calls = subjects.calls_stream("phone")
        assert (await site.jetstream.stream_info(calls)).state.messages == 3
        # Once a person has looked at some, the others take their place.
        for left in (2, 1):
            one = await site.jetstream.get_last_msg(subjects.PARKED, "parked.intake.CALLS_phone")
            await site.jetstream.delete_msg(subjects.PARKED, one.seq or 0)
            async with asyncio.timeout(WITHIN_S):
                while (await site.jetstream.stream_info(calls)).state.messages != left:
                    pass


def test_delays_grow_and_are_bounded() -> None:
    delays = [retry_delay_s(deliveries) for deliveries in range(1, 100)]
    assert delays[0] == FIRST_RETRY_DELAY_S
    assert delays == sorted(delays)
    assert delays[-1] == LONGEST_RETRY_DELAY_S


def test_a_key_that_does_not_fit_its_public_half_is_refused_at_the_start(tmp_path: Path) -> None:
    make_key_files(tmp_path)
    (tmp_path / "holder/intake.key").write_bytes(b"w" * 32)
    with pytest.raises(KeyFilesError, match=r"intake\.pub"):
        read_secrets(tmp_path)
    (tmp_path / "holder/kek-1.key").unlink()
    with pytest.raises(KeyFilesError, match=r"kek-1\.key"):
        read_secrets(tmp_path)


NO_CALL = "tell them: I am at the mill, хочу жить".encode()
REMARK = "what is it"
WHY = f"oversight: {REMARK}"


async def parked_one(site: Site, body: bytes = NO_CALL) -> dict[str, Any]:
    """Parks a message, and what a command says to mean it."""
    await site.jetstream.publish("calls.telegram", body)
    (one,) = await site.parked()
    return {
        "case_id": one.parked_id,
        "parked_sequence": 1,
        "purpose": "oversight",
        "remark": REMARK,
    }


async def accesses(site: Site, parked_id: str) -> list[tuple[str, str, str]]:
    last = await site.jetstream.get_last_msg(subjects.AUDIT, subjects.audit(parked_id))
    record = AccessRecord.model_validate_json(last.data or b"")
    return [(record.by, one.field, record.purpose) for one in record.values]


async def test_a_case_is_made_of_what_could_not_be_read_once(intake: Site) -> None:
    meant = await parked_one(intake)
    first = await intake.ask(TakeUpParked, **meant)
    again = await intake.ask(TakeUpParked, by="taras", **meant)
    opened = await intake.next_event("CaseOpened")
    assert isinstance(first, Recorded)
    assert isinstance(again, Ignored)
    assert again.case_id == first.case_id
    assert (opened.subject, opened.actor) == (first.case_id, f"operator:{OLENA}")
    assert (opened.data.channel, opened.data.changed) == ("telegram", ("taken_up",))
    values = [SealedValue.of(opened, name) for name in ("text", "as_received")]
    keys = intake.keys_of("query")
    text, original = await asyncio.to_thread(keys.open, values, OLENA, WHY)
    assert (text.text, json.loads(original.text or "")) == (
        NO_CALL.decode(),
        {"message": NO_CALL.decode()},
    )
    assert (await accesses(intake, meant["case_id"]))[0][1:] == ("taken_up", WHY)


async def test_what_was_set_aside_waits_no_more_and_who_and_why_stays(intake: Site) -> None:
    meant = await parked_one(intake)
    assert len(still_waiting(*await parked_in(intake.client))) == 1
    answer = await intake.ask(SetParkedAside, **meant)
    assert answer.result == "recorded"
    messages, notes = await parked_in(intake.client)
    assert (len(messages), still_waiting(messages, notes)) == (1, [])
    assert await clear(intake.client) == 1
    info = await intake.jetstream.stream_info(subjects.PARKED)
    assert info.state.messages == 0
    assert await accesses(intake, meant["case_id"]) == [(OLENA, "set_aside", WHY)]


async def test_only_what_is_parked(site: Site) -> None:
    async with site.service("intake"):
        meant = await parked_one(site)
        for wrong in ({"parked_sequence": 9}, {"case_id": "f" * 32}):
            await site.refused("parked_there", SetParkedAside, **{**meant, **wrong})
    assert (await site.jetstream.stream_info(subjects.CASES)).state.messages == 0
