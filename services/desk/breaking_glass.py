"""Carries out what concerns break-glass: opens what is sealed, checks, transacts."""

from dataclasses import dataclass

from services.desk import break_glass
from services.desk.attempts import NOBODY
from services.desk.break_glass import Pace, Proofs, none_set
from services.desk.handlers import Desk, dated_now
from shared.commands import people as commands
from shared.events.people import BreakGlassSet, log_of
from shared.keys.messages import SealedValue
from shared.log.transact import Outcome, transact
from shared.people.state import PersonState
from shared.refusals import RefusedError, require


@dataclass(frozen=True)
class BreakingGlass:
    desk: Desk
    pace: Pace


def set_break_glass(glass: BreakingGlass, command: commands.SetBreakGlass) -> Outcome:
    context = glass.desk.context
    glass.pace.take(command.by)
    step = break_glass.step_of(command.totp_secret, command.code, context.now())
    password_hash = glass.pace.alone(lambda: break_glass.hashed(command.password))
    return transact(
        context.writer,
        command.case_id,
        dated_now(context, command),
        lambda state: break_glass.decide_set(state.person, command, step, password_hash),
    )


def log_in(glass: BreakingGlass, command: commands.LogInByBreakGlass) -> Outcome:
    """Refused in the same words whatever is wrong, and counted."""
    account = command.case_id.removeprefix(log_of(""))
    try:
        return _logged_in(glass, command, account)
    except RefusedError as refused:
        glass.desk.attempts.refused(account, "break_glass", refused.guard.name)
        raise


def _logged_in(glass: BreakingGlass, command: commands.LogInByBreakGlass, account: str) -> Outcome:
    context = glass.desk.context
    person = context.writer.log.load_current(command.case_id).state.person
    glass.pace.take(account if person.exists else NOBODY)
    require(command.by == account, break_glass.BREAK_GLASS_RIGHT)
    proofs, now = _proofs_of(glass, person), context.now()
    step = glass.pace.alone(
        lambda: break_glass.step_if_right(proofs, command.password, command.code, now)
    )
    if step is None or person.break_glass is None:
        raise RefusedError(break_glass.BREAK_GLASS_RIGHT)
    version, found = person.break_glass.version, step
    return transact(
        context.writer,
        command.case_id,
        dated_now(context, command),
        lambda state: break_glass.decide_used(state.person, version, found),
    )


def _proofs_of(glass: BreakingGlass, person: PersonState) -> Proofs:
    if person.break_glass is None:
        return none_set()
    stored = person.break_glass
    sealed = {"password_hash": stored.password_hash, "totp_secret": stored.totp_secret}
    values = [
        SealedValue(
            case_id=log_of(person.account),
            version=stored.version,
            type_name=BreakGlassSet.__name__,
            field=field,
            sealed=value,
        )
        for field, value in sealed.items()
    ]
    context = glass.desk.context
    opened = context.keys.open(values, f"service:{context.service}", "break-glass login")
    texts = [one.text for one in opened if one.text is not None]
    return Proofs(*texts) if len(texts) == len(sealed) else none_set()
