"""What verification does with each command: name the case, transact, return; and how it asks the
registry about a statement."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from services.verification import identity
from services.verification.registry import Registry
from services.verification.registry_answers import RegistryAnswer
from services.verification.registry_checks import decide_registry_answer, statement_to_check
from services.verification.state import Statement, VerificationState
from shared.commands import verification as commands
from shared.commands.base import Command
from shared.events.base import Event
from shared.events.fields import Identity
from shared.events.intake import PersonalDataProvided
from shared.events.verification import RegistryChecked
from shared.keys.messages import SealedValue
from shared.keys.sealing import SealBrokenError
from shared.log.transact import Outcome, transact
from shared.matching import Stated
from shared.skeleton.deadlines import Deadlines
from shared.skeleton.service import Context


@dataclass(frozen=True)
class Verification:
    context: Context
    registry: Registry
    deadlines: Deadlines[VerificationState]


DECIDERS: dict[type[Command], Callable[[VerificationState, Any, datetime], list[Event]]] = {
    commands.EscalateVerification: identity.decide_escalate,
    commands.VerifyIdentity: identity.decide_verify,
    commands.ContradictIdentity: identity.decide_contradict,
    commands.RejectIdentity: identity.decide_reject,
    commands.AssessCredibility: identity.decide_assess,
    commands.OpenReview: identity.decide_open_review,
    commands.ResolveReview: identity.decide_resolve_review,
}
"""Commands that need only the case. CheckRegistry also needs the registry."""


def carry_out(verification: Verification, command: Command) -> Outcome:
    context = verification.context
    decider = DECIDERS[type(command)]
    return transact(
        context.writer,
        command.case_id,
        context.cause_of(command),
        lambda state: decider(state, command, context.now()),
    )


def check_registry(verification: Verification, command: commands.CheckRegistry) -> Outcome:
    """Asks again about the personal data last given."""
    context = verification.context
    statement = statement_to_check(context.writer.log.load_current(command.case_id).state)
    answer = answer_about(verification, command.case_id, statement)
    decide = partial(decide_registry_answer, answer=answer)
    return transact(context.writer, command.case_id, context.cause_of(command), decide)


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
