"""intake's decisions on calls and on what callers say: its rows of the guard table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.intake.state import IntakeState
from shared.commands.intake import (
    AddNote,
    CloseCase,
    DeclareSurrender,
    ProvidePersonalData,
    ReopenCase,
    TriageCall,
)
from shared.events import intake
from shared.events.base import Event
from shared.events.fields import Channel, Plain
from shared.events.intake import ClosingReason, LinkBasis
from shared.refusals import CASE_KNOWN, Guard, is_another_person, require

NEEDS_TWO_PEOPLE: frozenset[ClosingReason] = frozenset({"hoax", "infiltration"})

CALL_OF_CASE = Guard("call_of_case", "a call_id that belongs to this case")
SECOND_PERSON = Guard(
    "second_person", "second_by, another person than by, for closing as hoax or infiltration"
)
RECEIPT_EXISTS = Guard("receipt_exists", "a HandedOver event before closing as handed_over")


@dataclass(frozen=True, slots=True)
class IncomingCall:
    """A call, opened and checked, on its way into a case."""

    message_id: str
    call_id: str
    channel: Channel
    caller_keys: tuple[str, ...]
    """Keyed hashes of his address, that of today first; none where the number is withheld."""
    caller_address: Plain | None
    language: str
    started_at: datetime
    text: Plain | None
    code_hashes: tuple[str, ...]
    """Keyed hashes of the return code he gave, that of today first."""
    recording_ref: str | None
    media: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Route:
    """Which case a call goes to, and why; decided once for a call."""

    case_id: str
    basis: LinkBasis = "caller"
    confidence: float = 1.0
    unmatched_code: bool = False
    previous_case: str | None = None
    episode: int = 1
    is_new: bool = False
    """Whether the case was numbered for this call."""
    caller_key: str | None = None
    """Whose call it is, as the index knows him; None where the number is withheld."""


def decide_call(state: IntakeState, call: IncomingCall, route: Route) -> list[Event]:
    """A first call opens the case, a further one is linked to it; a fact, never refused."""
    if (call.channel, call.call_id) in state.calls:
        return []
    if not state.opened:
        return [_opened(call, route)]
    return [_linked(call, route)]


def _opened(call: IncomingCall, route: Route) -> intake.CaseOpened:
    return intake.CaseOpened(
        call_id=call.call_id,
        channel=call.channel,
        caller_key=route.caller_key,
        caller_address=call.caller_address,
        language=call.language,
        started_at=call.started_at,
        episode=route.episode,
        previous_case=route.previous_case,
        text=call.text,
        recording_ref=call.recording_ref,
        media=call.media,
        unmatched_code=route.unmatched_code,
    )


def _linked(call: IncomingCall, route: Route) -> intake.CallLinked:
    return intake.CallLinked(
        call_id=call.call_id,
        channel=call.channel,
        caller_key=route.caller_key,
        caller_address=call.caller_address,
        language=call.language,
        started_at=call.started_at,
        basis=route.basis,
        confidence=route.confidence,
        text=call.text,
        recording_ref=call.recording_ref,
        media=call.media,
        unmatched_code=route.unmatched_code,
    )


def decide_triage(state: IntakeState, command: TriageCall) -> list[Event]:
    """What a call is about; the call must be one of this case's."""
    require(state.opened, CASE_KNOWN)
    require(any(command.call_id == call_id for _, call_id in state.calls), CALL_OF_CASE)
    return [
        intake.CallTriaged(
            call_id=command.call_id,
            intent=command.intent,
            situation=command.situation,
            urgency=command.urgency,
        )
    ]


def decide_declare_surrender(state: IntakeState, command: DeclareSurrender) -> list[Event]:
    """He wants to surrender; every statement is kept."""
    require(state.opened, CASE_KNOWN)
    return [intake.SurrenderDeclared(party=command.party, declared_size=command.declared_size)]


def decide_personal_data(
    state: IntakeState, command: ProvidePersonalData, service_number_key: str | None = None
) -> list[Event]:
    """Who he says he is; every statement is kept, the latest counts."""
    require(state.opened, CASE_KNOWN)
    return [
        intake.PersonalDataProvided(
            identity=Plain.of(command.identity),
            provenance=command.provenance,
            unit=Plain(command.unit) if command.unit else None,
            service_number_key=service_number_key,
        )
    ]


def decide_return_code(state: IntakeState, code_hash: str) -> list[Event]:
    """A code was reserved for the case."""
    require(state.opened, CASE_KNOWN)
    return [intake.ReturnCodeIssued(code_hash=code_hash)]


def decide_note(state: IntakeState, command: AddNote) -> list[Event]:
    """An operator's note."""
    require(state.opened, CASE_KNOWN)
    return [intake.NoteAdded(text=Plain(command.text))]


def decide_close(state: IntakeState, command: CloseCase) -> list[Event]:
    """Ends the work; hoax and infiltration take two people."""
    require(state.opened, CASE_KNOWN)
    if state.closed_as is not None:
        return []
    two_people = is_another_person(command.by, command.second_by)
    require(command.reason not in NEEDS_TWO_PEOPLE or two_people, SECOND_PERSON)
    require(command.reason != "handed_over" or state.handed_over, RECEIPT_EXISTS)
    return [intake.CaseClosed(reason=command.reason, second_by=command.second_by)]


def decide_reopen(state: IntakeState, command: ReopenCase) -> list[Event]:
    """Takes the closing back; nothing to do on an open case."""
    require(state.opened, CASE_KNOWN)
    if state.closed_as is None:
        return []
    return [intake.CaseReopened(reason=Plain(command.reason))]
