"""What can be asked of intake about who gave a return code."""

from __future__ import annotations

from typing import ClassVar

from shared.commands.base import Decision
from shared.events.fields import Channel, Id, Text
from shared.events.intake import SecondFact


class ConfirmCaller(Decision):
    """Find by a second fact that who gave the code in a call is this case's man himself.

    Needed where the code came from a channel that he never called on, or after many wrong codes.
    """

    SERVICE: ClassVar[str] = "intake"

    call_id: Id
    channel: Channel
    second_fact: SecondFact
    remark: Text | None = None
