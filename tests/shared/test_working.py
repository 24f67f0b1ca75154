"""What becomes of a message that has no room among the long ones."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from shared.bus.consuming import Processed
from shared.bus.hands import Hand, Held
from shared.bus.lanes import Work
from shared.bus.working import LONG_AGAIN_S, Working
from shared.log.transact import Outcome
from shared.log.turns import require_not_in_passing
from shared.parked.parking import Delivery
from shared.subjects import Durable
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
