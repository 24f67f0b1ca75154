"""Asks the registry about a statement."""

from __future__ import annotations

from dataclasses import dataclass

from services.verification.registry import Registry, RegistryAnswer
from services.verification.state import Statement, VerificationState
from shared.events.fields import Identity
from shared.events.intake import PersonalDataProvided
from shared.events.verification import RegistryChecked
from shared.keys.messages import SealedValue
from shared.keys.sealing import SealBrokenError
from shared.matching import Stated
from shared.skeleton.deadlines import Deadlines
from shared.skeleton.service import Context


@dataclass(frozen=True)
class Verification:
    context: Context
    registry: Registry
    deadlines: Deadlines[VerificationState]


def answer_about(verification: Verification, case_id: str, statement: Statement) -> RegistryChecked:
    """Erased data can't be asked about."""
    stated = _stated(verification, case_id, statement)
    answer = RegistryAnswer("unavailable")
    if stated is not None:
        answer = verification.registry.look_up(stated)
    return RegistryChecked(
        registry=verification.registry.name,
        about_event=statement.event_id,
        outcome=answer.outcome,
        score=answer.score,
        fields_agreeing=answer.agreeing,
        fields_conflicting=answer.conflicting,
        number_of_another=answer.number_of_another or None,
    )


def _stated(verification: Verification, case_id: str, statement: Statement) -> Stated | None:
    """None if the statement is erased. Raises SealBrokenError."""
    sealed = {"identity": statement.identity, "unit": statement.unit}
    values = [
        SealedValue(
            case_id=case_id,
            version=statement.version,
            type_name=PersonalDataProvided.__name__,
            field=field,
            sealed=value,
        )
        for field, value in sealed.items()
        if value is not None
    ]
    context = verification.context
    answers = context.keys.open(values, f"service:{context.service}", "registry check")
    if any(one.state == "broken" for one in answers):
        raise SealBrokenError(f"the personal data of case {case_id} version {statement.version}")
    identity, *unit = (one.text for one in answers)
    if identity is None:
        return None
    said = Identity.model_validate_json(identity).model_dump(exclude={"rank"})
    return Stated(**said, unit=unit[0] if unit else None)
