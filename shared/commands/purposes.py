"""What a person may have personal values opened for: a list, and a remark in their own words."""

from typing import Annotated, Literal, get_args

from pydantic import Field

from shared.events.fields import Word

Purpose = Literal[
    "caller_on_the_line",
    "calling_back",
    "verifying",
    "arranging",
    "handing_over",
    "after_handover",
    "alarm",
    "request_of_person",
    "oversight",
]
"""Recorded with who asks, before the answer."""
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)

REMARK_MAX_CHARACTERS = 70
Remark = Annotated[Word, Field(max_length=REMARK_MAX_CHARACTERS)]


def why(purpose: Purpose, remark: str | None) -> str:
    """As it is recorded."""
    return purpose if remark is None else f"{purpose}: {remark}"
