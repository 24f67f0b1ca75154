"""Decisions that need two signatures: one person proposes, another agrees to the very same."""

from services.desk.decision_state import DecisionState, words_erased
from services.desk.guards import ROLE_HELD, Acting, require_role
from shared.commands import people as commands
from shared.commands.catalogue import COMMANDS
from shared.events import people
from shared.events.base import Event
from shared.events.event_of import event_of
from shared.events.signatures import signed_in_common
from shared.people.roles import may
from shared.people.signed import SIGNED, may_sign
from shared.refusals import Guard, RefusedError, require

DECISION_NEW = Guard("decision_new", "the number of a decision that wasn't proposed yet")
DECISION_KNOWN = Guard("decision_known", "the number of a decision that was proposed")
DECISION_OPEN = Guard("decision_open", "a decision that nobody agreed to, withdrew or let expire")
SIGNED_BY_SENDER = Guard("signed_by_sender", "a signature of your own, of this very command")
SIGNED_BY_ANOTHER = Guard("signed_by_another", "a person other than the one who proposed it")
SAME_DECISION = Guard("same_decision", "a signature of exactly what the first person signed")
PROPOSED_BY_SENDER = Guard("proposed_by_sender", "whoever proposed it, or a supervisor")


def decide_propose(
    decision: DecisionState | None, command: commands.ProposeDecision, acting: Acting
) -> list[Event]:
    """Whoever proposes it needs a role that may give the command itself."""
    require(decision is None, DECISION_NEW)
    require_role(acting, command)
    require(_is_signed(command), SIGNED_BY_SENDER)
    require(may(acting.actor.roles, command.act), ROLE_HELD)
    expires_at = acting.now + acting.rules.proposal
    return [event_of(people.DecisionProposed, command, expires_at=expires_at)]


def decide_agree(
    decision: DecisionState | None, command: commands.AgreeToDecision, acting: Acting
) -> list[Event]:
    proposed = _known(decision)
    require(proposed.is_open and acting.now < proposed.expires_at, DECISION_OPEN)
    require_role(acting, command)
    require(_may_agree(acting, proposed.act), ROLE_HELD)
    require(command.signature.person == command.by, SIGNED_BY_SENDER)
    require(command.by != proposed.proposed_by, SIGNED_BY_ANOTHER)
    first = signed_in_common(proposed.signatures[0])
    require(bool(first) and signed_in_common(command.signature) == first, SAME_DECISION)
    return [event_of(people.DecisionAgreed, command)]


def decide_withdraw(
    decision: DecisionState | None, command: commands.WithdrawDecision, acting: Acting
) -> list[Event]:
    """Repeating it changes nothing."""
    proposed = _known(decision)
    require_role(acting, command)
    if proposed.withdrawn:
        return []
    require(proposed.is_open or proposed.not_done_because is not None, DECISION_OPEN)
    is_own = command.by == proposed.proposed_by
    require(is_own or "supervisor" in acting.actor.roles, PROPOSED_BY_SENDER)
    return [event_of(people.DecisionWithdrawn, command), *words_erased(proposed)]


def _may_agree(acting: Acting, act: str) -> bool:
    command = COMMANDS.get(act)
    if command is None or command not in SIGNED:
        return False
    return may_sign(acting.actor.roles, command, is_first=False)


def _is_signed(command: commands.ProposeDecision) -> bool:
    signed = signed_in_common(command.signature)
    said = (signed.get("act"), signed.get("case_id"), command.signature.person)
    return COMMANDS.get(command.act) in SIGNED and said == (command.act, command.about, command.by)


def _known(decision: DecisionState | None) -> DecisionState:
    if decision is None:
        raise RefusedError(DECISION_KNOWN)
    return decision
