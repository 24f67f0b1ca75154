"""People's logs, replayed to any instant, say who could do what then."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

import pytest

from shared.events.base import Event
from shared.events.intake import NoteAdded
from shared.events.parsing import read_case_event
from shared.events.people import (
    PersonAdded,
    PersonResumed,
    PersonSuspended,
    Role,
    RoleGranted,
    RoleTaken,
    log_of,
)
from shared.jetstream.stored import StoredMessage
from shared.people.roles import COMMANDS, OWN, ROLES, may
from shared.people.state import PersonState, evolve_person
from tests.examples import CASE, sealed
from tests.passage.signed_log import SignedLog
from tests.signing_place import OLENA

ACCOUNTS = [f"person_{number}" for number in range(8)]
ACTS = sorted(set(COMMANDS) - OWN)
STEPS = 400
IN_FLIGHT_S = 31
"""Longer than verify grants a decision that was checked before its giver's role was taken."""
NOTE = NoteAdded(text=sealed("calm"))
CHOSEN = 100
INSTANTS = 40


@dataclass
class Known:
    """What the test itself knows of a person."""

    roles: set[Role] = field(default_factory=set)
    is_suspended: bool = False

    def may(self, act: str) -> bool:
        return not self.is_suspended and may(self.roles, act)


class Given(NamedTuple):
    """A decision: after how many events of the log, by whom, and who could have given it."""

    at: int
    by: str
    act: str
    could: frozenset[str]


@dataclass
class Past:
    """A log of which the test knows, at each event, who could do what."""

    chance: Random
    log: SignedLog = field(default_factory=SignedLog)
    people: dict[str, Known] = field(default_factory=dict)
    decisions: list[Given] = field(default_factory=list)
    states: dict[int, dict[str, frozenset[Role]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for account in ACCOUNTS:
            self.people[account] = Known()
            self.log.add(log_of(account), PersonAdded(name=account, by=OLENA))
        for _ in range(STEPS):
            self._change(self.chance.choice(ACCOUNTS))
            self._decide(self.chance.choice(ACTS))
            self.states[len(self.log.stored)] = {
                account: frozenset(() if one.is_suspended else one.roles)
                for account, one in self.people.items()
            }

    def _change(self, account: str) -> None:
        known, role = self.people[account], self.chance.choice(ROLES)
        log, log_id = self.log, log_of(account)
        if self.chance.random() < 0.1:
            suspended = PersonSuspended(reason=sealed("lost"), by=OLENA)
            event: Event = PersonResumed(by=OLENA) if known.is_suspended else suspended
            known.is_suspended = not known.is_suspended
        elif role in known.roles:
            event = RoleTaken(role=role, by=OLENA)
            known.roles.remove(role)
        else:
            event = RoleGranted(role=role, by=OLENA)
            known.roles.add(role)
        log.add(log_id, event)
        log.seconds += IN_FLIGHT_S

    def _decide(self, act: str) -> None:
        could = frozenset(one for one, known in self.people.items() if known.may(act))
        if could:
            by = self.chance.choice(sorted(could))
            self.decisions.append(Given(len(self.log.stored), by, act, could))
            self.log.add(
                CASE, NOTE, actor=f"operator:{by}", causation_id=f"{act}-{len(self.decisions)}"
            )

    def replayed(self, until: int) -> dict[str, PersonState]:
        return replay(self.log.stored[:until])


def replay(stored: Iterable[StoredMessage]) -> dict[str, PersonState]:
    found: dict[str, PersonState] = {}
    for one in stored:
        event = read_case_event(one.body)
        account = event.subject.removeprefix(log_of(""))
        found[account] = evolve_person(found.get(account, PersonState()), event)
    return found


@pytest.fixture(scope="module")
def past() -> Past:
    return Past(Random(12))  # noqa: S311 - what is found can be played again


def test_the_log_replayed_to_any_instant_says_who_could_do_what_then(past: Past) -> None:
    for until in past.chance.sample(sorted(past.states), INSTANTS):
        people, known = past.replayed(until), past.states[until]
        said = {
            one: frozenset(() if people[one].suspended else people[one].roles) for one in ACCOUNTS
        }
        assert said == known, until


def test_a_hundred_past_decisions_were_within_their_persons_role_then(past: Past) -> None:
    for given in past.chance.sample(past.decisions, CHOSEN):
        people = past.replayed(given.at)
        assert may(people[given.by].roles, given.act)
        able = {
            one
            for one in ACCOUNTS
            if not people[one].suspended and may(people[one].roles, given.act)
        }
        assert able == given.could
    assert past.log.found("roles") == []


def test_a_hundred_given_by_somebody_whose_role_did_not_allow_them_are_all_found() -> None:
    past = Past(Random(13))  # noqa: S311
    unable = [one for one in past.decisions if one.could != set(ACCOUNTS)]
    wrong = sorted(past.chance.sample(unable, CHOSEN))
    stored, log = list(past.log.stored), past.log
    for given in wrong:
        other = past.chance.choice(sorted(set(ACCOUNTS) - given.could))
        decided = stored[given.at]
        body = decided.body.replace(f"operator:{given.by}".encode(), f"operator:{other}".encode())
        stored[given.at] = decided._replace(body=body)
    log.stored = stored
    assert len(log.found("roles")) == CHOSEN
