"""What intake does with each message: name the case, transact, return."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from services.intake.calls import open_call
from services.intake.decisions import (
    decide_call,
    decide_close,
    decide_declare_surrender,
    decide_note,
    decide_personal_data,
    decide_reopen,
    decide_return_code,
    decide_triage,
)
from services.intake.routing import Index
from services.intake.state import IntakeState
from shared.commands.base import Command, Recorded
from shared.commands.intake import (
    AddNote,
    CloseCase,
    DeclareSurrender,
    IssueReturnCode,
    ProvidePersonalData,
    ReopenCase,
    TriageCall,
)
from shared.events.base import Event
from shared.folding import folded_number
from shared.parking import Delivery
from shared.refusals import CASE_KNOWN, require
from shared.return_codes import code_hashes, codes_for
from shared.service import Desk
from shared.transact import Cause, Outcome, answered_at, transact


@dataclass(frozen=True)
class Intake:
    """What intake's handlers work with."""

    desk: Desk
    index: Index


DECISIONS: dict[type[Command], Callable[[IntakeState, Any], list[Event]]] = {
    TriageCall: decide_triage,
    DeclareSurrender: decide_declare_surrender,
    AddNote: decide_note,
    CloseCase: decide_close,
    ReopenCase: decide_reopen,
}
"""The commands that need nothing but the case.

IssueReturnCode also needs the index, ProvidePersonalData a keyed hash of the service number.
"""

SERVICE_NUMBER = "service-number"
"""What the keyed hash of a folded service number is for."""


def receive_call(intake: Intake, delivery: Delivery) -> Outcome:
    """Puts a call into the case it belongs to."""
    call = open_call(intake.desk.keys, delivery.subject, delivery.body)
    route = intake.index.route(call)
    cause = Cause(
        causation_id=call.message_id,
        correlation_id=call.call_id,
        actor=f"channel:{call.channel}",
        source=intake.desk.source,
        # A channel's clock may be ahead; nobody called tomorrow. What it said stands in the data.
        happened_at=min(call.started_at, intake.desk.now()),
        opens_case=route.is_new,
    )
    decide = partial(decide_call, call=call, route=route)
    return transact(intake.desk.writer, route.case_id, cause, decide)


def carry_out(intake: Intake, command: Command) -> Outcome:
    """Carries out one of the commands in DECISIONS."""
    decision = DECISIONS[type(command)]
    desk = intake.desk
    return transact(
        desk.writer,
        command.case_id,
        desk.cause_of(command),
        lambda state: decision(state, command),
    )


def provide_personal_data(intake: Intake, command: ProvidePersonalData) -> Outcome:
    """Records who a man says he is, and the hash by which his service number is found again."""
    desk = intake.desk
    number = folded_number(command.identity.service_number or "")
    hashes = desk.keys.hashes([(SERVICE_NUMBER, number)] if number else [])
    key = hashes[0][0] if hashes else None
    decide = partial(decide_personal_data, command=command, service_number_key=key)
    return transact(desk.writer, command.case_id, desk.cause_of(command), decide)


def issue_return_code(intake: Intake, command: IssueReturnCode) -> Recorded:
    """Reserves the code before the event that relies on it; the answer alone carries it."""
    desk = intake.desk
    history, cause = desk.writer.log.load_current(command.case_id), desk.cause_of(command)
    require(history.state.opened, CASE_KNOWN)
    answered_at(history, cause)  # Nothing is reserved for a command that is somebody else's.
    code, hashed = _free_code(intake, command)
    decide = partial(decide_return_code, code_hash=hashed)
    done = transact(desk.writer, command.case_id, cause, decide)
    return Recorded(
        result="repeated" if done.result == "repeated" else "recorded",
        case_id=done.case_id,
        version=done.version,
        sequence=done.sequence,
        events=done.events,
        return_code=code,
    )


def _free_code(intake: Intake, command: IssueReturnCode) -> tuple[str, str]:
    keys, attempt = intake.desk.keys, 0
    while True:
        codes = codes_for(keys, command, attempt)
        hashed = [code_hashes(keys, code) for code in codes]
        for code, hashes in zip(codes, hashed, strict=True):
            # The same command again, answered before a new pepper came.
            if len(codes) > 1 and (one := _reserved(intake, hashes, command.case_id)):
                return code, one
        if intake.index.reserve_code(hashed[0][0], command.case_id):
            return codes[0], hashed[0][0]
        attempt += 1  # Another case has this code: one in ten million times at a thousand cases.


def _reserved(intake: Intake, hashes: tuple[str, ...], case_id: str) -> str | None:
    return next((one for one in hashes if intake.index.has_code(one, case_id)), None)
