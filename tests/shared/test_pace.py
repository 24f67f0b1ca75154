"""How much of a channel is taken an hour: what is recorded counts, not only what it sends."""

from __future__ import annotations

from shared.bus.hands import RECORDED_BYTES, Pace

CALLS = 10


async def test_many_short_calls_are_paced_as_few_long_ones_are() -> None:
    short, long = (Pace("CALLS_phone", CALLS * RECORDED_BYTES) for _ in range(2))
    for _ in range(CALLS):
        assert short.lets(_nothing)
        short.take(1)
    long.take((CALLS - 1) * RECORDED_BYTES)
    assert not short.lets(_nothing)
    assert not long.lets(_nothing)


def _nothing() -> None:
    pass
