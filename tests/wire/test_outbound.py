"""A message to a caller through real services: it goes once, whatever comes twice or breaks off."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from typing_extensions import override

from passage.deliveries import Station
from passage.provisioning import ask, provision
from services.intake.sending import Post, Sending, dispatch
from services.intake.state import IntakeState, evolve
from shared import subjects
from shared.boxes import BoxBrokenError
from shared.case_log import Fold
from shared.commands.base import Command, Refused
from shared.commands.intake import (
    CloseCase,
    ErasePersonalData,
    SendMessage,
    SetContactRule,
)
from shared.events.base import CaseEvent
from shared.events.fields import Channel
from shared.keyfiles import read_channel_private_key, read_channel_public_keys
from shared.outgoing import OutgoingMessage
from shared.parking import Delivery
from shared.service import assemble
from tests.asking import PETRO
from tests.wire.conftest import ANSWER_WITHIN_S, Site

pytestmark = pytest.mark.wire

ADDRESS = "@beispiel_canary"
TEXT = "wait at the river of Musterdorf"
CALLED = ["CaseOpened", "ContactRuleSet"]
TOLD: dict[str, Any] = {"channel": "telegram", "text": TEXT}


class PowerCutError(BaseException):
    """The process ended."""


@pytest.fixture
async def intake(site: Site) -> AsyncIterator[Site]:
    async with site.service("intake"):
        yield site


@pytest.fixture
async def impatient(site: Site) -> AsyncIterator[Site]:
    """An installation in which a channel must report at once."""
    site.settings = site.settings.model_copy(update={"outbound_report_minutes": 0.001})
    async with site.service("intake"):
        yield site


@asynccontextmanager
async def held_back(site: Site) -> AsyncIterator[None]:
    """Has intake get no event while the block lasts."""
    consumer = f"CONSUMER.PAUSE.{subjects.CASES}.intake"
    await ask(site.client, consumer, {"pause_until": "2126-01-01T00:00:00Z"})
    yield
    await ask(site.client, consumer, {})


def station(site: Site, channel: Channel = "telegram") -> Station:
    key = read_channel_private_key(site.settings.keys_dir, channel)
    return Station(site.client, channel, key)


async def safe_case(site: Site, rule: str = "yes") -> str:
    """Gives the case of a man who called on telegram, and said when it is safe to reach him."""
    await site.call(ADDRESS, on="telegram")
    case_id = (await site.next_event("CaseOpened")).subject
    await site.record(SetContactRule, case_id, rule=rule)
    return case_id


async def given_to_channels(site: Site) -> int:
    """Gives how many messages OUTBOUND ever took."""
    return (await site.jetstream.stream_info(subjects.OUTBOUND)).state.last_seq


async def begin_anew(site: Site) -> None:
    """Has intake read CASES from its beginning again."""
    consumer = f"{subjects.CASES}.intake"
    found = await ask(site.client, f"CONSUMER.INFO.{consumer}", None)
    await ask(site.client, f"CONSUMER.DELETE.{consumer}", None)
    config = {"stream_name": subjects.CASES, "config": found["config"], "action": "create"}
    await ask(site.client, f"CONSUMER.CREATE.{consumer}", config)


async def all_processed(site: Site) -> None:
    """Waits until intake has acknowledged every event that it consumes."""
    left = 1
    async with asyncio.timeout(ANSWER_WITHIN_S):
        while left:
            info = await ask(site.client, f"CONSUMER.INFO.{subjects.CASES}.intake", None)
            left = info["num_pending"] + info["num_ack_pending"]


async def outcome_of(site: Site) -> CaseEvent[Any]:
    return await site.next_event("MessageSent", "MessageFailed", "MessageRefused")


async def test_a_message_goes_out_and_its_channel_says_that_it_was_sent(intake: Site) -> None:
    case_id = await safe_case(intake)
    await intake.record(SendMessage, case_id, **TOLD)
    found = await station(intake).deliver_next(ANSWER_WITHIN_S)
    assert found is not None
    assert (found.to_address, found.text) == (ADDRESS, TEXT)
    assert (found.message.case_id, found.message.language) == (case_id, "ru")
    sent = await outcome_of(intake)
    assert sent.type_name == "MessageSent"
    assert sent.actor == "channel:telegram"
    assert sent.correlationid == found.message.message_id == sent.data.message_id
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
    found = [json.loads((await subscription.next_msg(ANSWER_WITHIN_S)).data) for _ in range(2)]
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
    async with asyncio.timeout(ANSWER_WITHIN_S):
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
        await Station(intake.client, "telegram", other).receive(ANSWER_WITHIN_S)


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
    }
    await intake.record(SetContactRule, case_id, rule="window", windows=[window])
    refused = await intake.ask(SendMessage, case_id, **TOLD)
    assert isinstance(refused, Refused)
    assert refused.guard == "contact_allowed"
    assert await given_to_channels(intake) == 0


async def test_the_same_command_again_sends_nothing_again(intake: Site) -> None:
    case_id = await safe_case(intake)
    seen = len(await intake.history(case_id))
    same = {"command_id": "cmd-same", "seen_version": seen, **TOLD}
    first = await intake.record(SendMessage, case_id, **same)
    again = await intake.record(SendMessage, case_id, **same)
    assert (first.result, again.result) == ("recorded", "repeated")
    assert await station(intake).deliver_next(ANSWER_WITHIN_S) is not None
    await outcome_of(intake)
    assert await given_to_channels(intake) == 1


async def test_reading_the_log_from_its_beginning_sends_nothing_again(intake: Site) -> None:
    case_id = await safe_case(intake)
    for channel_says in ("sent", "failed"):
        await intake.record(SendMessage, case_id, **TOLD)
        await station(intake).deliver_next(ANSWER_WITHIN_S, channel_says)
        await outcome_of(intake)
    await intake.record(SendMessage, case_id, **TOLD)
    assert await station(intake).receive(ANSWER_WITHIN_S) is not None
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
    deliver = intake.running["intake"].bus._deliveries[subjects.CASES]
    queued = await intake.jetstream.get_msg(subjects.CASES, 3)
    delivery = Delivery(
        stream=subjects.CASES,
        sequence=3,
        subject=queued.subject or "",
        body=queued.data or b"",
        deliveries=2,
    )
    outcomes = await asyncio.gather(*(asyncio.to_thread(deliver, delivery) for _ in range(8)))
    assert {one.result for one in outcomes} == {"repeated"}
    assert await given_to_channels(intake) == 1


async def test_two_processes_of_intake_send_it_once(site: Site) -> None:
    async with site.service("intake"), site.service("intake"):
        case_id = await safe_case(site)
        for _ in range(5):
            await site.record(SendMessage, case_id, **TOLD)
            await begin_anew(site)
        for _ in range(5):
            assert await station(site).receive(ANSWER_WITHIN_S) is not None
        await all_processed(site)
    assert (await site.history(case_id)).count("MessageDispatched") == 5
    assert await given_to_channels(site) == 5


class PowerCut(Post):
    """A post at which the process ends: nothing that follows happens."""

    @override
    def give(self, message: OutgoingMessage, now: datetime) -> bool:
        raise PowerCutError


async def test_a_process_that_ends_before_the_channel_gets_it_sends_nothing_later(
    impatient: Site,
) -> None:
    site = impatient
    case_id = await safe_case(site)
    async with held_back(site):
        await site.record(SendMessage, case_id, **TOLD)
        queued = await site.next_event("MessageQueued")
        service = assemble("intake", Fold(IntakeState(), evolve), site.settings)
        keys = read_channel_public_keys(site.settings.keys_dir)
        cut = Sending(service.desk, PowerCut(), keys, timedelta(minutes=10), [].append)
        with pytest.raises(PowerCutError):
            await asyncio.to_thread(dispatch, cut, queued)
        service.close()
    failed = await outcome_of(site)  # The service that goes on is told by its timer alone.
    assert (failed.type_name, failed.data.reason) == ("MessageFailed", "no report")
    assert failed.actor == "service:intake"
    assert await site.history(case_id) == [
        *CALLED,
        "MessageQueued",
        "MessageDispatched",
        "MessageFailed",
    ]
    assert await given_to_channels(site) == 0


async def test_what_can_not_be_given_to_its_channel_is_not_tried_again(impatient: Site) -> None:
    site = impatient
    case_id = await safe_case(site)
    await ask(site.client, f"STREAM.DELETE.{subjects.OUTBOUND}", None)
    await site.record(SendMessage, case_id, **TOLD)
    failed = await outcome_of(site)
    assert (failed.type_name, failed.data.reason) == ("MessageFailed", "no report")
    await provision(site.client, replicas=1)
    await begin_anew(site)
    await all_processed(site)
    assert await given_to_channels(site) == 0


async def test_what_no_channel_fetches_in_time_is_gone_and_has_failed(impatient: Site) -> None:
    site = impatient
    case_id = await safe_case(site)
    await site.record(SendMessage, case_id, **TOLD)
    failed = await outcome_of(site)
    assert failed.data.reason == "no report"
    left = 1
    async with asyncio.timeout(ANSWER_WITHIN_S):
        while left:
            left = (await site.jetstream.stream_info(subjects.OUTBOUND)).state.messages
    assert await given_to_channels(site) == 1


async def test_a_report_that_comes_too_late_is_recorded_all_the_same(impatient: Site) -> None:
    site = impatient
    case_id = await safe_case(site)
    await site.record(SendMessage, case_id, **TOLD)
    found = await station(site).receive(ANSWER_WITHIN_S)
    assert found is not None
    assert (await outcome_of(site)).type_name == "MessageFailed"
    await station(site).report(found.message.message_id, case_id, "sent")
    assert (await outcome_of(site)).type_name == "MessageSent"


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
    async with asyncio.timeout(ANSWER_WITHIN_S):
        while not await _deliveries(intake):
            pass
    assert (await intake.history(case_id))[-1] == "MessageQueued"
    await intake.restart_key_holder()
    found = await station(intake).deliver_next(ANSWER_WITHIN_S)
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
    found = await station(intake).receive(ANSWER_WITHIN_S)
    assert found is not None
    message_id = "f" * 32 if other else found.message.message_id
    await station(intake, channel).report(message_id, case_id, "failed")
    (parked,) = await intake.parked()
    assert (parked.reason, parked.field) == ("wrong_data", "data.message_id")
    assert (await intake.history(case_id))[-1] == "MessageDispatched"


async def test_a_channel_that_reports_twice_is_recorded_once(intake: Site) -> None:
    case_id = await safe_case(intake)
    await intake.record(SendMessage, case_id, **TOLD)
    found = await station(intake).deliver_next(ANSWER_WITHIN_S, "refused")
    assert found is not None
    refused = await outcome_of(intake)
    assert (refused.type_name, refused.data.reason) == ("MessageRefused", "channel")
    await station(intake).report(found.message.message_id, case_id, "sent")
    assert await intake.calls_left() == 0
    assert (await intake.history(case_id))[-1] == "MessageRefused"


async def _deliveries(site: Site) -> int:
    info = await ask(site.client, f"CONSUMER.INFO.{subjects.CASES}.intake", None)
    return int(info["num_redelivered"])
