"""What a channel sends of a kind above its limit is sealed beside the call, and nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest
from typing_extensions import override

from services.intake.cleaning import LIST_MAX, ORIGINAL_MAX_BYTES, SECONDS_MAX, original_of
from services.intake.codes import ATTEMPTS as CODES_TRIED
from services.intake.codes import _reserved
from services.intake.parsing import MEDIA_MAX
from services.intake.receiving import ATTEMPTS as ENDS_TRIED
from services.intake.receiving import EarlyEnds
from shared.commands.intake import IssueReturnCode
from shared.events.calls import CallEnded
from shared.jetstream.buckets import Change, TakenError
from shared.log.transact import ContendedError
from shared.parked.parking import UnprocessableError
from tests.contexts import MemoryBucket
from tests.examples import CASE, NOON
from tests.intake.receiving import KEYS, envelope, originals, received


def test_a_call_has_so_many_media_and_the_others_stand_in_its_original() -> None:
    most = [f"photo-{number}" for number in range(MEDIA_MAX)]
    taken, shortened = (received(envelope(media=one)) for one in (most, [*most, "photo-more"]))
    assert (taken.media, taken.changed) == (tuple(most), None)
    assert (shortened.media, shortened.changed) == (tuple(most), ("media_replaced",))
    assert originals(shortened)["media"] == [*most, "photo-more"]


def test_of_a_list_of_so_many_parts_each_has_a_head_of_its_own() -> None:
    part = "x" * (ORIGINAL_MAX_BYTES // LIST_MAX + 1)
    each, one = (
        json.loads(original_of({"media": [part] * count, "text": "y"}).value or "")
        for count in (LIST_MAX, LIST_MAX + 1)
    )
    assert set(each) == {"all"}  # Parts shorter than a head are left as they are.
    assert set(one) == {"media", "text"}
    assert set(one["media"]) == {"head", "characters", "sha256"}


def test_a_number_of_seconds_above_its_limit_is_one_of_milliseconds() -> None:
    seconds = 1_900_000_000
    assert seconds < SECONDS_MAX < seconds * 1_000
    both = [received(envelope(started_at=one)).started_at for one in (seconds, seconds * 1_000)]
    assert both[0] == both[1]


class Restless(MemoryBucket):
    """A bucket in which somebody else is always first."""

    tried: int = 0

    @override
    def create(self, key: str, value: bytes) -> int:
        self.tried += 1
        raise TakenError(key)

    @override
    def change(self, changes: Sequence[Change]) -> list[int]:
        raise TakenError("changed")


def test_an_end_whose_place_keeps_changing_is_tried_again_later() -> None:
    bucket = Restless()
    ended = CallEnded(call_id="call-1", channel="phone", ended_at=NOON)
    with pytest.raises(ContendedError):
        EarlyEnds(bucket).remember(ended)
    assert bucket.tried == ENDS_TRIED


def test_so_many_return_codes_in_a_row_are_no_chance() -> None:
    tried = []

    def taken(*_: object, **__: object) -> bool:
        tried.append(1)
        return False

    intake = SimpleNamespace(context=SimpleNamespace(keys=KEYS), index=SimpleNamespace())
    intake.index.reserve_code = taken
    command = IssueReturnCode(command_id="c-1", case_id=CASE, by="olena")
    with pytest.raises(UnprocessableError):
        _reserved(cast(Any, intake), command, is_issued=False)
    assert len(tried) <= CODES_TRIED
    assert len(tried) > CODES_TRIED // 2
