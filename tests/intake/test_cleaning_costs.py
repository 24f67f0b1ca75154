"""What a channel sends costs no function call for each character, whatever bytes it has: three
hundred calls of 380,000 bytes that are no text had kept the other channels' callers waiting."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from services.intake import cleaning
from shared.callers.addresses import spelled

LONG = 10_000
FEW = 2_000


def calls_made_by(work: Callable[[], Any]) -> int:
    made = 0

    def note(_frame: FrameType, event: str, _arg: object) -> None:
        nonlocal made
        made += event == "call"

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return made


@pytest.mark.parametrize("sign", ["a", "\udcff", "\x01", "\u202e", "\u0301", "1"])
@pytest.mark.parametrize(
    "read",
    [
        cleaning.text,
        cleaning.line,
        cleaning.is_true,
        cleaning.language,
        cleaning.region,
        lambda said: cleaning.original_of({"text": said}),
        lambda said: cleaning.plain([said]),
        lambda said: spelled("phone", said),
    ],
)
def test_no_function_is_called_for_each_character(read: Callable[[str], Any], sign: str) -> None:
    assert calls_made_by(lambda: read(sign * LONG)) < FEW


def test_what_is_no_text_is_kept_in_the_original_to_the_letter() -> None:
    kept = cleaning.original_of({"text": "a\udcff\ud800é😀"}).value
    assert kept == '{"text": "a\\udcff\\ud800é😀"}'
