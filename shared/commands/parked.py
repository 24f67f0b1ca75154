"""What a supervisor can ask about a parked message; `case_id` is the message's id.

What it is about, and why, is recorded on AUDIT before anything is done.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from shared.commands.base import Command
from shared.events.fields import Word

ParkedId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


class ParkedCommand(Command):
    """About one message on PARKED."""

    SERVICE: ClassVar[str] = "intake"

    case_id: ParkedId
    parked_sequence: Annotated[int, Field(ge=1, le=2**53)]
    """Where it stands on PARKED, as the list shows it."""
    purpose: Word


class TakeUpParked(ParkedCommand):
    """Make a case of what a channel published and intake could not read as a call."""


class SetParkedAside(ParkedCommand):
    """Let a parked message wait for nobody any more."""
