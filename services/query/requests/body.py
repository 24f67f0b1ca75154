"""What requests share: only known fields, and what they are for."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from shared.commands.purposes import Purpose, Remark, why

SEQUENCE_MAX = 2**53
"""The largest integer that JSON carries everywhere without loss."""

PARKED_MAX = 100
"""Parked messages on one page."""

ParkedOf = Annotated[
    str | None,
    Field(
        pattern=r"^[A-Z]{1,20}(_[a-z_]{1,20})?$",
        description="only what came on this stream: `CALLS_phone`, `CASES`",
    ),
]

VersionCursor = Annotated[
    str | None, Field(pattern=r"^[0-9]{1,15}$", description="the `next` of an earlier answer")
]


class Body(BaseModel):
    """A request's body, or its query."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class ForPurpose(Body):
    """What for: recorded, with who asks, before the answer is given."""

    purpose: Purpose
    remark: Remark | None = None

    @property
    def why(self) -> str:
        """The purpose as it is recorded."""
        return why(self.purpose, self.remark)
