"""What a channel sends of a kind above its limit is sealed beside the call, and nothing is lost."""

from __future__ import annotations

import json

from services.intake.cleaning import LIST_MAX, ORIGINAL_MAX_BYTES, SECONDS_MAX, original_of
from services.intake.reading import MEDIA_MAX
from tests.intake.receiving import envelope, originals, received


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
