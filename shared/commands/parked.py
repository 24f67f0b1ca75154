"""What a supervisor can ask about a parked message; `case_id` is the message's id.

Who asks what, and why, is recorded in AUDIT before anything is done.
"""

from shared.commands.base import ParkedCommand


class TakeUpParked(ParkedCommand):
    """Make a case of what a channel published and intake could not read as a call."""


class SetParkedAside(ParkedCommand):
    """Set a parked message aside: it no longer waits for anyone."""
