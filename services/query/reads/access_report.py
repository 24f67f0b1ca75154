"""Who opened and searched how much: by day, and who opened many cases within the last hour."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from services.query.reads.accesses import AccessPage
from shared.keys.access import AccessRecord

HOUR = timedelta(hours=1)
LOOKED_AT_RECORDS = 5_000
"""How many of the newest records are looked at for the last hour."""


class DayOfAccess(NamedTuple):
    """What one person opened and searched for on one day (UTC), through one service."""

    day: str
    by: str
    service: str
    openings: int
    """How often they opened values."""
    cases: int
    """How many different cases these belong to."""
    values: int
    """How many values in all; one opened twice counts twice."""
    searches: int
    """How often they searched by number, caller, code or name, or asked who a caller is."""
    found: int
    """How many cases the searches found in all."""
    purposes: list[str]


class ManyRead(NamedTuple):
    """Somebody who had values of many cases shown within the last hour."""

    by: str
    cases: int
    values: int
    last_at: datetime


def by_day(records: Iterable[AccessRecord], case_id: str | None) -> list[DayOfAccess]:
    """Newest day first; of one case only what concerns it."""
    groups: dict[tuple[str, str, str], list[AccessRecord]] = {}
    for one in records:
        groups.setdefault((one.at.date().isoformat(), one.by, one.service), []).append(one)
    ordered = sorted(groups.items(), key=lambda pair: pair[0][1:])
    ordered.sort(key=lambda pair: pair[0][0], reverse=True)
    return [
        DayOfAccess(
            day=day,
            by=by,
            service=service,
            openings=sum(bool(one.values) for one in some),
            cases=len({case for one in some for case in one.case_ids}) if not case_id else 1,
            values=sum(len(one.values_of(case_id) if case_id else one.values) for one in some),
            searches=sum(one.is_search for one in some),
            found=sum(one.found or 0 for one in some),
            purposes=sorted({one.purpose for one in some}),
        )
        for (day, by, service), some in ordered
    ]


def many_read(
    newest: Callable[[str | None, int | None, int], AccessPage], now: datetime, at_least: int
) -> list[ManyRead]:
    """Who had values of at least so many cases shown within the last hour, most first.

    Raises LogError.
    """
    groups: dict[str, list[AccessRecord]] = {}
    for one in newest(None, None, LOOKED_AT_RECORDS).records:
        if now - one.at <= HOUR and one.use == "shown" and one.values:
            groups.setdefault(one.by, []).append(one)
    found = [
        ManyRead(
            by,
            len({case for one in some for case in one.case_ids}),
            sum(len(one.values) for one in some),
            max(one.at for one in some),
        )
        for by, some in groups.items()
    ]
    return sorted((one for one in found if one.cases >= at_least), key=lambda one: -one.cases)
