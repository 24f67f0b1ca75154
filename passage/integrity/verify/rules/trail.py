"""What the rules need to know about a case so far, and the questions they share.

Everything in it is small, and shared if empty: each case of the log has a trail.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from shared.events.base import CaseEvent, Event
from shared.events.fields import ContactWindow
from shared.events.intake import ContactRule
from shared.refusals import is_another_person
from shared.written.zones import clock_in

LEEWAY = timedelta(minutes=5)
"""Clocks differ; whoever decided gets the benefit of this much doubt."""


class Meeting(NamedTuple):
    """The newest rendezvous, unless it was missed, met, cancelled or has expired."""

    rendezvous_id: str
    planned_by: str
    approved: bool = False
    disclosed: bool = False
    told_by: str | None = None
    """The message that told him; None: in a call."""
    perhaps_told_by: frozenset[str] = frozenset()
    """Messages that may have told him, as nobody reported on them."""


class OpenOffer(NamedTuple):
    offer_id: str
    team: str
    deadline_at: datetime


@dataclass(slots=True)
class Who:
    claim: tuple[str, int] | None = None
    """The personal data last given: the event's id and version."""
    matched: bool = False
    partial: bool = False
    """What a registry said of that data."""
    verified: bool = False
    rejected: bool = False
    """Rejected, and no personal data given since."""
    contradicted_at: int = 0
    """Version of the open contradiction; 0: there is none."""
    doubted_at: int = 0
    """Version of a person's last contradiction: no match of earlier data ends it."""
    level: str = ""
    level_until: datetime | None = None
    review_open: bool = False
    claimants: tuple[str, ...] = ()
    life_now: bool = False


@dataclass(slots=True)
class Way:
    arrived: bool = False
    meeting: Meeting | None = None
    offer: OpenOffer | None = None
    accepted_by: str | None = None
    overrides: Mapping[str, datetime] = field(default_factory=lambda: _NONE)
    """Guard -> until when it is set aside."""
    handed_over: bool = False
    received: frozenset[str] = frozenset()
    """The members of his group named on a receipt."""
    discrepancy: bool = False


@dataclass(slots=True)
class Lease:
    fence: int = 0
    operator: str | None = None
    until: datetime | None = None


@dataclass(slots=True)
class Custody:
    held: bool = False
    consent: bool = False
    exchanged: bool = False


class Line(NamedTuple):
    coded: bool = False
    """Whether this case's own code was given in it; an earlier episode's doesn't count."""
    ended: bool = False


class Safe(NamedTuple):
    rule: ContactRule
    windows: tuple[ContactWindow, ...]
    heard_at: datetime
    """When it was recorded, by the service's clock."""


class Message(NamedTuple):
    valid_until: datetime
    dispatched: bool = False
    ended: bool = False
    reported: bool = False
    """Whether its channel's report ended it."""
    failed: bool = False
    rendezvous_id: str | None = None
    """The rendezvous it tells of; it goes only once the disclosure is recorded."""
    told: bool = False


@dataclass(slots=True)
class Shift:
    operators: tuple[str, ...]
    to: tuple[str, ...] = ()
    handed_over: Mapping[str, str] = field(default_factory=lambda: _NONE)
    """Live case -> who handed it over last."""
    waiting: frozenset[str] = frozenset()
    accepted: frozenset[str] = frozenset()
    ended: bool = False


class Proposal(NamedTuple):
    """A decision that waits for a second signature, and then to be carried out."""

    by: str
    until: datetime
    ended: bool = False
    is_agreed: bool = False
    is_settled: bool = False
    """Carried out or refused."""


_NONE: Mapping[Any, Any] = {}


@dataclass(slots=True)
class Trail:
    """What the rules need to know about a case so far, and about the log around it."""

    supervisors: tuple[str, ...] = ()
    """Only they may close a case as hoax or infiltration alone."""
    receipts: set[tuple[str, str]] | None = None
    """Group and case of every group receipt in the log; None: only this case is read."""
    others: Mapping[str, "Trail"] | None = None
    """The trails of all cases of the log, by number; None: only this case is read."""
    who: Who = field(default_factory=Who)
    way: Way = field(default_factory=Way)
    lease: Lease | None = None
    custody: Custody | None = None
    shift: Shift | None = None
    links: Mapping[str, datetime] = field(default_factory=lambda: _NONE)
    """A person's open links by hash, and until when each holds."""
    last_step: int = -1
    """The time step of the code that a person's break-glass took last."""
    proposal: Proposal | None = None
    calls: Mapping[tuple[str, str], Line] = field(default_factory=lambda: _NONE)
    """By channel and the channel's own call number."""
    duress: bool = False
    contact: tuple[Safe, ...] = ()
    """What he said about contacting him, except what a statement that is surely later replaces."""
    messages: Mapping[str, Message] = field(default_factory=lambda: _NONE)
    group: str | None = None
    """The group he leads or travels with."""
    roll: frozenset[str] = frozenset()
    """A leader's companions, without himself."""
    linked: frozenset[str] = frozenset()
    closed: bool = False
    continued: bool = False
    """He called again after it was over: another case continues."""

    @property
    def awaited(self) -> list["Trail"]:
        """His unreceived companions, as far as their logs were read."""
        if self.others is None:
            return []
        return [self.others.get(one, Trail()) for one in self.roll - self.way.received]

    def overrides(self, guard: str, at: datetime) -> bool:
        until = self.way.overrides.get(guard)
        return until is not None and at <= until + LEEWAY

    def is_on_coded_call(self, call_id: str) -> bool:
        """Whether a call with that number continues, and all such calls gave the code."""
        lines = [line for (_, number), line in self.calls.items() if number == call_id]
        return all(line.coded for line in lines) and any(not line.ended for line in lines)

    def may_be_contacted(self, at: datetime) -> bool:
        """With leeway for clocks."""
        moments = (at - LEEWAY, at, at + LEEWAY)
        return bool(self.contact) and all(
            one.rule == "yes"
            or any(_within(window, moment) for window in one.windows for moment in moments)
            for one in self.contact
        )


def _within(window: ContactWindow, moment: datetime) -> bool:
    start, end, clock = window.from_time, window.to_time, clock_in(window.zone, moment)
    if clock is None:
        return False
    return start <= clock < end if start <= end else clock >= start or clock < end


Rule = Callable[[Trail, Any, CaseEvent[Any]], Iterator[str] | None]
"""Adds an event to the trail and yields the rules it breaks; None: it can't break any."""

Rules = dict[type[Event], Rule]


def why_forced(trail: Trail, done: str) -> Iterator[str]:
    if trail.duress:
        yield f"{done} while somebody might be forcing him"
    if any(one.duress for one in trail.awaited):
        yield f"{done} while somebody might be forcing one of his group"


def same_person(one: str, other: str) -> bool:
    """However they are spelled."""
    return not is_another_person(one, other)


def two_people(one: str, other: str | None) -> bool:
    return is_another_person(one, other)


def actor_of(event: CaseEvent[Any]) -> str:
    return event.actor.partition(":")[2]
