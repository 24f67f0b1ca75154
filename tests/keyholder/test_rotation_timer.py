"""The nightly timer: one rotation a night, however often it is delivered."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from services.keyholder.access import Records
from services.keyholder.handlers import ROTATION, receive_timer
from services.keyholder.holder import Holder
from services.keyholder.lock import Lock
from services.keyholder.main import budgets_of
from services.keyholder.people import Erasures, Keeping
from services.keyholder.ring import KeyRing
from services.keyholder.secrets import make_key_files, read_secrets
from shared.bus.timers import Timer
from shared.log.case_log import CaseLog
from shared.parked.parking import Delivery, UnprocessableError
from shared.policy import policy
from shared.settings import Settings
from tests.contexts import MemoryBucket


@pytest.fixture
def keeping(tmp_path: Path) -> Keeping:
    make_key_files(tmp_path)
    ring = KeyRing(MemoryBucket(), read_secrets(tmp_path))
    ring.for_sealing("CASE", 1, "")
    return Keeping(
        budgets=budgets_of(Settings()),
        holder=Holder(ring),
        records=cast("Records", None),  # Nothing is opened here.
        policy=policy(),
        lock=Lock(),
        log=cast("CaseLog[Erasures]", None),  # Nothing is erased.
        folder=tmp_path,
        now=lambda: datetime.now(UTC),
    )


def due(kind: str) -> Delivery:
    return Delivery(
        stream="TIMERS_keyholder",
        sequence=1,
        subject=f"due.keyholder.{kind}",
        body=Timer(kind=kind).model_dump_json(exclude_none=True).encode(),
        deliveries=1,
    )


def at(keeping: Keeping, later: timedelta) -> Keeping:
    return replace(keeping, now=lambda: datetime.now(UTC) + later)


def epochs(keeping: Keeping) -> list[int]:
    return sorted(read_secrets(keeping.folder).keks)


def test_a_night_rotates_once_however_often_its_timer_comes(keeping: Keeping) -> None:
    assert receive_timer(at(keeping, timedelta(hours=20)), due(ROTATION)).result == "recorded"
    assert receive_timer(keeping, due(ROTATION)).result == "ignored"
    assert receive_timer(at(keeping, timedelta(hours=1)), due(ROTATION)).result == "ignored"
    assert epochs(keeping) == [1, 2]


def test_four_nights_leave_three_epochs(keeping: Keeping) -> None:
    for _ in range(4):
        receive_timer(at(keeping, timedelta(hours=20)), due(ROTATION))
    assert epochs(keeping) == [3, 4, 5]


def test_another_timer_is_parked(keeping: Keeping) -> None:
    with pytest.raises(UnprocessableError, match="wrong_data"):
        receive_timer(keeping, due("other"))
