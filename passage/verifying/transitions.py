"""Whether what was decided was allowed: the rules that a reader of the log can check afterwards.

Written apart from the services' decisions, so that a fault there shows here. Facts are never
judged; only decisions are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from shared.events.base import CaseEvent, Event
from shared.events.handover import (
    HandedOver,
    HandoverAccepted,
    HandoverOffered,
    HandoverRefused,
    RendezvousApproved,
    RendezvousDisclosed,
    RendezvousMissed,
    RendezvousPlanned,
)
from shared.events.intake import CallLinked, CaseClosed, CaseOpened, PersonalDataProvided
from shared.events.verification import IdentityContradicted, IdentityRejected, IdentityVerified

TWO_PEOPLE_REASONS = frozenset({"hoax", "infiltration"})


@dataclass(slots=True)
class Trail:
    """What the rules need to know of a case so far."""

    verified: bool = False
    planners: dict[str, str] = field(default_factory=dict)
    """Rendezvous -> who planned it."""
    approved: set[str] = field(default_factory=set)
    coded_calls: set[str] = field(default_factory=set)
    offer: tuple[str, str] | None = None
    """The open offer's id and team."""
    accepted_by: str | None = None


def broken_rules(trail: Trail, event: CaseEvent[Any]) -> Iterator[str]:
    """Gives the rules that an event breaks, and takes it into the trail."""
    rule = _RULES.get(type(event.data))
    if rule is not None:
        yield from rule(trail, event.data, event)


def _opened(_trail: Trail, _data: CaseOpened, event: CaseEvent[Any]) -> Iterator[str]:
    if event.caseversion != 1:
        yield "opened twice"


def _linked(trail: Trail, data: CallLinked, _event: CaseEvent[Any]) -> Iterator[str]:
    if data.basis == "return_code":
        trail.coded_calls.add(data.call_id)
    yield from ()


def _identity(trail: Trail, data: Event, _event: CaseEvent[Any]) -> Iterator[str]:
    # What was verified was the data given before, not what is stated later.
    trail.verified = isinstance(data, IdentityVerified)
    yield from ()


def _closed(_trail: Trail, data: CaseClosed, event: CaseEvent[Any]) -> Iterator[str]:
    by = event.actor.removeprefix("operator:")
    if data.reason in TWO_PEOPLE_REASONS and data.second_by in (None, by):
        yield f"closed as {data.reason} without a second person"


def _planned(trail: Trail, data: RendezvousPlanned, _event: CaseEvent[Any]) -> Iterator[str]:
    trail.planners[data.rendezvous_id] = data.planned_by
    yield from ()


def _approved(trail: Trail, data: RendezvousApproved, _event: CaseEvent[Any]) -> Iterator[str]:
    planner = trail.planners.get(data.rendezvous_id)
    if planner is None:
        yield "approved a rendezvous that was not planned"
    if planner == data.by:
        yield "planned and approved by one person"
    trail.approved.add(data.rendezvous_id)


def _disclosed(trail: Trail, data: RendezvousDisclosed, _event: CaseEvent[Any]) -> Iterator[str]:
    if not trail.verified:
        yield "disclosed before the identity was verified"
    if data.rendezvous_id not in trail.approved:
        yield "disclosed before it was approved"
    if data.call_id not in trail.coded_calls:
        yield "disclosed in a call without the case's return code"


def _missed(trail: Trail, _data: RendezvousMissed, _event: CaseEvent[Any]) -> Iterator[str]:
    trail.offer = trail.accepted_by = None
    yield from ()


def _offered(trail: Trail, data: HandoverOffered, _event: CaseEvent[Any]) -> Iterator[str]:
    trail.offer, trail.accepted_by = (data.offer_id, data.team), None
    yield from ()


def _answered(
    trail: Trail, data: HandoverAccepted | HandoverRefused, _event: CaseEvent[Any]
) -> Iterator[str]:
    if trail.offer != (data.offer_id, data.team):
        yield "answered an offer that is not open for this team"
    trail.offer = None
    trail.accepted_by = data.team if isinstance(data, HandoverAccepted) else None


def _handed_over(trail: Trail, data: HandedOver, _event: CaseEvent[Any]) -> Iterator[str]:
    if trail.accepted_by != data.team:
        yield "handed over to a team that had not accepted"


_RULES: dict[type[Event], Callable[[Trail, Any, CaseEvent[Any]], Iterator[str]]] = {
    CaseOpened: _opened,
    CallLinked: _linked,
    PersonalDataProvided: _identity,
    IdentityVerified: _identity,
    IdentityContradicted: _identity,
    IdentityRejected: _identity,
    CaseClosed: _closed,
    RendezvousPlanned: _planned,
    RendezvousApproved: _approved,
    RendezvousDisclosed: _disclosed,
    RendezvousMissed: _missed,
    HandoverOffered: _offered,
    HandoverAccepted: _answered,
    HandoverRefused: _answered,
    HandedOver: _handed_over,
}
"""Events that aren't here follow from no rule across events."""
