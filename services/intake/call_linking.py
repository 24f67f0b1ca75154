"""intake's deciders for calls: a case is opened, or the call linked to it."""

from dataclasses import fields

from services.intake.incoming import IncomingCall, Route
from services.intake.known_state import Proof
from services.intake.state import IntakeState
from shared.events import intake
from shared.events.base import Event
from shared.events.calls import CallEnded

AS_SAID = {one.name for one in fields(IncomingCall)} & intake.CallLinked.model_fields.keys()
"""The fields that both events take from a call."""


def decide_call(state: IntakeState, call: IncomingCall, route: Route) -> list[Event]:
    """A fact, never refused: a first call opens the case, a later one is linked to it."""
    if (call.channel, call.call_id) in state.calls:
        return []
    said = {name: getattr(call, name) for name in AS_SAID}
    said |= {"caller_key": route.caller_key, "unmatched_code": route.unmatched_code}
    said["reading_keys"] = tuple(keys[0] for keys in call.reading_keys) or None
    taken: Event
    if state.opened:
        taken = intake.CallLinked(**said, **_proof(state, call, route)._asdict())
    else:
        taken = intake.CaseOpened(**said, episode=route.episode, previous_case=route.previous_case)
    if not route.duress:
        return [taken]
    return [taken, intake.DuressSignalled(call_id=call.call_id, channel=call.channel)]


def decide_call_ended(state: IntakeState, ended: CallEnded) -> list[Event]:
    """A fact, recorded once for a call of the case."""
    return [] if (ended.channel, ended.call_id) in state.calls_ended else [ended]


def _proof(state: IntakeState, call: IncomingCall, route: Route) -> Proof:
    if route.basis != "return_code":
        return Proof(route.basis, route.confidence)
    return state.known.proof_by_code(call.channel, route)
