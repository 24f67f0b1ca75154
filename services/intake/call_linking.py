"""intake's decisions on calls: a case is opened, or the call linked to it."""

from __future__ import annotations

from typing import Any

from services.intake.incoming import IncomingCall, Route
from services.intake.known_state import Given, Proof
from services.intake.state import IntakeState
from shared.events import intake
from shared.events.base import Event
from shared.events.calls import CallEnded


def decide_call(state: IntakeState, call: IncomingCall, route: Route) -> list[Event]:
    """A fact, never refused: a first call opens the case, a later one is linked to it."""
    if (call.channel, call.call_id) in state.calls:
        return []
    taken = (
        _linked(call, route, _proof(state, call, route)) if state.opened else _opened(call, route)
    )
    if not route.duress:
        return [taken]
    return [taken, intake.DuressSignalled(call_id=call.call_id, channel=call.channel)]


def decide_call_ended(state: IntakeState, ended: CallEnded) -> list[Event]:
    """A fact, recorded once for a call of the case."""
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
