"""Who is known in a case: its callers, its current code, and what each call with it proves.

A code may have been guessed, overheard or forced from him. So on its own it proves little if it
comes on a channel he never called on, or after many wrong ones.
"""

from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

from services.intake.incoming import Route
from shared.events import intake
from shared.events.base import CaseEvent
from shared.events.fields import Channel
from shared.events.intake import LinkBasis
from shared.log.grown import Grown

SURE = 1.0
DOUBTED = 0.6
"""Confidence in a code from a channel he never called on, or that may be a guess."""
REPLACED = 0.7
"""Confidence in a code that a later one replaced."""

CallOfChannel = tuple[Channel, str]
"""(channel, call_id): each channel numbers its own."""


class Proof(NamedTuple):
    basis: LinkBasis
    confidence: float
    second_fact_needed: Literal[True] | None = None


@dataclass(frozen=True, slots=True)
class Known:
    callers: Grown[tuple[Channel, str | None], None] = field(default_factory=Grown)
    """Addresses that are his as far as is known; None: the channel's withheld number."""
    channels: frozenset[Channel] = frozenset()
    """The channels of these addresses."""
    codes: tuple[str | None, ...] = ()
    """The hashes of the latest code and of its twin."""
    coded: Grown[CallOfChannel, None] = field(default_factory=Grown)
    """The calls in which he gave it."""
    doubted: Grown[CallOfChannel, str | None] = field(default_factory=Grown)
    """Those that still need a second fact, with their caller."""

    def proof_by_code(self, channel: Channel, route: Route) -> Proof:
        # Earlier versions of Passage routed calls without keeping the code's hash.
        if self.codes and route.code_hash is not None and route.code_hash not in self.codes:
            return Proof("earlier_code", min(REPLACED, route.confidence))
        if route.caller_key is not None and (channel, route.caller_key) in self.callers:
            return Proof("return_code", SURE)
        if channel not in self.channels or route.guessable:
            return Proof("return_code", min(DOUBTED, route.confidence), second_fact_needed=True)
        return Proof("return_code", route.confidence)


def evolve_known(
    known: Known,
    _event: CaseEvent[Any],
    data: intake.CaseOpened | intake.CallLinked | intake.ReturnCodeIssued | intake.CallerConfirmed,
) -> Known:
    match data:
        case intake.CaseOpened() as opened:
            return _with_caller(known, (opened.channel, opened.caller_key))
        case intake.CallLinked(basis="return_code") as linked:
            return _with_coded(known, linked)
        case intake.ReturnCodeIssued() as issued:
            return replace(known, codes=(issued.code_hash, issued.duress_hash))
        case intake.CallerConfirmed() as confirmed:
            call = (confirmed.channel, confirmed.call_id)
            doubted = Grown({one: key for one, key in known.doubted.items() if one != call})
            caller = (confirmed.channel, known.doubted.get(call))
            return _with_caller(replace(known, doubted=doubted), caller)
        case _:
            return known


def _with_coded(known: Known, linked: intake.CallLinked) -> Known:
    call = (linked.channel, linked.call_id)
    known = replace(known, coded=known.coded.with_entry(call, None))
    if linked.second_fact_needed:
        return replace(known, doubted=known.doubted.with_entry(call, linked.caller_key))
    return _with_caller(known, (linked.channel, linked.caller_key))


def _with_caller(known: Known, caller: tuple[Channel, str | None]) -> Known:
    channel, _ = caller
    callers = known.callers.with_entry(caller, None)
    return replace(known, callers=callers, channels=known.channels | {channel})
