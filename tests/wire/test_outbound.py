"""A message to a caller through real services: from the command to its channel, and back."""

import asyncio
import json
from typing import Any

import pytest

from passage.deliveries import Station
from passage.install.provisioning import ask
from shared import subjects
from shared.commands.base import Command
from shared.commands.intake import (
    CloseCase,
    ErasePersonalData,
    SendMessage,
    SetContactRule,
)
from shared.events.fields import Channel
from shared.keys.boxes import BoxBrokenError
from shared.keys.keyfiles import read_channel_private_key
from tests.contexts import PETRO
from tests.waiting import WITHIN_S
from tests.wire.conftest import Site
from tests.wire.outbound import (
    ADDRESS,
    TEXT,
    TOLD,
    all_processed,
    begin_anew,
    given_to_channels,
    held_back,
    outcome_of,
    safe_case,
    station,
)


async def test_a_message_goes_out_and_its_channel_says_that_it_was_sent(intake: Site) -> None:
    case_id = await safe_case(intake)
    queued = await intake.record(SendMessage, case_id, **TOLD)
    found = await station(intake).deliver_next(WITHIN_S)
    assert found is not None
    assert (found.to_address, found.text) == (ADDRESS, TEXT)
    assert (found.message.case_id, found.message.language) == (case_id, "ru")
    sent = await outcome_of(intake)
    assert sent.type_name == "MessageSent"
    assert sent.actor == "channel:telegram"
    assert sent.correlationid == found.message.message_id == sent.data.message_id
    assert queued.message_id == sent.data.message_id
    assert (await intake.history(case_id))[-3:] == [
        "MessageQueued",
        "MessageDispatched",
        "MessageSent",
    ]


async def test_the_address_is_opened_in_the_name_of_who_sends_it(intake: Site) -> None:
    case_id = await safe_case(intake)
    await intake.record(SendMessage, case_id, PETRO, **TOLD)
    await intake.next_event("MessageDispatched")
    subscription = await intake.jetstream.subscribe(subjects.audit(case_id), ordered_consumer=True)
    found = [json.loads((await subscription.next_msg(WITHIN_S)).data) for _ in range(2)]
    await subscription.unsubscribe()
    opened = {
        (one["by"], value["type_name"], value["field"]) for one in found for value in one["values"]
    }
    assert opened == {
        (PETRO, "CaseOpened", "caller_address"),
        ("service:intake", "MessageQueued", "to_address"),
        ("service:intake", "MessageQueued", "text"),
    }
    assert {one["purpose"] for one in found} == {"message to the caller"}


async def test_nothing_personal_is_readable_on_its_way(intake: Site) -> None:
    case_id = await safe_case(intake)
    await intake.record(SendMessage, case_id, **TOLD)
    await intake.next_event("MessageDispatched")
    async with asyncio.timeout(WITHIN_S):
        while not await given_to_channels(intake):
            pass
    message = await intake.jetstream.get_msg(subjects.OUTBOUND, 1)
    everything = b"|".join(
        [message.data or b"", str(message.subject).encode(), str(message.headers).encode()]
    )
    assert message.subject == "outbound.telegram"
    assert b"beispiel" not in everything
    assert b"Musterdorf" not in everything
    other = read_channel_private_key(intake.settings.keys_dir, "signal")
    with pytest.raises(BoxBrokenError):
        await Station(intake.client, "telegram", other).receive(WITHIN_S)


async def test_what_no_channel_fetches_in_time_is_gone_and_has_failed(impatient: Site) -> None:
    case_id = await safe_case(impatient)
    await impatient.record(SendMessage, case_id, **TOLD)
    failed = await outcome_of(impatient)
    assert failed.data.reason == "no_report"
    left = 1
    async with asyncio.timeout(WITHIN_S):
        while left:
            left = (await impatient.jetstream.stream_info(subjects.OUTBOUND)).state.messages
    assert await given_to_channels(impatient) == 1


async def test_a_report_that_comes_too_late_is_recorded_all_the_same(impatient: Site) -> None:
    case_id = await safe_case(impatient)
    # Asked for first: the message is there for a second only.
    receiving = asyncio.create_task(station(impatient).receive(WITHIN_S))
    await asyncio.sleep(0)
    await impatient.record(SendMessage, case_id, **TOLD)
    found = await receiving
    assert found is not None
    assert (await outcome_of(impatient)).type_name == "MessageFailed"
    await station(impatient).report(found.message.message_id, case_id, "sent")
    assert (await outcome_of(impatient)).type_name == "MessageSent"


@pytest.mark.parametrize(
    ("command", "fields", "reason"),
    [
        (SetContactRule, {"rule": "never"}, "contact_rule"),
        (CloseCase, {"reason": "withdrew"}, "case_over"),
        (
            ErasePersonalData,
            {"legal_basis": "request_of_person", "reference": "letter 17"},
            "erased",
        ),
    ],
)
async def test_what_changed_meanwhile_holds_a_message_back(
    intake: Site, command: type[Command], fields: dict[str, Any], reason: str
) -> None:
    case_id = await safe_case(intake)
    async with held_back(intake):
        await intake.record(SendMessage, case_id, **TOLD)
        await intake.record(command, case_id, **fields)
    refused = await outcome_of(intake)
    assert (refused.type_name, refused.data.reason) == ("MessageRefused", reason)
    await begin_anew(intake)
    await all_processed(intake)
    assert (await intake.history(case_id))[-1] == "MessageRefused"
    assert await given_to_channels(intake) == 0


async def test_a_sealed_key_holder_holds_a_message_back_until_it_is_unsealed(
    intake: Site,
) -> None:
    case_id = await safe_case(intake)
    async with held_back(intake):
        await intake.record(SendMessage, case_id, **TOLD)
        await intake.stop_key_holder()
    async with asyncio.timeout(WITHIN_S):
        while not await _taken(intake):
            pass
    assert (await intake.history(case_id))[-1] == "MessageQueued"
    await intake.restart_key_holder()
    found = await station(intake).deliver_next(WITHIN_S)
    assert found is not None
    assert found.text == TEXT


@pytest.mark.parametrize(
    ("channel", "other"), [("signal", False), ("telegram", True)], ids=["channel", "message"]
)
async def test_a_report_on_a_message_that_the_channel_was_not_given_is_parked(
    intake: Site, channel: Channel, *, other: bool
) -> None:
    case_id = await safe_case(intake)
    await intake.record(SendMessage, case_id, **TOLD)
    found = await station(intake).receive(WITHIN_S)
    assert found is not None
    message_id = "f" * 32 if other else found.message.message_id
    await station(intake, channel).report(message_id, case_id, "failed")
    (parked,) = await intake.parked()
    assert (parked.reason, parked.field) == ("wrong_data", "data.message_id")
    assert (await intake.history(case_id))[-1] == "MessageDispatched"


async def _taken(site: Site) -> int:
    """How many events intake has taken, and neither processed nor been given again."""
    info = await ask(site.client, f"CONSUMER.INFO.{subjects.CASES}.intake", None)
    return int(info["num_ack_pending"])
