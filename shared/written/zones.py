"""Time zones by their IANA name, and their local times.

The package `tzdata` comes with Passage, so a machine without a zone database knows them too.
"""

from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, StringConstraints

ZoneName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_+/-]{1,64}$")]
"""A stored zone name; one that is no longer known has no clocks."""


@cache
def _names() -> dict[str, str]:
    """IANA names by their lower-case form."""
    listed = (files("tzdata") / "zones").read_text().split()
    return {name.casefold(): name for name in listed if name != "Factory"}


def _known(name: str) -> str:
    found = _names().get(name.strip().replace(" ", "_").casefold())
    if found is None:
        raise ValueError("must be an IANA zone such as Europe/Kyiv, or UTC")
    return found


Zone = Annotated[str, StringConstraints(max_length=64), AfterValidator(_known)]
"""The name of a known zone, in IANA's spelling."""


def clock_in(zone: str | None, at: datetime) -> str | None:
    """Local time as `HH:MM`; zone None is UTC. None if the zone is unknown."""
    found = _zone(zone or "UTC")
    return None if found is None else at.astimezone(found).strftime("%H:%M")


@cache
def _zone(name: str) -> ZoneInfo | None:
    return ZoneInfo(name) if name.casefold() in _names() else None
