"""What verification does with each message: name the case, transact, return."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from services.verification.decisions import (
    claim_to_check,
    decide_assess,
    decide_consequence,
    decide_contradict,
    decide_escalate,
    decide_open_review,
    decide_registry_answer,
    decide_reject,
    decide_resolve_review,
    decide_verify,
)
from services.verification.registry import Registry, RegistryAnswer
from services.verification.state import Claim, VerificationState, claim_in
from services.verification.waiting import REASONS, Waits, decide_due, due_in
from shared.commands.base import Command
from shared.commands.verification import (
    AssessCredibility,
    CheckRegistry,
    ContradictIdentity,
    EscalateVerification,
    OpenReview,
    RejectIdentity,
    ResolveReview,
    VerifyIdentity,
)
from shared.deadlines import Deadlines
from shared.events.base import CaseEvent, Event
from shared.events.fields import Identity
from shared.events.intake import PersonalDataProvided
from shared.events.reading import read_case_event
from shared.events.verification import RegistryChecked
from shared.key_messages import SealedValue
from shared.matching import Stated
from shared.parking import Delivery
from shared.sealing import SealBrokenError
from shared.service import Desk
from shared.subjects import read_case_subject
from shared.timers import Timers
from shared.transact import Outcome, transact


@dataclass(frozen=True)
class Verification:
    """What verification's handlers work with."""

    desk: Desk
    registry: Registry
    deadlines: Deadlines[VerificationState]


def deadlines_of(desk: Desk, timers: Timers, waits: Waits) -> Deadlines[VerificationState]:
    """Gives the times that a registry has."""
    return Deadlines(
        desk,
        timers,
        frozenset(REASONS),
        of=lambda state: due_in(state, waits),
        record=lambda _, due: decide_due(due.kind),
    )


DECISIONS: dict[type[Command], Callable[[VerificationState, Any, datetime], list[Event]]] = {
    EscalateVerification: decide_escalate,
    VerifyIdentity: decide_verify,
    ContradictIdentity: decide_contradict,
    RejectIdentity: decide_reject,
    AssessCredibility: decide_assess,
    OpenReview: decide_open_review,
    ResolveReview: decide_resolve_review,
}
"""The commands that need nothing but the case. CheckRegistry also needs the registry."""


def carry_out(verification: Verification, command: Command) -> Outcome:
    """Carries out one of the commands in DECISIONS."""
    desk = verification.desk
    decision = DECISIONS[type(command)]
    return transact(
        desk.writer,
        command.case_id,
        desk.cause_of(command),
        lambda state: decision(state, command, desk.now()),
    )


def receive_event(verification: Verification, delivery: Delivery) -> Outcome:
    """Asks the registry about new personal data; acts on what the registry answered."""
    event = read_case_event(delivery.body, read_case_subject(delivery.subject).type_name)
    if isinstance(event.data, RegistryChecked):
        return act_on_answer(verification, event)
    # Before the registry is asked: it is by these that one which doesn't answer shows.
    verification.deadlines.keep(event.subject)
    if isinstance(event.data, PersonalDataProvided):
        return ask_registry(verification, event)
    return _nothing(verification, event)


def _nothing(verification: Verification, event: CaseEvent[Any]) -> Outcome:
    desk = verification.desk
    return transact(desk.writer, event.subject, desk.cause_in(event), lambda _: ())


def ask_registry(verification: Verification, event: CaseEvent[PersonalDataProvided]) -> Outcome:
    """Records the registry's answer about the personal data in an event.

    What a prisoner states is no claim of the hotline's, and isn't checked.
    """
    desk = verification.desk
    if event.data.provenance == "after_capture":
        return _nothing(verification, event)
    claim = claim_in(event, event.data)
    answer = answer_about(verification, event.subject, claim)
    decide = partial(decide_registry_answer, answer=answer)
    return transact(desk.writer, event.subject, desk.cause_in(event), decide)


def act_on_answer(verification: Verification, event: CaseEvent[RegistryChecked]) -> Outcome:
    """Records what follows from a registry's answer."""
    desk = verification.desk
    decide = partial(decide_consequence, answered=event)
    return transact(desk.writer, event.subject, desk.cause_in(event), decide)


def check_registry(verification: Verification, command: CheckRegistry) -> Outcome:
    """Asks the registry again about the personal data last given."""
    desk = verification.desk
    claim = claim_to_check(desk.writer.log.load_current(command.case_id).state)
    answer = answer_about(verification, command.case_id, claim)
    decide = partial(decide_registry_answer, answer=answer)
    return transact(desk.writer, command.case_id, desk.cause_of(command), decide)


def answer_about(verification: Verification, case_id: str, claim: Claim) -> RegistryChecked:
    """Gives the registry's answer about a claim; about erased data it can't be asked."""
    stated = _stated(verification, case_id, claim)
    answer = RegistryAnswer("unavailable")
    if stated is not None:
        answer = verification.registry.look_up(stated)
    return RegistryChecked(
        registry=verification.registry.name,
        about_event=claim.event_id,
        outcome=answer.outcome,
        score=answer.score,
        fields_agreeing=answer.agreeing,
        fields_conflicting=answer.conflicting,
        number_of_another=answer.number_of_another or None,
    )


def _stated(verification: Verification, case_id: str, claim: Claim) -> Stated | None:
    """Who the man said he is, or None where that is erased. Raises SealBrokenError."""
    sealed = {"identity": claim.identity, "unit": claim.unit}
    values = [
        SealedValue(
            case_id=case_id,
            version=claim.version,
            type_name=PersonalDataProvided.__name__,
            field=field,
            sealed=value,
        )
        for field, value in sealed.items()
        if value is not None
    ]
    desk = verification.desk
    answers = desk.keys.open(values, f"service:{desk.service}", "registry check")
    if any(one.state == "broken" for one in answers):
        raise SealBrokenError(f"the personal data of case {case_id} version {claim.version}")
    identity, *unit = (one.text for one in answers)
    if identity is None:
        return None
    said = Identity.model_validate_json(identity).model_dump(exclude={"rank"})
    return Stated(**said, unit=unit[0] if unit else None)
