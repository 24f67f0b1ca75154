"""What requests share: only known fields, and who asks for what."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from shared.events.fields import Person, Word

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
    """Who asks, and why: both are recorded before the answer is given."""

    by: Person
    purpose: Word
