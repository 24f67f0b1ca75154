"""What desk does with each command: name the log, transact, return."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from services.desk import credentials, exports, people, proposals, shifts
from services.desk.attempts import Attempts
from services.desk.guards import Acting, Rules
from services.desk.proofs import require_proven
from services.desk.state import DeskState
from shared.commands import people as commands
from shared.commands import shifts as shift_commands
from shared.commands.base import AnyAnswer, Command
from shared.commands.catalogue import ANSWERED_BY, COMMANDS
from shared.events.base import Event
from shared.events.parsing import UnreadableEventError
from shared.events.people import log_of
from shared.events.signatures import said_in
from shared.log.case_log import ChainBrokenError
from shared.log.transact import Cause, Outcome, transact
from shared.people.site import Site
from shared.people.state import PersonState
from shared.refusals import RefusedError
from shared.skeleton.deadlines import Deadlines
from shared.skeleton.service import Context


@dataclass(frozen=True)
class Desk:
    context: Context
    rules: Rules
    attempts: Attempts
    deadlines: Deadlines[DeskState]
    site: Site
    hand_on: Callable[[Command], AnyAnswer]
    """Has another service decide on a command that two people signed."""


DECIDERS: dict[type[Command], Callable[[DeskState, Any], list[Event]]] = {
    shift_commands.StartShift: lambda state, said: shifts.decide_start(state.shift, said),
    shift_commands.AcceptShiftCase: lambda state, said: shifts.decide_accept(state.shift, said),
    shift_commands.EndShift: lambda state, said: shifts.decide_end(state.shift, said),
    shift_commands.RecordExport: lambda state, said: exports.decide_export(state.exported, said),
}
"""Commands decided on the log of the shift or export alone."""

ABOUT_PEOPLE: dict[type[Command], Callable[[Any, Any, Acting], list[Event]]] = {
    commands.AddPerson: people.decide_add,
    commands.GrantRole: people.decide_grant,
    commands.TakeRole: people.decide_take,
    commands.SuspendPerson: people.decide_suspend,
    commands.ResumePerson: people.decide_resume,
    commands.EndSessions: people.decide_end_sessions,
    commands.SeeSignatures: people.decide_see_signatures,
    commands.OfferEnrolment: credentials.decide_offer,
    commands.RevokeKey: credentials.decide_revoke_key,
    commands.IssueToken: credentials.decide_issue_token,
    commands.RevokeToken: credentials.decide_revoke_token,
}
"""Commands about a person, which also depend on who gives them."""

PROPOSALS: Mapping[type[Command], Callable[[Any, Any, Acting], list[Event]]] = {
    commands.ProposeDecision: proposals.decide_propose,
    commands.AgreeToDecision: proposals.decide_agree,
    commands.WithdrawDecision: proposals.decide_withdraw,
}


def carry_out(desk: Desk, command: Command) -> Outcome:
    context, decider = desk.context, DECIDERS[type(command)]
    cause = context.cause_of(command)
    return transact(context.writer, command.case_id, cause, lambda state: decider(state, command))


def about_person(desk: Desk, command: Command) -> Outcome:
    acting, decider = acting_of(desk, command), ABOUT_PEOPLE[type(command)]
    return transact(
        desk.context.writer,
        command.case_id,
        dated_now(desk.context, command),
        lambda state: decider(state.person, command, acting),
    )


def propose(
    desk: Desk,
    command: commands.ProposeDecision | commands.AgreeToDecision | commands.WithdrawDecision,
) -> Outcome:
    acting, decider = acting_of(desk, command), PROPOSALS[type(command)]
    require_proven(command, partial(person_of, desk), desk.site)

    def decide(state: DeskState) -> list[Event]:
        events = decider(state.decision, command, acting)
        if isinstance(command, commands.ProposeDecision):
            _propose_once(desk, command)
        return events

    cause = dated_now(desk.context, command)
    return transact(desk.context.writer, command.case_id, cause, decide)


def _propose_once(desk: Desk, command: commands.ProposeDecision) -> None:
    """Nobody brings up again, in its proposer's name, what was withdrawn or is over."""
    if desk.context.signing is not None:
        nonces = desk.context.signing.nonces.of(ANSWERED_BY[COMMANDS[command.act]])
        nonces.propose(str(said_in(command.signature).get("nonce")), command.case_id)


def enrol(desk: Desk, command: commands.Enrol) -> Outcome:
    """A link that doesn't hold is counted."""
    acting = acting_of(desk, command)
    try:
        return transact(
            desk.context.writer,
            command.case_id,
            dated_now(desk.context, command),
            lambda state: credentials.decide_enrol(state.person, command, acting),
        )
    except RefusedError:
        account = command.case_id.removeprefix(log_of(""))
        person = desk.context.writer.log.load_current(command.case_id).state.person
        why = credentials.link_refused(person, command.token, acting.now) or "not_fitting"
        desk.attempts.refused(account, "enrolment", why)
        raise


def report_attempts(desk: Desk, command: commands.ReportAttempts) -> Outcome:
    account = command.case_id.removeprefix(log_of(""))
    return desk.attempts.refused(account, command.kind, command.why, command.count)


def hand_over_shift(desk: Desk, command: shift_commands.HandOverShift) -> Outcome:
    """Every named case must exist."""
    context, unknown = desk.context, first_unknown(desk.context, command.case_ids)

    def decide(state: DeskState) -> list[Event]:
        return shifts.decide_hand_over(state.shift, command, unknown)

    return transact(context.writer, command.case_id, context.cause_of(command), decide)


def acting_of(desk: Desk, command: Command) -> Acting:
    return Acting(person_of(desk, command.by), desk.context.now(), desk.rules)


def person_of(desk: Desk, account: str) -> PersonState:
    state: DeskState = desk.context.writer.log.load_current(log_of(account)).state
    return state.person


def dated_now(context: Context, command: Command) -> Cause:
    """Who could do what when is judged by desk's own clock."""
    return replace(context.cause_of(command), happened_at=context.now())


def first_unknown(context: Context, case_ids: Iterable[str]) -> str | None:
    """The first number that no case has; None if all exist."""
    return next((one for one in case_ids if not _exists(context, one)), None)


def _exists(context: Context, case_id: str) -> bool:
    log = context.writer.log
    remembered = log.remembered(case_id)
    if remembered is not None and remembered.state.is_case:  # A case that exists stays.
        return True
    try:
        return bool(log.load_current(case_id).state.is_case)
    except (ChainBrokenError, UnreadableEventError):
        return True  # Someone must be responsible for a damaged case, too.
