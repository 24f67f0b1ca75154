"""Fills a log with the cases of a hotline of two years: 1,000 men who wait, 40,000 past cases.

Who the men are is really sealed, by the key holder's keys, so that it opens. Everything else that
is sealed opens with no key.
"""

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from hashlib import sha256
from random import Random
from typing import NamedTuple

from benchmarks.casework_events import (
    CLOSED,
    CODE_KEY,
    DAY,
    HANDED_OVER,
    NOTE,
    NUMBER_KEY,
    WAITING,
    WHO_HE_IS,
)
from benchmarks.filling import CASES_AT_ONCE, Copy, Message, Template, in_turns, send
from benchmarks.people import People
from benchmarks.site import RELAXED, SYNCED, Site, wait_for_keys
from benchmarks.story import CALLER_KEY, FOLDS
from services.intake.routing import new_case_id
from shared.callers.addresses import callers_to_hash
from shared.events import intake
from shared.events.base import Event
from shared.events.fields import Identity, Plain
from shared.keys.client import Keys
from shared.keys.hash_purposes import SERVICE_NUMBER
from shared.keys.sealing import Spot
from shared.matching.numbers import folded_number

THREADS = 16
DAYS = 700
HANDED_OVER_EVERY = 100
"""One past case in this many ended with a handover."""
HASHES_AT_ONCE = 500


class Case(NamedTuple):
    case_id: str
    identity: Identity
    address: str
    caller_key: str
    number_key: str
    waits: bool


@dataclass
class Casework:
    events: int = 0
    cases: list[Case] = field(default_factory=list)
    known: list[Case] = field(default_factory=list)
    """Those whose keys are the key holder's hashes: they are found by caller and number."""


class Size(NamedTuple):
    events: int
    waiting: int
    past: int
    known: int


def fill_casework(site: Site, size: Size) -> Casework:
    """Fills the log of a site; while it does, its server doesn't sync every message."""
    count = size.waiting + size.past
    with site.writer(FOLDS["intake"], "intake") as writer:
        cases = _cases(writer.keys, People(), size)
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
    known = range(0, count, max(1, count // size.known))
    men = [people.next(number) for number in range(count)]
    addresses = [f"+38044{number:07d}" for number in range(count)]
    asked = [callers_to_hash("phone", addresses[one])[0] for one in known]
    asked += [
        (SERVICE_NUMBER, folded_number(men[one].service_number or f"0{one}")) for one in known
    ]
    hashes = [
        one[0]
        for start in range(0, len(asked), HASHES_AT_ONCE)
        for one in keys.hashes(asked[start : start + HASHES_AT_ONCE])
    ]
    by_caller = dict(zip(known, hashes, strict=False))
    by_number = dict(zip(known, hashes[len(known) :], strict=True))
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


def _messages(casework: Casework, sealed: Sequence[str], size: Size) -> Iterator[Message]:
    """The events of all cases; a thousand at once take turns, as on a hotline."""
    chance = Random(4)  # noqa: S311 - nothing is secret here
    growing = []
    for number, case in enumerate(casework.cases):
        day = DAY - timedelta(days=chance.randrange(DAYS))
        own = {
            f"{DAY:%Y-%m-%d}": f"{day:%Y-%m-%d}",
            CALLER_KEY: case.caller_key,
            NUMBER_KEY: case.number_key,
            CODE_KEY: _any_key("code", case.case_id),
            WHO_HE_IS: sealed[number],
        }
        growing.append(Copy(_template(casework, size, case, number), case.case_id, own))
    for start in range(0, len(growing), CASES_AT_ONCE):
        under_way = growing[start : start + CASES_AT_ONCE]
        for message in in_turns(under_way, [len(one.template.types) for one in under_way]):
            casework.events += 1
            yield message


def _template(casework: Casework, size: Size, case: Case, number: int) -> Template:
    """What happens in a case; notes make up the number of events that is wanted."""
    ending: tuple[Event, ...] = ()
    if not case.waits:
        ending = HANDED_OVER if number % HANDED_OVER_EVERY == 1 else CLOSED
    usual = size.events * (number + 1) // len(casework.cases)
    usual -= size.events * number // len(casework.cases)
    return _template_of(max(0, usual - len(WAITING) - len(ending)), ending)


@cache
def _template_of(notes: int, ending: tuple[Event, ...]) -> Template:
    return Template.of([*WAITING, *[NOTE] * notes, *ending])
