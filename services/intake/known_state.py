"""Who is known in a case: its callers, its present code, and which calls with it prove what.

A code may have been guessed, overheard or forced from him. So it proves little alone where it comes
from a channel that he never called on, or after many wrong ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from shared.events import intake
from shared.events.base import CaseEvent
from shared.events.fields import Channel
from shared.events.intake import LinkBasis
from shared.log.grown import Grown

SURE = 1.0
DOUBTED = 0.6
"""How far a code is believed on a channel that he never called on, or where it may be a guess."""
REPLACED = 0.7
"""And a code that was replaced by a later one."""

CallOfChannel = tuple[Channel, str]
"""Channel and call_id: each channel counts its own."""


class Given(NamedTuple):
    """A code as it was given in a call."""

    channel: Channel
    caller_key: str | None
    code_hash: str | None
    """None where an earlier version routed the call."""
    confidence: float
    guessable: bool


class Proof(NamedTuple):
    """What a call is linked by, and how far that goes."""

    basis: LinkBasis
    confidence: float
    second_fact_needed: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """The region of a case's state."""

    callers: Grown[tuple[Channel, str | None], None] = field(default_factory=Grown)
    """The addresses that are his for all that is known; None: a withheld number of the channel."""
    channels: frozenset[Channel] = frozenset()
    """Those of these addresses."""
    codes: tuple[str | None, ...] = ()
    """The hash of the code that was issued last, and of its twin."""
    coded: Grown[CallOfChannel, None] = field(default_factory=Grown)
    """The calls in which he gave it."""
    doubted: Grown[CallOfChannel, str | None] = field(default_factory=Grown)
    """Those of them that need a second fact still, with their caller."""

    def proof_by_code(self, given: Given) -> Proof:
        """What a code of this case proves in this call."""
        if self.codes and given.code_hash is not None and given.code_hash not in self.codes:
            return Proof("earlier_code", min(REPLACED, given.confidence))
        caller = (given.channel, given.caller_key)
        if given.caller_key is not None and caller in self.callers:
            return Proof("return_code", SURE)
        if given.channel not in self.channels or given.guessable:
            return Proof("return_code", min(DOUBTED, given.confidence), second_fact_needed=True)
        return Proof("return_code", given.confidence)


def evolve_known(known: Known, event: CaseEvent[Any]) -> Known:
    """The region after one more event; never refuses."""
    match event.data:
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
