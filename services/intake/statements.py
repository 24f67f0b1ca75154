"""intake's decisions on what a man states: that he surrenders, and who he is."""

from __future__ import annotations

from services.intake.guards import require_not_exchanged, require_not_handed_over
from services.intake.state import IntakeState
from shared.commands.intake import DeclareSurrender, ProvidePersonalData
from shared.events import intake
from shared.events.base import Event
from shared.events.fields import Plain
from shared.refusals import NOT_HANDED_OVER, require


def decide_declare_surrender(state: IntakeState, command: DeclareSurrender) -> list[Event]:
    """Every statement is kept."""
    require_not_handed_over(state)
    return [intake.SurrenderDeclared(party=command.party, declared_size=command.declared_size)]


def decide_personal_data(
    state: IntakeState, command: ProvidePersonalData, service_number_key: str | None = None
) -> list[Event]:
    """Every statement is kept; the latest counts."""
    require_not_exchanged(state)
    require(command.provenance == "after_capture" or not state.handed_over, NOT_HANDED_OVER)
    return [
        intake.PersonalDataProvided(
            identity=Plain.of(command.identity),
            provenance=command.provenance,
            unit=Plain(command.unit) if command.unit else None,
            service_number_key=service_number_key,
        )
    ]
