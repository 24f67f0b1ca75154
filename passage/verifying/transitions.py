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
from shared.events.intake import (
    CallLinked,
    CaseClosed,
    CaseOpened,
    CaseReopened,
    PersonalDataErased,
    PersonalDataProvided,
)
from shared.events.verification import (
    IdentityContradicted,
    IdentityRejected,
    IdentityVerified,
    RegistryChecked,
)

TWO_PEOPLE_REASONS = frozenset({"hoax", "infiltration"})


@dataclass(slots=True)
class Trail:
    """What the rules need to know of a case so far."""

    verified: bool = False
    rejected: bool = False
    """Rejected, and no personal data given since."""
    contradicted_at: int = 0
    """Version of the open contradiction; 0: there is none."""
    claim: tuple[str, int] | None = None
    """The personal data last given: the event's id and version."""
    planners: dict[str, str] = field(default_factory=dict)
    """Rendezvous -> who planned it."""
    approved: set[str] = field(default_factory=set)
    coded_calls: set[str] = field(default_factory=set)
    """Calls in which this case's own code was given; an earlier episode's is not."""
    offer: tuple[str, str] | None = None
    """The open offer's id and team."""
    accepted_by: str | None = None
    meeting: str | None = None
    """The rendezvous planned last, while it is neither missed nor met."""
    closed: bool = False


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


def _claimed(trail: Trail, _data: PersonalDataProvided, event: CaseEvent[Any]) -> Iterator[str]:
    # What was verified or rejected was the data given before, not this.
    trail.verified = trail.rejected = False
    trail.claim = (event.id, event.caseversion)
    yield from ()


def _checked(trail: Trail, data: RegistryChecked, _event: CaseEvent[Any]) -> Iterator[str]:
    if trail.claim is None or data.outcome != "match":
        return
    event_id, given_at = trail.claim
    if data.about_event == event_id and given_at > trail.contradicted_at:
        trail.contradicted_at = 0
    yield from ()


def _contradicted(
    trail: Trail, _data: IdentityContradicted, event: CaseEvent[Any]
) -> Iterator[str]:
    trail.verified, trail.contradicted_at = False, event.caseversion
    yield from ()


def _rejected(trail: Trail, _data: IdentityRejected, _event: CaseEvent[Any]) -> Iterator[str]:
    trail.verified, trail.rejected = False, True
    yield from ()


def _verified(trail: Trail, data: IdentityVerified, _event: CaseEvent[Any]) -> Iterator[str]:
    two_people = data.second_by is not None and not _same_person(data.by, data.second_by)
    if trail.contradicted_at:
        yield "verified while contradicted"
    if trail.rejected and not two_people:
        yield "verified after a rejection without new personal data or a second person"
    elif data.basis == "two_sources" and not two_people:
        yield "verified by two sources without a second person"
    trail.verified, trail.rejected = True, False


def _closed(trail: Trail, data: CaseClosed, event: CaseEvent[Any]) -> Iterator[str]:
    by = event.actor.removeprefix("operator:")
    trail.closed = True
    one_person = data.second_by is None or _same_person(by, data.second_by)
    if data.reason in TWO_PEOPLE_REASONS and one_person:
        yield f"closed as {data.reason} without a second person"


def _reopened(trail: Trail, _data: CaseReopened, _event: CaseEvent[Any]) -> Iterator[str]:
    trail.closed = False
    yield from ()


def _erased(trail: Trail, _data: PersonalDataErased, _event: CaseEvent[Any]) -> Iterator[str]:
    if trail.meeting is not None and not trail.closed:
        yield "erased between planned and handed over"


def _same_person(one: str, other: str) -> bool:
    """Whether two names are one person's: upper case and white space make nobody else."""
    return one.casefold().split() == other.casefold().split()


def _planned(trail: Trail, data: RendezvousPlanned, _event: CaseEvent[Any]) -> Iterator[str]:
    trail.planners[data.rendezvous_id] = data.planned_by
    trail.meeting = data.rendezvous_id
    yield from ()


def _approved(trail: Trail, data: RendezvousApproved, _event: CaseEvent[Any]) -> Iterator[str]:
    planner = trail.planners.get(data.rendezvous_id)
    if planner is None:
        yield "approved a rendezvous that was not planned"
    elif _same_person(planner, data.by):
        yield "planned and approved by one person"
    trail.approved.add(data.rendezvous_id)


def _disclosed(trail: Trail, data: RendezvousDisclosed, _event: CaseEvent[Any]) -> Iterator[str]:
    if not trail.verified:
        yield "disclosed before the identity was verified"
    if data.rendezvous_id not in trail.approved:
        yield "disclosed before it was approved"
    if data.call_id not in trail.coded_calls:
        yield "disclosed in a call without the case's return code"


def _missed(trail: Trail, data: RendezvousMissed, _event: CaseEvent[Any]) -> Iterator[str]:
    trail.offer = trail.accepted_by = None
    if trail.meeting == data.rendezvous_id:
        trail.meeting = None
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
    trail.meeting = None
    if trail.accepted_by != data.team:
        yield "handed over to a team that had not accepted"


_RULES: dict[type[Event], Callable[[Trail, Any, CaseEvent[Any]], Iterator[str]]] = {
    CaseOpened: _opened,
    CallLinked: _linked,
    PersonalDataProvided: _claimed,
    RegistryChecked: _checked,
    IdentityVerified: _verified,
    IdentityContradicted: _contradicted,
    IdentityRejected: _rejected,
    CaseClosed: _closed,
    CaseReopened: _reopened,
    PersonalDataErased: _erased,
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
