"""What verification does with each command: name the case, transact, return."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from services.verification import identity
from services.verification.asking import Verification, answer_about
from services.verification.registry_checks import decide_registry_answer, statement_to_check
from services.verification.state import VerificationState
from shared.commands import verification as commands
from shared.commands.base import Command
from shared.events.base import Event
from shared.log.transact import Outcome, transact

DECISIONS: dict[type[Command], Callable[[VerificationState, Any, datetime], list[Event]]] = {
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
    decision = DECISIONS[type(command)]
    return transact(
        context.writer,
        command.case_id,
        context.cause_of(command),
        lambda state: decision(state, command, context.now()),
    )


def check_registry(verification: Verification, command: commands.CheckRegistry) -> Outcome:
    """Asks again about the personal data last given."""
    context = verification.context
    statement = statement_to_check(context.writer.log.load_current(command.case_id).state)
    answer = answer_about(verification, command.case_id, statement)
    decide = partial(decide_registry_answer, answer=answer)
    return transact(context.writer, command.case_id, context.cause_of(command), decide)
