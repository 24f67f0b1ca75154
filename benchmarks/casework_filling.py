"""Fills a log with the cases of a hotline of two years: 1,000 men who wait, 40,000 past cases.

The events are the catalogue's, chained case by case; who the men are is really sealed, by the key
holder's keys, so that it opens. Everything else that is sealed opens with no key.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from random import Random
from typing import NamedTuple

from benchmarks.casework_events import (
    CASE,
    CODE_KEY,
    DAY,
    NUMBER_KEY,
    PREVIOUS,
    TEMPLATES,
    VERSION,
    WAITING,
    WHO_HE_IS,
    Template,
)
from benchmarks.filling import CASES_AT_ONCE, Message, send
from benchmarks.holder_process import wait_for_keys
from benchmarks.people import People
from benchmarks.site import RELAXED, SYNCED, Site
from benchmarks.story import CALLER_KEY, FOLDS
from services.intake.routing import new_case_id
from shared import subjects
from shared.callers.addresses import callers_to_hash
from shared.events import intake
from shared.events.base import FIRST_PREVHASH, chain_hash
from shared.events.fields import Identity, Plain
from shared.jetstream.subjects import Subjects
from shared.keys.client import Keys
from shared.keys.hash_purposes import SERVICE_NUMBER
from shared.keys.sealing import Spot
from shared.matching.numbers import folded_number

THREADS = 16
DAYS = 700
HANDED_OVER_EVERY = 100
"""One past case of so many ended with a handover."""
HASHES_AT_ONCE = 500


class Case(NamedTuple):
    """One man's case, and how he is found."""

    case_id: str
    identity: Identity
    address: str
    caller_key: str
    number_key: str
    waits: bool


@dataclass
class Casework:
    """What is in the log now."""

    events: int = 0
    cases: list[Case] = field(default_factory=list)
    known: list[Case] = field(default_factory=list)
    """Those whose keys are the key holder's hashes: they are found by caller and number."""


class Size(NamedTuple):
    """How much to fill in."""

    events: int
    waiting: int
    past: int
    known: int


def fill_casework(site: Site, size: Size) -> Casework:
    """Fills the log of a site; while it does, its server doesn't sync every message."""
    people = People()
    count = size.waiting + size.past
    with site.writer(FOLDS["intake"], "intake") as writer:
        cases = _cases(writer.keys, people, size)
        with ThreadPoolExecutor(THREADS) as threads:
            sealed = list(threads.map(lambda case: _sealed(writer.keys, case), cases))
    casework = Casework(cases=cases, known=cases[:: max(1, count // size.known)][: size.known])
    site.restart(RELAXED)
    asyncio.run(send(site, _messages(casework, sealed, size)))
    site.restart(SYNCED)
    wait_for_keys(site.settings)
    return casework


def _cases(keys: Keys, people: People, size: Size) -> list[Case]:
    count = size.waiting + size.past
    waits_every = max(1, count // size.waiting)
    known = set(range(0, count, max(1, count // size.known)))
    men = [people.next(number) for number in range(count)]
    addresses = [f"+38044{number:07d}" for number in range(count)]
    asked = [callers_to_hash("phone", addresses[one])[0] for one in sorted(known)]
    asked += [
        (SERVICE_NUMBER, folded_number(men[one].service_number or f"0{one}"))
        for one in sorted(known)
    ]
    hashes = [
        one[0]
        for start in range(0, len(asked), HASHES_AT_ONCE)
        for one in keys.hashes(asked[start : start + HASHES_AT_ONCE])
    ]
    by_caller = dict(zip(sorted(known), hashes, strict=False))
    by_number = dict(zip(sorted(known), hashes[len(known) :], strict=True))
    return [
        Case(
            new_case_id(),
            men[one],
            addresses[one],
            by_caller.get(one) or _any_key("caller", one),
            by_number.get(one) or _any_key("number", one),
            one % waits_every == 0,
        )
        for one in range(count)
    ]


def _any_key(kind: str, of: object) -> str:
    return sha256(f"{kind} {of}".encode()).hexdigest()


def _sealed(keys: Keys, case: Case) -> str:
    version = [type(one) for one in WAITING].index(intake.PersonalDataProvided) + 1
    spot = Spot(case.case_id, version, "PersonalDataProvided", "identity", "identity")
    key = keys.for_sealing(case.case_id, version, "")["identity"]
    return str(key.seal(spot, Plain.of(case.identity).value))


@dataclass
class _Growing:
    """One case that grows by its templates."""

    case: Case
    sealed: str
    day: str
    steps: Sequence[Template]
    version: int = 0
    last_hash: str = FIRST_PREVHASH

    def next(self) -> Message:
        step, case = self.steps[self.version], self.case
        self.version += 1
        text = step.body.replace(CASE, case.case_id).replace(str(VERSION), str(self.version))
        text = text.replace(PREVIOUS, self.last_hash).replace(_day(DAY), self.day)
        text = text.replace(CALLER_KEY, case.caller_key).replace(NUMBER_KEY, case.number_key)
        text = text.replace(CODE_KEY, _any_key("code", case.case_id))
        body = text.replace(WHO_HE_IS, self.sealed).encode()
        self.last_hash = chain_hash(body)
        subject = Subjects(subjects.CASES_PREFIX).event(case.case_id, self.version, step.type_name)
        return subject, body


def _day(moment: datetime) -> str:
    return moment.date().isoformat()


def _messages(casework: Casework, sealed: Sequence[str], size: Size) -> Iterator[Message]:
    """The events of all cases; a thousand at once take turns, as on a hotline."""
    chance = Random(4)  # noqa: S311 - nothing is secret here
    growing = [
        _Growing(
            case,
            sealed[number],
            _day(DAY - timedelta(days=chance.randrange(DAYS))),
            _steps(casework, size, case, number),
        )
        for number, case in enumerate(casework.cases)
    ]
    for start in range(0, len(growing), CASES_AT_ONCE):
        under_way = growing[start : start + CASES_AT_ONCE]
        for version in range(max(len(one.steps) for one in under_way)):
            for one in under_way:
                if version < len(one.steps):
                    casework.events += 1
                    yield one.next()


def _steps(casework: Casework, size: Size, case: Case, number: int) -> list[Template]:
    """What happens in a case; notes make up the number of events that is wanted."""
    ending: list[Template] = []
    if not case.waits:
        handed_over = number % HANDED_OVER_EVERY == 1
        ending = TEMPLATES["on the way"] if handed_over else []
        ending = [*ending, *TEMPLATES["ended" if handed_over else "closed"]]
    usual = size.events * (number + 1) // len(casework.cases)
    usual -= size.events * number // len(casework.cases)
    notes = usual - len(TEMPLATES["waiting"]) - len(ending)
    return [*TEMPLATES["waiting"], *(TEMPLATES["note"] * max(0, notes)), *ending]
