"""Units."""

from __future__ import annotations

from shared.matching.verdicts import NOT_GIVEN, Judged


def judged_units(one: str | None, other: str | None) -> Judged:
    """The verdict on two units as they were written."""
    if not one or not other:
        return NOT_GIVEN
    if one == other:
        return Judged("agrees", f"{one} = {other}")
    return Judged("conflicts", f"{one} is not {other}")
