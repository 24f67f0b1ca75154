"""Names the fields of an input that break a rule, from pydantic's errors; never a value.

Unknown fields aren't named either: the sender chose their names, so they may hold anything.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import ValidationError

UNKNOWN = "(unknown field)"
ECHOING = frozenset({"union_tag_invalid", "timezone_offset"})
"""pydantic's errors whose message repeats what was sent."""

OF_OURS = "Value error, "
"""pydantic's prefix of messages from our own checks."""


class WrongField(NamedTuple):
    field: str
    problem: str


def wrong_fields(error: ValidationError, whole: str = "(body)") -> list[WrongField]:
    """`whole` names the input if no single field is at fault."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return [wrong_field(one, one["loc"], whole) for one in found]


def wrong_field(error: Mapping[str, Any], where: Sequence[int | str], whole: str) -> WrongField:
    """`where` is the field's place in the input."""
    if error["type"] == "json_invalid":
        return WrongField(whole, "is not JSON")
    names = [str(part) for part in where]
    if error["type"] == "extra_forbidden":
        names[-1:] = [UNKNOWN]
    said = str(error["msg"]).removeprefix(OF_OURS)
    problem = "is not allowed here" if error["type"] in ECHOING else said
    return WrongField(".".join(names) or whole, problem)
