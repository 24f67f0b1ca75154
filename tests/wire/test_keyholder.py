"""The key holder on a real server: what it grants, what it records first, and when it is sealed."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import pytest
from nats.js.errors import NotFoundError

from services.keyholder import budgets
from services.keyholder.lock import Lock
from services.keyholder.secrets import EPOCHS_KEPT
from shared import subjects
from shared.commands.base import Unavailable
from shared.commands.intake import AddNote, TriageCall
from shared.events.base import FIRST_PREVHASH
from shared.events.parsing import read_case_event
from shared.keys.access import AccessRecord
from shared.keys.client import KeysDeniedError, KeysUnavailableError, Searcher, TooManyError
from shared.keys.messages import VALUES_MAX, Denied, OpenedValue, SealedValue
from shared.policy import policy
from shared.settings import Settings
from tests.contexts import OLENA
from tests.waiting import WITHIN_S
from tests.wire.conftest import Site

AN_HOUR_S = 3_600.0
PURPOSES = (
    *("call", "caller-phone", "caller-walk_in"),
    *("return-code", "return-code-of", "service-number"),
)


async def keeper(site: Site, operation: str) -> dict[str, Any]:
    subject = subjects.keyholder(operation, "keeper")
    reply = await site.client.request(subject, b"", timeout=WITHIN_S)
    return dict(json.loads(reply.data))


async def a_call(site: Site) -> SealedValue:
    """What a caller said, sealed in the log."""
    await site.call(text="I want to live")
    await site.next_event()
    return SealedValue.of(read_case_event(await site.stored(1)), "text")


async def opened(site: Site, asker: str, value: SealedValue) -> OpenedValue:
    """Asks in a service's name, over the connection of one that runs."""
    keys = site.keys_of(asker)
    (one,) = await asyncio.to_thread(keys.open, [value], OLENA, "a test")
    return one


async def accesses(site: Site, count: int) -> list[AccessRecord]:
    subscription = await site.jetstream.subscribe("audit.>", ordered_consumer=True)
    found = [await subscription.next_msg(timeout=WITHIN_S) for _ in range(count)]
    await subscription.unsubscribe()
    return [AccessRecord.model_validate_json(message.data) for message in found]


async def test_an_opening_is_recorded_with_who_what_and_why(intake: Site) -> None:
    value = await a_call(intake)
    assert (await opened(intake, "query", value)).text == "I want to live"
    (record,) = await accesses(intake, 1)
    assert (record.by, record.service, record.purpose) == (OLENA, "query", "a test")
    (place,) = record.values
    assert (place.case_id, place.version, place.field) == (value.case_id, 1, "text")
    assert "live" not in record.model_dump_json()


async def test_what_cannot_be_recorded_is_not_opened(intake: Site) -> None:
    value = await a_call(intake)
    await intake.jetstream.delete_stream(subjects.AUDIT)
    with pytest.raises(KeysUnavailableError):
        await opened(intake, "query", value)


@pytest.mark.parametrize("asker", ["intake", "handover", "verification", "witness", "nobody"])
async def test_nobody_opens_what_the_policy_does_not_open_for_him(intake: Site, asker: str) -> None:
    value = await a_call(intake)
    with pytest.raises(KeysDeniedError):
        await opened(intake, asker, value)
    with pytest.raises(NotFoundError):
        await intake.jetstream.get_last_msg(subjects.AUDIT, "audit.>")


async def test_a_malformed_request_is_denied_and_says_which_field(site: Site) -> None:
    body = b'{"case_id":"not an id","version":0}'
    reply = await site.client.request("keyholder.seal.intake", body, timeout=WITHIN_S)
    denied = Denied.model_validate_json(reply.data)
    assert denied.denied == "invalid"
    assert "case_id" in denied.expected
    assert "not an id" not in denied.expected


async def test_sealed_means_that_nothing_opens_and_calls_wait(intake: Site) -> None:
    value = await a_call(intake)
    assert await intake.calls_left() == 0  # The first is acknowledged.
    case_id = value.case_id
    assert await keeper(intake, "close") == {"closed": True}
    with pytest.raises(KeysUnavailableError, match="unseal"):
        await opened(intake, "query", value)
    answered = await intake.ask(AddNote, "OTHER1234567", text="typed meanwhile")
    assert answered.result in {"refused", "unavailable"}
    await intake.call("+380440000009", text="are you there")
    triage = {"intent": "surrender", "situation": "serving", "urgency": "today"}
    await intake.record(TriageCall, case_id, call_id=await _call_id(intake), **triage)
    assert (await intake.jetstream.stream_info(subjects.calls_stream("phone"))).state.messages == 1
    await intake.restart_key_holder()
    assert (await intake.next_event("CaseOpened")).type_name == "CaseOpened"
    assert await intake.calls_left() == 0


async def test_a_forged_erasure_is_parked_and_everything_still_opens(intake: Site) -> None:
    value = await a_call(intake)
    opening = read_case_event(await intake.stored(1))
    data = {"classes": ["narrative"], "legal_basis": "retention_passed", "by": "nobody"}
    forged = {
        **opening.model_dump(mode="json", exclude_none=True),
        **{"id": uuid4().hex, "type": "passage.PersonalDataErased.v1", "data": data},
        **{"caseversion": 60_000, "prevhash": FIRST_PREVHASH},
    }
    subject = f"{subjects.CASES_PREFIX}.{value.case_id}.60000.PersonalDataErased"
    await intake.jetstream.publish(subject, json.dumps(forged).encode())
    (parked,) = await intake.parked()
    assert (parked.service, parked.reason) == ("keyholder", "chain_broken")
    assert (await opened(intake, "query", value)).state == "open"


async def test_a_case_whose_keys_are_of_a_dropped_epoch_goes_on(site: Site) -> None:
    """KEYS comes back from a backup that is older than three rotations."""
    async with site.service("intake"):
        value = await a_call(site)
        bucket = await site.jetstream.key_value(subjects.KEYS_BUCKET)
        copy = (await bucket.get(value.case_id)).value or b""
        for _ in range(EPOCHS_KEPT):
            await keeper(site, "rotate")
        await bucket.put(value.case_id, copy)
        await site.restart_key_holder()
        found = {"cases": 1, "damaged": [], "dropped": [value.case_id]}
        assert await keeper(site, "check") == found
    async with site.service("intake"):
        await site.call(text="are you there")
        again = await site.next_event()
        assert (again.type_name, again.subject) == ("CallLinked", value.case_id)
        assert (await opened(site, "query", value)).state == "erased"
        assert (await opened(site, "query", SealedValue.of(again, "text"))).text == "are you there"
        assert await keeper(site, "check") == {**found, "dropped": []}


async def _call_id(site: Site) -> str:
    return str(read_case_event(await site.stored(1)).data.call_id)


async def test_a_service_that_knows_a_cases_public_keys_goes_on_sealing(intake: Site) -> None:
    value = await a_call(intake)
    await keeper(intake, "close")
    await intake.record(AddNote, value.case_id, text="typed while sealed")
    unknown = await intake.ask(AddNote, value.case_id, text="x", by=OLENA)
    assert not isinstance(unknown, Unavailable)


async def test_a_rotation_and_a_new_pepper_leave_everything_findable(intake: Site) -> None:
    value = await a_call(intake)
    rotated = await keeper(intake, "rotate")
    assert (rotated["cases"], rotated["epoch"], rotated["epochs_kept"]) == (1, 2, [1, 2])
    assert (await keeper(intake, "pepper"))["version"] == 2
    assert await keeper(intake, "check") == {"cases": 1, "damaged": [], "dropped": []}
    assert (await opened(intake, "query", value)).state == "open"
    await intake.call()
    again = await intake.next_event()
    assert (again.type_name, again.subject) == ("CallLinked", value.case_id)
    await intake.restart_key_holder()
    assert (await opened(intake, "query", value)).state == "open"


def test_an_idle_key_holder_closes_itself_and_a_used_one_does_not() -> None:
    now = [0.0]
    lock = Lock(idle_s=60.0, clock=lambda: now[0])
    states = []
    for second in (59.0, 60.0, 118.0, 120.0):
        now[0] = second
        if second == 60.0:
            lock.use()
        lock.close_if_idle()
        states.append(lock.closed)
    assert states == [False, False, False, True]
    never = Lock(clock=lambda: 10.0**9)
    never.close_if_idle()
    assert not never.closed


async def hashes(site: Site, asker: str, purpose: str, count: int = 1) -> list[tuple[str, ...]]:
    values = [(purpose, f"+38044{number:07}") for number in range(count)]
    return await asyncio.to_thread(site.keys_of(asker).hashes, values)


@pytest.mark.parametrize("purpose", PURPOSES)
@pytest.mark.parametrize("asker", ["intake", "query", "verification", "handover", "witness"])
async def test_hashes_are_made_for_the_purposes_that_the_policy_gives(
    site: Site, asker: str, purpose: str
) -> None:
    if asker == "intake":
        assert await hashes(site, asker, purpose)
    else:
        with pytest.raises(KeysDeniedError, match="not granted"):
            await hashes(site, asker, purpose)


@pytest.mark.parametrize("purpose", ["caller-*", "caller-", "caller-post", "name", "return-codes"])
async def test_no_hash_is_made_for_a_purpose_that_is_not_listed(site: Site, purpose: str) -> None:
    body = json.dumps({"values": [{"purpose": purpose, "value": "+380440000001"}]}).encode()
    reply = await site.client.request("keyholder.hash.intake", body, timeout=WITHIN_S)
    denied = Denied.model_validate_json(reply.data)
    assert (denied.denied, "purpose" in denied.expected) == ("invalid", True)


async def test_a_service_gets_no_more_hashes_than_the_policy_gives_it_a_minute(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budgets, "MINUTE_S", AN_HOUR_S)  # No machine asks slower than it fills.
    allowed = policy().services["intake"].hashes_a_minute
    for _ in range(allowed // VALUES_MAX):
        await hashes(site, "intake", "caller-phone", VALUES_MAX)
    with pytest.raises(TooManyError, match="hashes a minute") as many:
        for _ in range(allowed // VALUES_MAX):  # The bucket fills meanwhile, by a little.
            await hashes(site, "intake", "caller-phone", VALUES_MAX)
    assert 0 < many.value.retry_after_s <= AN_HOUR_S


FOR_OLENA = Searcher(OLENA, "a test", ("service_number",))


async def search(site: Site, asker: str, who: Searcher, *values: tuple[str, str]) -> int:
    """Searches in a service's name; gives how many values were hashed."""
    return len(await asyncio.to_thread(site.keys_of(asker).search, who, values))


async def test_a_search_is_recorded_without_what_was_searched_for(site: Site) -> None:
    assert await search(site, "query", FOR_OLENA, ("service-number", "AB000123")) == 1
    await asyncio.to_thread(site.keys_of("query").found, FOR_OLENA, ["7KQ2M9XW4TRD"])
    asked, told = await accesses(site, 2)
    assert (asked.by, asked.purpose, asked.asked) == (OLENA, "a test", ("service_number",))
    assert (asked.is_search, asked.found, asked.subject) == (True, None, "audit.searches")
    assert (told.is_search, told.found, told.subject) == (False, 1, "audit.7KQ2M9XW4TRD")
    assert "AB000123" not in asked.model_dump_json() + told.model_dump_json()


async def test_what_cannot_be_recorded_is_not_searched_for(site: Site) -> None:
    await site.jetstream.delete_stream(subjects.AUDIT)
    with pytest.raises(KeysUnavailableError):
        await search(site, "query", FOR_OLENA, ("service-number", "AB000123"))


@pytest.mark.parametrize("purpose", PURPOSES)
async def test_a_search_is_made_for_the_purposes_that_the_policy_gives(
    site: Site, purpose: str
) -> None:
    if purpose in {"caller-phone", "caller-walk_in", "return-code", "service-number"}:
        assert await search(site, "query", FOR_OLENA, (purpose, "x")) == 1
    else:
        with pytest.raises(KeysDeniedError, match="not granted"):
            await search(site, "query", FOR_OLENA, (purpose, "x"))


@pytest.mark.parametrize("by", ["service:query", "Service:Query", " SERVICE:QUERY"])
async def test_nobody_searches_or_opens_as_if_he_were_the_service(intake: Site, by: str) -> None:
    value = await a_call(intake)
    keys = intake.keys_of("query")
    with pytest.raises(KeysDeniedError, match="the name of a person"):
        await search(intake, "query", FOR_OLENA._replace(by=by), ("service-number", "AB000123"))
    with pytest.raises(KeysDeniedError, match="the name of a person"):
        await asyncio.to_thread(keys.open, [value], by, "a test")
    with pytest.raises(KeysDeniedError, match="a field"):
        await asyncio.to_thread(keys.open, [value], by, "a test", "own")


async def test_a_persons_budget_is_spent_for_him_alone(site: Site) -> None:
    with pytest.raises(TooManyError, match="searches an hour") as many:
        for _ in range(Settings().person_searches_an_hour):  # A start gives half.
            await search(site, "query", FOR_OLENA)
    assert many.value.retry_after_s > 0
    assert await search(site, "query", FOR_OLENA._replace(by="Petro Example")) == 0
    assert await hashes(site, "intake", "caller-phone")
