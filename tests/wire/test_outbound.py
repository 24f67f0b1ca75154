"""A message to a caller through real services: from the command to its channel, and back."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from passage.deliveries import Station
from passage.install.provisioning import ask
from shared import subjects
from shared.commands.base import Command, Refused
from shared.commands.intake import (
    CloseCase,
    ErasePersonalData,
    IssueReturnCode,
    SendMessage,
    SetContactRule,
)
from shared.events.fields import Channel
from shared.keys.boxes import BoxBrokenError
from shared.keys.keyfiles import read_channel_private_key
from tests.asking import PETRO
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


async def test_until_he_says_so_nobody_writes_and_a_window_that_is_over_does_not_help(
    intake: Site,
) -> None:
    await intake.call(ADDRESS, on="telegram")
    case_id = (await intake.next_event("CaseOpened")).subject
    refused = await intake.ask(SendMessage, case_id, **TOLD)
    assert isinstance(refused, Refused)
    assert refused.guard == "contact_allowed"
    over = datetime.now(UTC) - timedelta(hours=2)
    window = {
        "from_time": f"{over - timedelta(hours=1):%H:%M}",
        "to_time": f"{over:%H:%M}",
        "zone": "UTC",
    }
    await intake.record(SetContactRule, case_id, rule="window", windows=[window])
    refused = await intake.ask(SendMessage, case_id, **TOLD)
    assert isinstance(refused, Refused)
    assert refused.guard == "contact_allowed"
    assert await given_to_channels(intake) == 0


async def test_it_goes_until_the_window_ends_and_not_to_a_phone_that_called_since(
    intake: Site,
) -> None:
    case_id = await safe_case(intake, "never")
    now = datetime.now(UTC)
    end = (now + timedelta(minutes=5)).replace(second=0, microsecond=0)
    begin = now - timedelta(hours=1)
    window = {"from_time": f"{begin:%H:%M}", "to_time": f"{end:%H:%M}", "zone": "UTC"}
    await intake.record(SetContactRule, case_id, rule="window", windows=[window])
    codes = await intake.record(IssueReturnCode, case_id)
    await intake.call("@fremd", code=codes.return_code, on="telegram")
    linked = await intake.next_event("CallLinked")
    assert (linked.subject, linked.data.caller_address is None) == (case_id, False)
    await intake.record(SendMessage, case_id, **TOLD)
    found = await station(intake).deliver_next(WITHIN_S)
    assert found is not None
    assert (found.to_address, found.message.valid_until) == (ADDRESS, end)


async def test_the_same_command_again_sends_nothing_again(intake: Site) -> None:
    case_id = await safe_case(intake)
    seen = len(await intake.history(case_id))
    same = {"command_id": "cmd-same", "seen_version": seen, **TOLD}
    first = await intake.record(SendMessage, case_id, **same)
    again = await intake.record(SendMessage, case_id, **same)
    assert (first.result, again.result) == ("recorded", "repeated")
    assert await station(intake).deliver_next(WITHIN_S) is not None
    await outcome_of(intake)
    assert await given_to_channels(intake) == 1


async def test_what_is_typed_twice_is_asked_again_and_what_is_too_long_refused_at_once(
    intake: Site,
) -> None:
    case_id = await safe_case(intake)
    await intake.record(SendMessage, case_id, **TOLD)
    await intake.next_event("MessageDispatched")
    twice = await intake.ask(SendMessage, case_id, **{**TOLD, "text": f"{TEXT} "})
    assert isinstance(twice, Refused)
    assert (twice.guard, "again=true" in twice.satisfied_by) == ("said_once", True)
    await intake.record(SendMessage, case_id, **TOLD, again=True)
    await intake.next_event("MessageDispatched")
    too_long = await intake.ask(SendMessage, case_id, **{**TOLD, "text": "ж" * 4_097})
    assert isinstance(too_long, Refused)
    assert too_long.guard == "message_fits"
    assert "4096 UTF-16 units for telegram; it has 4097" in too_long.satisfied_by


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


async def test_it_does_not_go_to_a_phone_that_is_not_the_safe_one_any_more(intake: Site) -> None:
    case_id = await safe_case(intake)
    codes = await intake.record(IssueReturnCode, case_id)
    await intake.call("@fremd", code=codes.return_code, on="telegram")
    await intake.next_event("CallLinked")
    async with held_back(intake):
        await intake.record(SendMessage, case_id, **TOLD)
        await intake.record(SetContactRule, case_id, rule="yes")
    refused = await intake.next_event("MessageDispatched", "MessageRefused")
    assert refused.type_name == "MessageRefused"
    assert refused.data.reason == "address"
    assert await given_to_channels(intake) == 0
    await intake.record(SendMessage, case_id, **TOLD)
    found = await station(intake).deliver_next(WITHIN_S)
    assert found is not None
    assert found.to_address == "@fremd"


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


async def test_a_channel_that_reports_twice_is_recorded_once(intake: Site) -> None:
    case_id = await safe_case(intake)
    await intake.record(SendMessage, case_id, **TOLD)
    found = await station(intake).deliver_next(WITHIN_S, "refused")
    assert found is not None
    refused = await outcome_of(intake)
    assert (refused.type_name, refused.data.reason) == ("MessageRefused", "channel")
    await station(intake).report(found.message.message_id, case_id, "sent")
    assert await intake.calls_left() == 0
    assert (await intake.history(case_id))[-1] == "MessageRefused"


async def _taken(site: Site) -> int:
    """How many events intake has taken, and neither processed nor been given again."""
    info = await ask(site.client, f"CONSUMER.INFO.{subjects.CASES}.intake", None)
    return int(info["num_ack_pending"])
