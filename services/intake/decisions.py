"""intake's decisions on calls and on what callers say: its rows of the guard table."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.intake.guards import (
    CALL_OF_CASE,
    Rules,
    require_latest,
    require_not_exchanged,
    require_not_handed_over,
)
from services.intake.incoming import IncomingCall, Route
from services.intake.known_state import Given, Proof
from services.intake.state import IntakeState
from shared.commands.intake import (
    AddNote,
    ClearDuress,
    CloseCase,
    DeclareSurrender,
    GiveAdvice,
    ProvidePersonalData,
    ReopenCase,
    SetContactRule,
    TriageCall,
)
from shared.events import intake
from shared.events.base import Event
from shared.events.calls import CallEnded
from shared.events.fields import ContactWindow, Plain
from shared.events.intake import ClosingReason
from shared.refusals import (
    CLEARED_BY_SUPERVISOR,
    NOT_HANDED_OVER,
    TWO_PEOPLE,
    Guard,
    is_another_person,
    require,
)

NEEDS_TWO_PEOPLE: frozenset[ClosingReason] = frozenset({"hoax", "infiltration"})

WINDOWS_FIT = Guard("windows_fit", "windows for rule `window`, and for no other")
RECEIPT_EXISTS = Guard("receipt_exists", "a HandedOver event before closing as handed_over")


def decide_call(state: IntakeState, call: IncomingCall, route: Route) -> list[Event]:
    """A first call opens the case, a further one is linked to it; a fact, never refused."""
    if (call.channel, call.call_id) in state.calls:
        return []
    taken = (
        _linked(call, route, _proof(state, call, route)) if state.opened else _opened(call, route)
    )
    if not route.duress:
        return [taken]
    return [taken, intake.DuressSignalled(call_id=call.call_id, channel=call.channel)]


def decide_call_ended(state: IntakeState, ended: CallEnded) -> list[Event]:
    """A fact of one of the case's calls; once."""
    return [] if (ended.channel, ended.call_id) in state.calls_ended else [ended]


def _opened(call: IncomingCall, route: Route) -> intake.CaseOpened:
    return intake.CaseOpened(
        call_id=call.call_id,
        channel=call.channel,
        caller_key=route.caller_key,
        caller_address=call.caller_address,
        display_name=call.display_name,
        language=call.language,
        started_at=call.started_at,
        episode=route.episode,
        previous_case=route.previous_case,
        text=call.text,
        recording_ref=call.recording_ref,
        media=call.media,
        unmatched_code=route.unmatched_code,
        **_also_found_by(call),
        changed=call.changed,
        same_id_as=call.same_id_as,
        as_received=call.as_received,
        address_as_received=call.address_as_received,
    )


def _also_found_by(call: IncomingCall) -> dict[str, Any]:
    readings = tuple(one[0] for one in call.reading_keys)
    return {"reading_keys": readings or None, "name_key": call.name_key}


def _proof(state: IntakeState, call: IncomingCall, route: Route) -> Proof:
    if route.basis != "return_code":
        return Proof(route.basis, route.confidence)
    return state.known.proof_by_code(
        Given(call.channel, route.caller_key, route.code_hash, route.confidence, route.guessable)
    )


def _linked(call: IncomingCall, route: Route, proof: Proof) -> intake.CallLinked:
    return intake.CallLinked(
        call_id=call.call_id,
        channel=call.channel,
        caller_key=route.caller_key,
        caller_address=call.caller_address,
        display_name=call.display_name,
        language=call.language,
        started_at=call.started_at,
        basis=proof.basis,
        confidence=proof.confidence,
        second_fact_needed=True if proof.second_fact_needed else None,
        text=call.text,
        recording_ref=call.recording_ref,
        media=call.media,
        unmatched_code=route.unmatched_code,
        **_also_found_by(call),
        changed=call.changed,
        same_id_as=call.same_id_as,
        as_received=call.as_received,
        address_as_received=call.address_as_received,
    )


def decide_triage(state: IntakeState, command: TriageCall) -> list[Event]:
    """What a call is about; the call must be one of this case's, and not of before his handover."""
    require_not_exchanged(state)
    require(_has_call(state, command.call_id), CALL_OF_CASE)
    is_old = any(command.call_id == call_id for _, call_id in state.calls_before)
    require(not is_old, NOT_HANDED_OVER)
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
    require_not_handed_over(state)
    return [intake.SurrenderDeclared(party=command.party, declared_size=command.declared_size)]


def decide_personal_data(
    state: IntakeState, command: ProvidePersonalData, service_number_key: str | None = None
) -> list[Event]:
    """Who he says he is; every statement is kept, the latest counts."""
    require_not_exchanged(state)
    require(command.provenance == "after_capture" or not state.handed_over, NOT_HANDED_OVER)
    return [
        intake.PersonalDataProvided(
            identity=Plain.of(command.identity),
            provenance=command.provenance,
            unit=Plain(command.unit) if command.unit else None,
            service_number_key=service_number_key,
        )
    ]


def decide_return_code(
    state: IntakeState, code_hash: str, duress_hash: str | None = None
) -> list[Event]:
    """A code and its duress twin were reserved for the case."""
    require_not_handed_over(state)
    return [intake.ReturnCodeIssued(code_hash=code_hash, duress_hash=duress_hash)]


def decide_clear_duress(
    state: IntakeState, command: ClearDuress, _now: datetime, rules: Rules
) -> list[Event]:
    """A supervisor looked; where none is named anybody may. Nothing else is said to others."""
    require_not_exchanged(state)
    require(rules.supervisors.let(command.by), CLEARED_BY_SUPERVISOR)
    if not state.duress:
        return []
    return [intake.DuressCleared(by=command.by, reason=Plain(command.reason))]


def decide_note(state: IntakeState, command: AddNote) -> list[Event]:
    """An operator's note."""
    require_not_exchanged(state)
    return [intake.NoteAdded(text=Plain(command.text))]


def decide_advice(state: IntakeState, command: GiveAdvice) -> list[Event]:
    """What he was told that he can do, in one of the case's calls if one is named."""
    require_not_exchanged(state)
    require(command.call_id is None or _has_call(state, command.call_id), CALL_OF_CASE)
    return [intake.AdviceGiven(text=Plain(command.text), call_id=command.call_id)]


def decide_contact_rule(state: IntakeState, command: SetContactRule, now: datetime) -> list[Event]:
    """What he says about reaching him; in doubt which is his last word, the more careful counts."""
    require_not_exchanged(state)
    require((command.rule == "window") == bool(command.windows), WINDOWS_FIT)
    windows = tuple(
        ContactWindow(from_time=one.from_time, to_time=one.to_time, zone=one.zone)
        for one in command.windows
    )
    return [
        intake.ContactRuleSet(
            rule=command.rule, windows=windows, recorded_at=now, said_at=command.happened_at
        )
    ]


def decide_close(
    state: IntakeState, command: CloseCase, _now: datetime, rules: Rules
) -> list[Event]:
    """Ends the work; hoax and infiltration take a supervisor or two people."""
    require_latest(state)
    if state.closed_as is not None:
        return []
    agreed = is_another_person(command.by, command.second_by)
    agreed = agreed or rules.supervisors.include(command.by)
    require(command.reason not in NEEDS_TWO_PEOPLE or agreed, TWO_PEOPLE)
    require(command.reason != "handed_over" or state.handed_over, RECEIPT_EXISTS)
    return [intake.CaseClosed(reason=command.reason, second_by=command.second_by)]


def decide_reopen(state: IntakeState, command: ReopenCase) -> list[Event]:
    """Takes the closing back; nothing to do on an open case."""
    require_not_exchanged(state)
    if state.closed_as is None:
        return []
    return [intake.CaseReopened(reason=Plain(command.reason))]


def _has_call(state: IntakeState, call_id: str) -> bool:
    return any(call_id == known for _, known in state.calls)
