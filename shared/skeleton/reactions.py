"""What a service does after an event: one table per service, from which its consumer is derived."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from shared import subjects
from shared.events.base import CaseEvent, Event
from shared.events.parsing import read_case_event
from shared.log.transact import Outcome
from shared.parked.parking import Delivery
from shared.skeleton.deadlines import Deadlines
from shared.subjects import Durable, read_case_subject


class Reacting(Protocol):
    @property
    def deadlines(self) -> Deadlines[Any]: ...


Reaction = Callable[[Any, CaseEvent[Any]], Outcome | None]
"""None if nothing follows from this event after all."""
Reactions = Mapping[type[Event], tuple[Reaction, ...]]
"""In order of execution."""


def followed_by(service: str, reactions: Reactions) -> Durable:
    types = (subjects.case_events(one.__name__) for one in reactions)
    return Durable(service, subjects.CASES, tuple(types))


def react(reactions: Reactions, service: Reacting, delivery: Delivery) -> Outcome:
    """Runs the reactions to an event of the log. Raises UnprocessableError."""
    event = read_case_event(delivery.body, read_case_subject(delivery.subject).type_name)
    outcome = Outcome("ignored", event.subject, event.caseversion, delivery.sequence)
    for reaction in reactions.get(type(event.data), ()):
        outcome = reaction(service, event) or outcome
    return outcome


def set_timers(service: Reacting, event: CaseEvent[Any]) -> None:
    """The reaction to events that make or move a deadline."""
    service.deadlines.keep(event.subject)
