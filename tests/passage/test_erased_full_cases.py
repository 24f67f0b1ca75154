"""What `passage verify --erased` costs where a case has thousands of calls."""

from __future__ import annotations

import time

from passage.integrity.erasure.copies import Erasures
from tests.examples import CASE


def test_a_value_takes_as_long_to_look_at_however_many_calls_the_case_has() -> None:
    assert _seconds_a_look(calls=8_000) < 4 * _seconds_a_look(calls=80)


def _seconds_a_look(calls: int) -> float:
    erasures = Erasures(CASE, call_ids={f"call-{one}" for one in range(calls)})
    took = []
    for _ in range(3):
        began = time.thread_time()
        for _ in range(200):
            erasures.take_bytes("database", b"a value of a row")
        took.append(time.thread_time() - began)
    return min(took)
