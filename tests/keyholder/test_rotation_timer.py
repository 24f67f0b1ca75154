"""The nightly timer: one rotation a night, however often it is delivered."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.keyholder.handlers import ROTATION, receive_timer
from services.keyholder.keeping import Keeping
from services.keyholder.secrets import read_secrets
from shared.bus.timers import Timer
from shared.parked.parking import Delivery, UnprocessableError
from tests.timing import fire


def due(kind: str) -> Delivery:
    return fire("keyholder", Timer(kind=kind))


def at(keeping: Keeping, hours: int) -> Keeping:
    """So many hours after the keys were made."""
    return replace(keeping, now=lambda: datetime.now(UTC) + timedelta(hours=hours))


def epochs(keeping: Keeping) -> list[int]:
    return sorted(read_secrets(keeping.folder).keks)


def test_a_night_rotates_once_however_often_its_timer_comes(keeping: Keeping) -> None:
    assert receive_timer(at(keeping, 20), due(ROTATION)).result == "recorded"
    assert receive_timer(at(keeping, 0), due(ROTATION)).result == "ignored"
    assert receive_timer(at(keeping, 1), due(ROTATION)).result == "ignored"
    assert epochs(keeping) == [1, 2]


def test_four_nights_leave_three_epochs(keeping: Keeping) -> None:
    for _ in range(4):
        receive_timer(at(keeping, 20), due(ROTATION))
    assert epochs(keeping) == [3, 4, 5]


def test_another_timer_is_parked(keeping: Keeping) -> None:
    with pytest.raises(UnprocessableError, match="wrong_data"):
        receive_timer(keeping, due("other"))
