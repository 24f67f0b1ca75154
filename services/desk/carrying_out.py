"""Carries out what two people signed: hands the command on to the service that decides.

At once, for whoever signed second and waits for the answer. If desk or that service ended
meanwhile, a timer of desk's takes it up; whoever asked is not needed. The command's own id makes it
once.
"""

import json
from functools import partial
from itertools import takewhile
from typing import Any, Literal

from pydantic import ValidationError

from services.desk import handlers
from services.desk.deadlines import CARRYING_OUT
from services.desk.decision_state import DecisionState, words_erased
from services.desk.handlers import Desk
from services.desk.state import DeskState
from shared.bus.answering import answer
from shared.bus.asking import UnansweredError
from shared.bus.timers import read_timer
from shared.commands import people as commands
from shared.commands.base import (
    AnyAnswer,
    Command,
    Ignored,
    Recorded,
    Refused,
    Unavailable,
)
from shared.commands.catalogue import ANSWERED_BY, COMMANDS
from shared.events.base import Event
from shared.events.parsing import read_case_event
from shared.events.people import DecisionCarriedOut, DecisionNotCarriedOut, DecisionProposed
from shared.events.signatures import Signature, signed_in_common
from shared.keys.messages import SealedValue
from shared.log.transact import Outcome, transact
from shared.parked.parking import Delivery
from shared.people.signed import completed
from shared.refusals import Guard, RefusedError

PURPOSE = "carrying out what two people signed"
NEW_PROPOSAL = "a new proposal: what was signed was refused, and holds no more"
INVALID = "invalid"
SAME_COMMAND = "same_command"
EVENTS_OF_ONE = 200
"""More than any command leads to."""


def agree(desk: Desk, command: commands.AgreeToDecision) -> Outcome | Recorded:
    """Records the second signature and carries out what both signed; the answer is about that.

    Raises RefusedError if either is refused.
    """
    handlers.propose(desk, command)
    found = carry_out(desk, command.case_id)
    match found:
        case Recorded():
            return found
        case Ignored():
            return Outcome("ignored", found.case_id, found.version, found.sequence)
        case Refused():
            guard = Guard(found.guard, found.satisfied_by)
            raise RefusedError(guard, found.changed_since)
        case _:
            raise RefusedError(Guard(INVALID, NEW_PROPOSAL))


def receive(desk: Desk, delivery: Delivery) -> Outcome:
    """What a timer of desk's leads to. Raises UnprocessableError, and what `carry_out` does."""
    timer = read_timer(delivery)
    if timer.kind != CARRYING_OUT or timer.about is None:
        return desk.deadlines.receive(delivery)
    found = carry_out(desk, timer.about)
    result: Literal["recorded", "ignored"] = (
        "recorded" if isinstance(found, Recorded) else "ignored"
    )
    return Outcome(result, timer.about, getattr(found, "version", 0), delivery.sequence)


def carry_out(desk: Desk, decision_id: str) -> AnyAnswer:
    """What the service that decides answers. Idempotent.

    Raises UnansweredError and KeysUnavailableError: it is to be tried again.
    """
    history = desk.context.writer.log.load_current(decision_id)
    decision: DecisionState | None = history.state.decision
    if decision is None or not decision.is_agreed:
        return Ignored(case_id=decision_id, version=history.version, sequence=history.sequence)
    found = _answered_before(desk, decision) or _handed_on(desk, decision_id, decision)
    if isinstance(found, Recorded) and found.result == "repeated":  # Perhaps another's, just now.
        found = _answered_before(desk, decision) or found
    if isinstance(found, Unavailable):
        raise UnansweredError(found.reason)
    cause = desk.context.own_cause(f"carried-out-{decision_id}"[:64], decision_id)
    transact(desk.context.writer, decision_id, cause, partial(_what_came_of_it, found=found))
    return found


def _what_came_of_it(state: DeskState, found: AnyAnswer) -> list[Event]:
    decision = state.decision
    if decision is None or not decision.waits_to_be_carried_out:
        return []
    match found:
        case Recorded() | Ignored():
            return [DecisionCarriedOut(), *words_erased(decision)]
        case Refused():
            return [DecisionNotCarriedOut(why=found.guard), *words_erased(decision)]
        case _:
            return [DecisionNotCarriedOut(why=INVALID), *words_erased(decision)]


def _answered_before(desk: Desk, decision: DecisionState) -> AnyAnswer | None:
    """By the log: what was recorded stays so, even if nobody noted it here."""
    if decision.not_done_because is not None:
        return _refused(decision, decision.not_done_because)
    history = desk.context.writer.log.load_current(decision.about)
    said = json.loads(decision.signatures[0].canonical)
    service = ANSWERED_BY[COMMANDS[decision.act]]
    cause_id = f"{decision.act}-{said['command_id']}"
    done = history.caused_by(f"/services/{service}", cause_id)
    if done is not None and not _is_what_both_signed(desk, decision, done):
        return _refused(decision, SAME_COMMAND)
    if done is not None:
        noted = history.recorded[done]
        return Recorded(
            result="repeated",
            case_id=decision.about,
            version=done,
            sequence=noted.sequence,
            events=(noted.type_name,),
        )
    if not decision.carried_out:
        return None
    return Ignored(case_id=decision.about, version=history.version, sequence=history.sequence)


def _is_what_both_signed(desk: Desk, decision: DecisionState, last: int) -> bool:
    """Whether what was recorded under the command's id is what both signed: whoever may look at a
    proposal, or made it, can send another command by that id.

    Perhaps it was signed in an earlier proposal: whoever got no answer proposes it again.
    `last`: the version of its last event; the signatures are in its first.
    """
    recorder = desk.context.writer.log.recorder
    stored = recorder.select_events(
        decision.about, gt=max(0, last - EVENTS_OF_ONE), lte=last, desc=True
    )
    events = [read_case_event(one.state, one.topic) for one in stored]
    if not events or events[0].caseversion != last:
        raise UnansweredError("a copy of the log lags behind")
    of_it = takewhile(lambda one: one.causationid == events[0].causationid, events)
    signatures = [*of_it][-1].signatures or ()
    wanted = _command_in(decision.signatures[0])
    is_same = all(_command_in(one) == wanted for one in signatures)
    return is_same and len(signatures) == len(decision.signatures)


def _command_in(signature: Signature) -> dict[str, Any]:
    """What was signed of the command, whichever version its giver saw."""
    common = signed_in_common(signature)
    return {name: said for name, said in common.items() if name != "seen_version"}


def _handed_on(desk: Desk, decision_id: str, decision: DecisionState) -> AnyAnswer:
    proposed = DecisionProposed.__name__
    value = SealedValue(
        case_id=decision_id,
        version=1,
        type_name=proposed,
        field="command",
        sealed=str(decision.command),
    )
    context = desk.context
    (opened,) = context.keys.open([value], f"service:{context.service}", PURPOSE)
    if opened.text is None:
        return _refused(decision, f"words_{opened.state}")
    try:
        command = COMMANDS[decision.act].model_validate_json(opened.text)
    except ValidationError:
        return _refused(decision, INVALID)
    return _decided(desk, completed(command, decision.signatures))


def _decided(desk: Desk, command: Command) -> AnyAnswer:
    """By the service that decides on it, which may be desk."""
    kind = type(command)
    if ANSWERED_BY[kind] != desk.context.service:
        return desk.hand_on(command)
    own = handlers.carry_out if kind in handlers.DECIDERS else handlers.about_person
    return answer(kind, command.model_dump_json(exclude_none=True).encode(), partial(own, desk))


def _refused(decision: DecisionState, why: str) -> Refused:
    return Refused(case_id=decision.about, version=0, guard=why, satisfied_by=NEW_PROPOSAL)
