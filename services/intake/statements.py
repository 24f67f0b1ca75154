"""intake's deciders for what a man states: that he surrenders, who he is, how to reach him."""

from datetime import datetime

from services.intake.guards import require_not_exchanged, require_not_handed_over
from services.intake.state import IntakeState
from shared.commands.intake import (
    ConfirmCaller,
    DeclareSurrender,
    ProvidePersonalData,
    SetContactRule,
)
from shared.events import intake
from shared.events.base import Event
from shared.events.event_of import event_of
from shared.events.fields import ContactWindow
from shared.refusals import NOT_HANDED_OVER, Guard, require

WINDOWS_FIT = Guard("windows_fit", "windows for rule `window`, and for no other")
CODE_GIVEN = Guard("code_given", "a call_id and channel in which he gave this case's return code")


def decide_declare_surrender(state: IntakeState, command: DeclareSurrender) -> list[Event]:
    """Every statement is kept."""
    require_not_handed_over(state)
    return [event_of(intake.SurrenderDeclared, command)]


def decide_personal_data(
    state: IntakeState, command: ProvidePersonalData, service_number_key: str | None = None
) -> list[Event]:
    """Every statement is kept; the latest counts."""
    require_not_exchanged(state)
    require(command.provenance == "after_capture" or not state.handed_over, NOT_HANDED_OVER)
    given = event_of(intake.PersonalDataProvided, command, service_number_key=service_number_key)
    return [given]


def decide_contact_rule(state: IntakeState, command: SetContactRule, now: datetime) -> list[Event]:
    """If it is unclear which rule he gave last, the stricter counts."""
    require_not_exchanged(state)
    require((command.rule == "window") == bool(command.windows), WINDOWS_FIT)
    windows = tuple(ContactWindow(**dict(one)) for one in command.windows)
    return [
        intake.ContactRuleSet(
            rule=command.rule, windows=windows, recorded_at=now, said_at=command.happened_at
        )
    ]


def decide_confirm_caller(state: IntakeState, command: ConfirmCaller) -> list[Event]:
    """Needs a code in the call; nothing if the code alone is enough."""
    require_not_exchanged(state)
    call = (command.channel, command.call_id)
    require(call in state.known.coded, CODE_GIVEN)
    return [event_of(intake.CallerConfirmed, command)] if call in state.known.doubted else []
