"""A message to a caller goes once, whatever comes twice or breaks off in between."""

import asyncio
import json
from datetime import datetime, timedelta

import pytest

from passage.install.provisioning import ask, provision
from services.intake.sending import Sending, dispatch
from services.intake.state import IntakeState, evolve
from shared import subjects
from shared.callers.outgoing import OutgoingMessage
from shared.commands.intake import SendMessage
from shared.keys.keyfiles import read_channel_public_keys
from shared.log.case_log import Fold
from shared.policy import policy
from shared.skeleton.service import assemble
from tests.contexts import delivered
from tests.waiting import WITHIN_S
from tests.wire.conftest import Site
from tests.wire.outbound import (
    CALLED,
    TOLD,
    all_processed,
    begin_anew,
    given_to_channels,
    held_back,
    outcome_of,
    safe_case,
    station,
)

LONG_BYTES = 2_000


async def test_reading_the_log_from_its_beginning_sends_nothing_again(intake: Site) -> None:
    case_id = await safe_case(intake)
    for channel_says in ("sent", "failed"):
        await intake.record(SendMessage, case_id, **TOLD, again=True)
        await station(intake).deliver_next(WITHIN_S, channel_says)
        await outcome_of(intake)
    await intake.record(SendMessage, case_id, **TOLD, again=True)
    assert await station(intake).receive(WITHIN_S) is not None
    before = await intake.history(case_id)
    await all_processed(intake)
    await begin_anew(intake)
    await all_processed(intake)
    assert await intake.history(case_id) == before
    assert await given_to_channels(intake) == 3


async def test_a_message_delivered_again_to_intake_is_not_given_again(intake: Site) -> None:
    case_id = await safe_case(intake)
    await intake.record(SendMessage, case_id, **TOLD)
    await intake.next_event("MessageDispatched")
    await all_processed(intake)
    deliver = intake.running["intake"].bus.handle
    queued = await intake.jetstream.get_msg(subjects.CASES, 3)
    delivery = delivered(queued.subject or "", queued.data or b"")
    outcomes = await asyncio.gather(*(asyncio.to_thread(deliver, delivery) for _ in range(8)))
    assert {one.result for one in outcomes} == {"repeated"}
    assert await given_to_channels(intake) == 1


async def test_two_processes_of_intake_send_it_once(site: Site) -> None:
    async with site.service("intake"), site.service("intake"):
        case_id = await safe_case(site)
        for _ in range(5):
            await site.record(SendMessage, case_id, **TOLD, again=True)
            await begin_anew(site)
            await site.next_event("MessageDispatched")  # Else it might overtake the next.
        for _ in range(5):
            assert await station(site).receive(WITHIN_S) is not None
        await all_processed(site)
    assert (await site.history(case_id)).count("MessageDispatched") == 5
    assert await given_to_channels(site) == 5


class PowerCutError(BaseException):
    """The process ended."""


def power_cut(_message: OutgoingMessage, _now: datetime) -> bool:
    """The process ends before the channel gets the message: nothing that follows happens."""
    raise PowerCutError


async def test_a_process_that_ends_before_the_channel_gets_it_sends_nothing_later(
    impatient: Site,
) -> None:
    case_id = await safe_case(impatient)
    async with held_back(impatient):
        await impatient.record(SendMessage, case_id, **TOLD)
        queued = await impatient.next_event("MessageQueued")
        service = assemble("intake", Fold(IntakeState(), evolve), impatient.settings)
        keys = read_channel_public_keys(impatient.settings.keys_dir)
        told: list[str] = []
        limits = policy().channels.messages
        cut = Sending(service.context, power_cut, keys, limits, timedelta(minutes=10), told.append)
        with pytest.raises(PowerCutError):
            await asyncio.to_thread(dispatch, cut, queued)
        service.close()
    assert told == []
    failed = await outcome_of(impatient)  # The service that goes on is told by its timer alone.
    assert (failed.type_name, failed.data.reason) == ("MessageFailed", "no_report")
    assert failed.actor == "service:intake"
    assert await impatient.history(case_id) == [
        *CALLED,
        "MessageQueued",
        "MessageDispatched",
        "MessageFailed",
    ]
    assert await given_to_channels(impatient) == 0


async def test_what_can_not_be_given_to_its_channel_is_not_tried_again(impatient: Site) -> None:
    case_id = await safe_case(impatient)
    await ask(impatient.client, f"STREAM.DELETE.{subjects.OUTBOUND}", None)
    await impatient.record(SendMessage, case_id, **TOLD)
    failed = await outcome_of(impatient)
    assert (failed.type_name, failed.data.reason) == ("MessageFailed", "no_report")
    await provision(impatient.client, replicas=1)
    await begin_anew(impatient)
    await all_processed(impatient)
    assert await given_to_channels(impatient) == 0


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A channel for which one message may wait, and no long one."""
    monkeypatch.setattr("passage.install.definitions.OUTBOUND_OF_A_CHANNEL_MAX", 1)
    monkeypatch.setattr("passage.install.definitions.OUTBOUND_MESSAGE_MAX_BYTES", LONG_BYTES)


@pytest.mark.usefixtures("narrow")
async def test_what_a_channel_has_no_room_for_is_not_given_to_it(
    intake: Site,
) -> None:
    case_id = await safe_case(intake)
    for text in ("x" * LONG_BYTES, "wait", "wait longer"):
        await intake.record(SendMessage, case_id, **{**TOLD, "text": text})
        await intake.next_event("MessageDispatched")
    await all_processed(intake)
    assert await given_to_channels(intake) == 1
    found = await station(intake).receive(WITHIN_S)
    assert found is not None
    assert found.text == "wait"


@pytest.mark.usefixtures("narrow")
async def test_a_message_too_long_for_its_channel_has_failed(impatient: Site) -> None:
    case_id = await safe_case(impatient)
    await impatient.record(SendMessage, case_id, **{**TOLD, "text": "x" * LONG_BYTES})
    failed = await outcome_of(impatient)
    assert (failed.type_name, failed.data.reason) == ("MessageFailed", "no_report")
    assert await given_to_channels(impatient) == 0


async def test_a_message_that_is_on_its_way_still_has_its_outcome_before_it(intake: Site) -> None:
    case_id = await safe_case(intake)
    await intake.record(SendMessage, case_id, **TOLD)
    found = await station(intake).receive(WITHIN_S)
    assert found is not None
    data = {"message_id": found.message.message_id, "case_id": case_id, "outcome": "queued"}
    body = {"type": "passage.DeliveryReported.v1", "data": data}
    await intake.jetstream.publish("calls.telegram", json.dumps(body).encode())
    await station(intake).report(found.message.message_id, case_id, "sent")
    assert (await outcome_of(intake)).type_name == "MessageSent"
