"""How much of a channel is taken an hour: what is recorded counts, not only what it sends."""

from functools import partial
from typing import cast

from nats.aio.client import Client
from nats.aio.msg import Msg

from shared.bus.consuming import process
from shared.bus.hands import RECORDED_BYTES, Hand, Held, Pace
from shared.bus.lanes import Work
from shared.events.base import Event
from shared.events.fields import Plain
from shared.events.intake import NoteAdded
from shared.log.case_log import Fold
from shared.log.transact import Cause, transact
from shared.parked.parking import Delivery
from shared.subjects import Durable
from tests.contexts import NOW, context_for
from tests.examples import CASE


async def test_a_message_counts_what_it_leaves_in_the_log() -> None:
    at = context_for("intake", Fold(0, lambda count, _event: count + 1))
    cause = Cause("m1", "story-1", "channel:phone", "/services/intake", NOW)
    handle = partial(transact, at.writer, CASE, cause, lambda _state: [_long_note()])
    delivery = Delivery(stream="CALLS_phone", sequence=1, subject="", body=b"x", deliveries=1)
    done = process(handle, delivery)
    (stored,) = at.writer.log.recorder.select_events(CASE)
    assert done.stored_bytes == len(stored.state)

    pace = Pace("CALLS_phone", len(stored.state))
    pace.take(len(delivery.body))
    assert pace.lets(_nothing)
    hand = Hand(
        Durable("intake", "CALLS_phone", ()), "", _unsorted, _put_nowhere, _parks_none, pace
    )
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


def _put_nowhere(*_: object) -> None:
    pass


async def _parks_none(*_: object) -> bool:
    return False


def _long_note() -> Event:
    return NoteAdded(text=Plain("x" * 9_000))


def _nothing() -> None:
    pass
