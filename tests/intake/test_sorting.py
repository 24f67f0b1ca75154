"""What waits to be worked on is not kept open: a channel's flood must not fill intake's memory."""

import gc
import threading
import tracemalloc
from types import SimpleNamespace
from typing import Any

import pytest

from services.intake import sorting
from services.intake.sorting import HEAVY_AT_ONCE, LIGHT_MAX_PARTS, sort_upstream
from shared.bus.lanes import Work
from shared.keys.client import TooManyError
from shared.parked.parking import Delivery
from tests.contexts import delivered_call
from tests.examples import NOON
from tests.intake.receiving import KEYS
from tests.waiting import WITHIN_S

PARTS = 10_000
OF_OTHERS_BYTES = 200_000
NO_CODES = SimpleNamespace(live_codes=lambda _codes: frozenset())


def listening_with(keys: object) -> Any:
    context = SimpleNamespace(keys=keys, now=lambda: NOON)
    intake = SimpleNamespace(context=context, index=NO_CODES)
    return SimpleNamespace(intake=intake, early_ends=None)


LISTENING = listening_with(KEYS)


def sort(body: bytes, channel: str = "phone") -> Work:
    (work,) = sort_upstream(LISTENING, [delivered_call(body, channel)])
    return work


@pytest.mark.parametrize(
    "kind",
    [
        '{"call_id": "1", "text": "a", "x": [%b]}',
        '{"call_id": "1", "media": [%b]}',
        '{"ended_at": [%b]}',
        "[%b]",
    ],
)
@pytest.mark.parametrize("part", [b"{}", b"1", b"[]", b'{"a": 1}'])
def test_what_a_message_in_hand_takes_is_of_the_order_of_its_bytes(kind: str, part: bytes) -> None:
    body = kind.encode() % b",".join([part] * PARTS)
    tracemalloc.start()
    work = sort(body)
    gc.collect()
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert work is not None
    # What other threads of the process allocate meanwhile is counted too.
    assert kept < 4 * len(body) + OF_OTHERS_BYTES


def test_what_was_not_kept_open_is_opened_when_its_turn_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    texts = []
    monkeypatch.setattr(
        sorting, "receive_call", lambda _i, _e, opened: texts.append(opened.incoming.text.value)
    )
    for said in ("short", "long " * 10_000):
        sort(b'{"call_id": "1", "text": "%b"}' % said.encode()).handle()
    assert texts == ["short", "long " * 2_000]


def test_a_long_call_waits_for_no_long_calls_of_another_channel(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    under_way, done = threading.Semaphore(0), threading.Event()

    def receive(_intake: Any, _ends: Any, opened: Any) -> None:
        if opened.incoming.channel == "phone":
            under_way.release()
            done.wait(WITHIN_S)

    monkeypatch.setattr(sorting, "receive_call", receive)
    long = b'{"call_id": "1", "text": "%b"}' % (b"long " * 10_000)
    floods = [threading.Thread(target=sort(long).handle) for _ in range(HEAVY_AT_ONCE + 1)]
    for one in floods:
        one.start()
    for _ in range(HEAVY_AT_ONCE):
        assert under_way.acquire(timeout=WITHIN_S)
    genuine = threading.Thread(target=sort(long, "telegram").handle)
    genuine.start()
    genuine.join(WITHIN_S / 2)
    is_over = not genuine.is_alive()
    done.set()
    for one in (*floods, genuine):
        one.join()
    assert is_over


class LimitedKeys:
    """Has so many values hashed, and then no more until it is given more."""

    left = 0
    unbox = staticmethod(KEYS.unbox)

    def hashes(self, values: list[tuple[str, str]]) -> list[tuple[str, ...]]:
        if len(values) > self.left:
            raise TooManyError("fewer hashes a minute", 1.0)
        self.left -= len(values)
        return KEYS.hashes(values)


def full_of_hashes(number: int, *, heavy: bool) -> Delivery:
    parts = ",".join(f'"м{number}-{one}"' for one in range(20))
    more = ", ".join(f'"x{one}": 1' for one in range(LIGHT_MAX_PARTS if heavy else 1))
    body = f'{{"call_id": "{number}", "text": "a", "media": [{parts}], {more}}}'
    return delivered_call(body.encode(), sequence=number)


@pytest.mark.parametrize("heavy", [range(0), range(1, 65), range(2, 65), range(2, 65, 2)])
def test_however_many_hashes_messages_need_they_are_sorted_with_those_there_are(
    heavy: range,
) -> None:
    keys = LimitedKeys()
    listening = listening_with(keys)
    waiting = [full_of_hashes(one, heavy=one in heavy) for one in range(1, 65)]
    for _ in range(len(waiting)):
        # All that a service is given in the pause between two attempts: less than all of them need.
        keys.left = 1_000
        try:
            waiting = waiting[len(sort_upstream(listening, waiting)) :]
        except TooManyError:
            continue
        if not waiting:
            return
    raise AssertionError(f"{len(waiting)} messages are never sorted")
