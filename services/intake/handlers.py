"""Calls, and commands about one case: name the case, transact, return."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from services.intake import (
    call_linking,
    case_links,
    casework,
    claims,
    erasure,
    groups,
    statements,
)
from services.intake.calls import OpenedCall, message_of, placed
from services.intake.guards import Rules
from services.intake.routing import Index
from services.intake.state import IntakeState
from shared.commands import intake as commands
from shared.commands.base import Command
from shared.events.base import Event
from shared.keys.hash_purposes import SERVICE_NUMBER
from shared.log.transact import Cause, Outcome, transact
from shared.matching.numbers import folded_number
from shared.refusals import Supervisors
from shared.skeleton.service import Context


def _nobody_yet(_by: str) -> Supervisors:
    return Supervisors()


@dataclass(frozen=True)
class Intake:
    context: Context
    index: Index
    rules: Rules
    supervisors: Callable[[str], Supervisors] = _nobody_yet
    """Who counts as a supervisor beside whoever gives a command."""


DECIDERS: dict[type[Command], Callable[[IntakeState, Any], list[Event]]] = {
    commands.TriageCall: casework.decide_triage,
    commands.DeclareSurrender: statements.decide_declare_surrender,
    commands.AddNote: casework.decide_note,
    commands.GiveAdvice: casework.decide_advice,
    commands.ReopenCase: casework.decide_reopen,
    commands.ReleaseCase: claims.decide_release,
    commands.FormGroup: groups.decide_form,
    commands.LeaveGroup: groups.decide_leave,
    commands.CountHeads: groups.decide_count,
    commands.UnlinkCases: case_links.decide_unlink,
    commands.ConfirmCaller: statements.decide_confirm_caller,
}
"""Commands decided on the log of the case alone."""

RULED: dict[type[Command], Callable[[IntakeState, Any, datetime, Rules], list[Event]]] = {
    commands.CloseCase: casework.decide_close,
    commands.ClearDuress: casework.decide_clear_duress,
    commands.ClaimCase: claims.decide_claim,
    commands.TakeOverCase: claims.decide_take_over,
    commands.ErasePersonalData: erasure.decide_erase,
}
"""Commands that also need the time and the settings."""
LEFT_TO_SUPERVISORS = (commands.CloseCase, commands.ClearDuress)


def record_call(intake: Intake, opened: OpenedCall) -> tuple[Outcome, str]:
    """What became of a call, and its internal id."""
    call, route = intake.index.route(opened.incoming)
    call = placed(opened, call, route)
    cause = Cause(
        causation_id=message_of(call.channel, call.call_id),
        correlation_id=call.call_id,
        actor=f"channel:{call.channel}",
        source=intake.context.source,
        # The channel's clock is kept in the data.
        happened_at=intake.context.by_now(call.started_at, channel=call.channel),
        opens_case=route.is_new,
    )
    decide = partial(call_linking.decide_call, call=call, route=route)
    return transact(intake.context.writer, route.case_id, cause, decide), call.call_id


def carry_out(intake: Intake, command: Command) -> Outcome:
    context, rules = intake.context, intake.rules
    if isinstance(command, LEFT_TO_SUPERVISORS):
        rules = replace(rules, supervisors=intake.supervisors(command.by))

    def decide(state: IntakeState) -> list[Event]:
        if type(command) in RULED:
            return RULED[type(command)](state, command, context.now(), rules)
        return DECIDERS[type(command)](state, command)

    return transact(context.writer, command.case_id, context.cause_of(command), decide)


def provide_personal_data(intake: Intake, command: commands.ProvidePersonalData) -> Outcome:
    """Also records the keyed hash that finds his service number again."""
    context = intake.context
    number = folded_number(command.identity.service_number or "")
    hashes = context.keys.hashes([(SERVICE_NUMBER, number)] if number else [])
    key = hashes[0][0] if hashes else None
    decide = partial(statements.decide_personal_data, command=command, service_number_key=key)
    return transact(context.writer, command.case_id, context.cause_of(command), decide)


def set_contact_rule(intake: Intake, command: commands.SetContactRule) -> Outcome:
    """Dated by our clock."""
    context, now = intake.context, intake.context.now()
    happened_at = min(command.happened_at or now, now)
    cause = replace(context.cause_of(command), happened_at=happened_at)
    decide = partial(statements.decide_contact_rule, command=command, now=now)
    return transact(context.writer, command.case_id, cause, decide)
