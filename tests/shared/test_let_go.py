"""What was delivered and could not be processed is in nobody's memory afterwards."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from shared.bus.consuming import process
from shared.bus.lanes import Work
from shared.parked.parking import Delivery, UnprocessableError


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
