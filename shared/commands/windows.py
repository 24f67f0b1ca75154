"""Times of day as people say them, for commands."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from shared.events.fields import CONTACT_WINDOWS_MAX, ContactWindow
from shared.written.zones import Zone


class SaidWindow(ContactWindow):
    """A time of day as he said it, always with the zone whose clocks he meant."""

    # A missing zone gets the same explanation as a wrong one.
    zone: Zone = Field("", validate_default=True)


SaidWindows = Annotated[tuple[SaidWindow, ...], Field(max_length=CONTACT_WINDOWS_MAX)]
