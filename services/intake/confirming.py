"""intake's decision on a second fact: whoever gave the code in a call is the man himself."""

from __future__ import annotations

from services.intake.guards import require_not_exchanged
from services.intake.state import IntakeState
from shared.commands.intake import ConfirmCaller
from shared.events.base import Event
from shared.events.fields import Plain
from shared.events.intake import CallerConfirmed
from shared.refusals import Guard, require

CODE_GIVEN = Guard("code_given", "a call_id and channel in which he gave this case's return code")


def decide_confirm_caller(state: IntakeState, command: ConfirmCaller) -> list[Event]:
    """Needs a code in the call; nothing if the code is enough by itself."""
    require_not_exchanged(state)
    call = (command.channel, command.call_id)
    require(call in state.known.coded, CODE_GIVEN)
    if call not in state.known.doubted:
        return []
    return [
        CallerConfirmed(
            call_id=command.call_id,
            channel=command.channel,
            second_fact=command.second_fact,
            by=command.by,
            remark=Plain(command.remark) if command.remark else None,
        )
    ]
