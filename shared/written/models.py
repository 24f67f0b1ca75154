"""The bases of what is stored or sent, whose errors never repeat what was given."""

from pydantic import BaseModel, ConfigDict


class Exact(BaseModel):
    """Without unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Lenient(BaseModel):
    """Unknown fields, which a newer sender may have, are ignored."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)
