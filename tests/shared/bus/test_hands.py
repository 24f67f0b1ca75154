"""What becomes of a message that has no room among the long ones."""

import asyncio
import gc
import weakref
from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from shared.bus.broker import HEADERS_MAX_BYTES, _AnyHeaders
from shared.bus.consuming import Processed, process
from shared.bus.hands import RECORDED_BYTES, Hand, Held, Pace
from shared.bus.lanes import Work
from shared.bus.working import LONG_AGAIN_S, Working
from shared.events.fields import Plain
from shared.events.intake import NoteAdded
from shared.log.case_log import Fold
from shared.log.transact import Cause, Outcome, transact
from shared.log.turns import require_not_in_passing
from shared.parked.parking import Delivery, UnprocessableError
from shared.subjects import Durable
from tests.contexts import NOW, context_for
from tests.examples import CASE
from tests.waiting import WITHIN_S

STREAM = "CALLS_web"


def needs_a_long_case() -> Outcome:
    require_not_in_passing(CASE)
    return Outcome("ignored", CASE, 0, 0)


@pytest.mark.parametrize(("bytes_max", "has_room"), [(100, True), (10, False)])
async def test_a_message_too_large_to_wait_for_a_long_case_is_given_back(
    bytes_max: int, has_room: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.bus.lanes.LONG_BYTES_MAX", bytes_max)
    ended: asyncio.Queue[Processed] = asyncio.Queue()

    async def end(_held: Held, done: Processed) -> None:
        ended.put_nowait(done)

    hand = SimpleNamespace(
        durable=Durable("intake", STREAM, ("calls.web",)), holds=lambda _: True, end=end
    )
    delivery = Delivery(
        stream=STREAM, sequence=1, subject="calls.web", body=b"-" * 20, deliveries=1
    )
    working = Working(threads=1)
    held = Held(cast(Any, None), delivery)
    working.put(cast(Hand, hand), Work("he", needs_a_long_case), held)
    done = await asyncio.wait_for(ended.get(), WITHIN_S)
    assert (done.acknowledged, done.again_in_s) == (has_room, None if has_room else LONG_AGAIN_S)


@pytest.fixture
def without_collecting() -> Iterator[None]:
    """Python looks for cycles too rarely to rely on: what is in one may wait for hours."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("error", [UnprocessableError("not_json"), ValueError()])
@pytest.mark.usefixtures("without_collecting")
def test_a_message_is_let_go_when_its_work_has_failed(error: Exception) -> None:
    work = Work.that_fails(error)
    delivery = Delivery(stream="CALLS_web", sequence=1, subject="calls.web", body=b"", deliveries=9)
    kept = weakref.ref(delivery)
    done = process(work.handle, delivery)
    del delivery
    assert done.acknowledged
    assert kept() is None


CALLS = 10


async def test_many_short_calls_are_paced_as_few_long_ones_are() -> None:
    short, long = (Pace("CALLS_phone", CALLS * RECORDED_BYTES) for _ in range(2))
    for _ in range(CALLS):
        assert short.lets(_nothing)
        short.take(1)
    long.take((CALLS - 1) * RECORDED_BYTES)
    assert not short.lets(_nothing)
    assert not long.lets(_nothing)


async def test_a_message_counts_what_it_leaves_in_the_log() -> None:
    at = context_for("intake", Fold(0, lambda count, _event: count + 1))
    cause = Cause("m1", "story-1", "channel:phone", "/services/intake", NOW)
    note = NoteAdded(text=Plain("x" * 9_000))
    handle = partial(transact, at.writer, CASE, cause, lambda _state: [note])
    delivery = Delivery(stream="CALLS_phone", sequence=1, subject="", body=b"x", deliveries=1)
    done = process(handle, delivery)
    (stored,) = at.writer.log.recorder.select_events(CASE)
    assert done.stored_bytes == len(stored.state)

    pace = Pace("CALLS_phone", len(stored.state))
    pace.take(len(delivery.body))
    assert pace.lets(_nothing)
    hand = Hand(Durable("intake", "CALLS_phone", ()), "", _unsorted, _nowhere, _parks_none, pace)
    await hand.end(Held(Msg(cast(Client, _Deaf()), reply="answer"), delivery), done)
    assert not pace.lets(_nothing)
    assert process(handle, delivery).stored_bytes == 0  # A repetition leaves nothing.


async def test_a_message_that_leaves_less_than_it_counted_gives_nothing_back() -> None:
    pace = Pace("CALLS_phone", RECORDED_BYTES)
    pace.take(1)
    pace.take_stored(0, 1)
    assert not pace.lets(_nothing)


class _Deaf:
    async def publish(self, *_: object) -> None:
        pass


def _unsorted(_deliveries: object) -> list[Work]:
    return []


def _nowhere(*_: object) -> None:
    pass


async def _parks_none(*_: object) -> bool:
    return False


def _nothing() -> None:
    pass


async def test_headers_longer_than_any_of_the_server_s_or_ours_are_not_read() -> None:
    line = b"Nats-Msg-Id: x\r\n"
    client = _AnyHeaders()
    short = b"NATS/1.0\r\n" + line + b"\r\n"
    assert await client._process_headers(short) == {"Nats-Msg-Id": "x"}
    long = b"NATS/1.0\r\n" + line * (HEADERS_MAX_BYTES // len(line) + 1) + b"\r\n"
    assert await client._process_headers(long) == {}
