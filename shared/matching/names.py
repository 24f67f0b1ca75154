"""Surname, first names and patronymic, and what crosses them."""

from __future__ import annotations

from shared.matching.verdicts import NOT_GIVEN, Judged, Stated


def judged_names(one: Stated, other: Stated) -> tuple[Judged, Judged, Judged]:
    """The verdicts on surname, first names and patronymic."""
    return (
        _judged(one.surname, other.surname),
        _judged(one.first_names, other.first_names),
        _judged(one.patronymic, other.patronymic),
    )


def _judged(one: str | None, other: str | None) -> Judged:
    if not one or not other:
        return NOT_GIVEN
    if one.casefold() == other.casefold():
        return Judged("agrees", f"{one} = {other}")
    return Judged("conflicts", f"{one} is not {other}")
