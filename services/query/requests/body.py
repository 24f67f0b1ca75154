"""What requests share: only known fields, and what they are for."""

from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from shared.events.fields import Word

SEQUENCE_MAX = 2**53
"""The largest integer that JSON carries everywhere without loss."""

PARKED_MAX = 100
"""Parked messages on one page."""

VersionCursor = Annotated[
    str | None, Field(pattern=r"^[0-9]{1,15}$", description="the `next` of an earlier answer")
]

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
"""What personal values are asked for; recorded with who asks, before the answer."""

REMARK_MAX_CHARACTERS = 70


PURPOSES: tuple[Purpose, ...] = get_args(Purpose)


class Body(BaseModel):
    """A request's body, or its query."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class ForPurpose(Body):
    """What for: recorded, with who asks, before the answer is given."""

    purpose: Purpose
    remark: Annotated[Word, Field(max_length=REMARK_MAX_CHARACTERS)] | None = None

    @property
    def why(self) -> str:
        """The purpose as it is recorded."""
        return self.purpose if self.remark is None else f"{self.purpose}: {self.remark}"
