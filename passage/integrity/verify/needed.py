"""How many people must have signed an event, judged by the log alone and by rules of its own."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from shared.events import handover, intake, people, shifts, verification
from shared.events.base import Event
from shared.people.state import PersonState


class Needed(NamedTuple):
    people: int
    supervisor: bool = False


NOBODY, ONE, TWO = Needed(0), Needed(1), Needed(2)
SUPERVISOR, TWO_WITH_SUPERVISOR = Needed(1, True), Needed(2, True)


class Then(NamedTuple):
    """What was so when it was recorded."""

    person: PersonState
    """The one whose log it is in, if it is somebody's."""
    several_signed: bool
    """Whether two people had held keys."""


Of = Callable[[Any, Then], Needed]
"""How many people sign an event."""


def _closed(data: intake.CaseClosed, _then: Then) -> Needed:
    if data.second_by is not None:
        return TWO
    return SUPERVISOR if data.reason in {"hoax", "infiltration"} else NOBODY


NEEDED: Mapping[type[Event], Of] = {
    handover.RendezvousApproved: lambda _data, _then: ONE,
    handover.RendezvousDisclosed: lambda _data, _then: TWO,
    handover.EmergencyOverrideUsed: lambda _data, _then: TWO,
    handover.HandoverDiscrepancyResolved: lambda _data, _then: TWO,
    intake.ErasureRequested: lambda _data, _then: TWO_WITH_SUPERVISOR,
    intake.PersonalDataErased: lambda _data, _then: TWO_WITH_SUPERVISOR,
    intake.CaseClosed: _closed,
    intake.DuressCleared: lambda _data, _then: SUPERVISOR,
    verification.IdentityVerified: lambda data, _then: TWO if data.second_by else NOBODY,
    shifts.StatisticsExported: lambda _data, _then: TWO,
    people.PersonAdded: lambda _data, _then: SUPERVISOR,
    people.PersonResumed: lambda _data, _then: SUPERVISOR,
    people.RoleGranted: lambda data, _then: (
        TWO_WITH_SUPERVISOR if data.role == "supervisor" else SUPERVISOR
    ),
    people.EnrolmentOffered: lambda _data, then: (
        TWO_WITH_SUPERVISOR if then.person.keys or then.several_signed else SUPERVISOR
    ),
}
