"""How much a person may open and search for in an hour, by their roles; and anybody more once
another supervisor releases it.

Each budget is a token bucket that fills evenly and holds an hour's worth. It is in memory and
starts half full, so forcing a restart of the key holder gains little. A case opened within the
hour isn't counted again.

Before anybody has a key, people are names, however they spell them: those not used within the hour
share a bucket, so that made-up names gain little, and take nothing from people at work.
"""

import math
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, NamedTuple

from shared.bus.allowance import Allowance
from shared.diagnostics.logger import logger
from shared.people.roles import Role
from shared.refusals import is_another_person

HOUR_S = 3_600.0
FIRST_SHARE = 0.5
"""What a bucket holds when the key holder starts, as a share of an hour's worth."""
MINUTE_S = 60.0
SAID_EVERY_S = 60.0

Measure = Literal["searches", "hashes", "cases", "values"]


class Shares(NamedTuple):
    """How many times an hour's worth, as the settings have it, somebody has of each measure."""

    searches: float = 1
    hashes: float = 1
    cases: float = 1
    values: float = 1

    def of(self, measure: Measure, an_hour: int) -> int:
        return max(1, round(float(getattr(self, measure)) * an_hour))


USUAL = Shares()
SHARES: Mapping[Role, Shares] = MappingProxyType(
    {
        "operator": USUAL,
        "verifier": Shares(searches=2, hashes=2, cases=1, values=1),
        "coordinator": Shares(searches=0.5, hashes=0.5, cases=1, values=0.5),
        "supervisor": Shares(searches=2, hashes=2, cases=2, values=2),
    }
)
"""A verifier looks for namesakes all day; a coordinator knows whom they look for. A role that isn't
here has nothing opened and searches for nothing."""


def shares_of(roles: Collection[Role]) -> Shares | None:
    """Of each measure the most that one of the roles has; None if no role has any."""
    held = [SHARES[one] for one in roles if one in SHARES]
    return Shares(*map(max, zip(*held, strict=True))) if held else None


class Standing(NamedTuple):
    """Who asks, as far as budgets depend on it."""

    has_account: bool = False
    """Else it is just a name."""
    shares: Shares = USUAL


A_NAME = Standing()


class Spent(NamedTuple):
    """An exhausted budget: its `limit` an hour, and the seconds until enough is back."""

    measure: Measure | Literal["names"]
    limit: int
    retry_after_s: float

    @property
    def expected(self) -> str:
        """What would satisfy it, in words."""
        if self.measure == "names":
            return f"at most {self.limit} new names an hour; or a name used within the hour"
        return (
            f"at most {self.limit} {self.measure} an hour for one person; wait, or have a "
            "supervisor release more"
        )


@dataclass
class _Person:
    left: dict[Measure, Allowance]
    shares: Shares = USUAL
    cases: dict[str, float] = field(default_factory=dict)
    """Case -> when they last opened it."""
    said_at: float = -math.inf
    noticed_at: float = -math.inf

    def forget_cases(self, now: float) -> None:
        self.cases = {case: at for case, at in self.cases.items() if now - at < HOUR_S}

    def is_idle(self, now: float) -> bool:
        return not self.cases and all(one.is_full(now) for one in self.left.values())


class Budgets:
    """Counts what each person had; thread-safe."""

    def __init__(
        self,
        an_hour: Mapping[Measure, int],
        new_names_an_hour: int,
        clock: Callable[[], float] = time.monotonic,
        noticed_cases: int | None = None,
    ) -> None:
        """`noticed_cases`: at so many cases within the hour it is said that somebody reads many."""
        self._an_hour = an_hour
        self._noticed_cases = noticed_cases
        self._clock = clock
        self._started_at = clock()
        self._names = Allowance(new_names_an_hour, HOUR_S, self._started_at)
        self._people: dict[str, _Person] = {}
        self._lock = threading.Lock()

    def search(self, by: str, hashes: int, standing: Standing = A_NAME) -> Spent | None:
        """Counts a search and its hashes, or returns the budget that is exhausted."""
        with self._lock:
            return self._take(by, standing, {"searches": 1, "hashes": hashes}, ())

    def open(
        self, by: str, values: int, case_ids: Collection[str], standing: Standing = A_NAME
    ) -> Spent | None:
        """Counts shown values and newly opened cases, all or nothing."""
        with self._lock:
            return self._take(by, standing, {"values": values}, case_ids)

    def release(self, account: str) -> None:
        """Gives somebody an hour's worth anew, at once."""
        with self._lock:
            person = self._people.get(account)
            if person is not None:
                person.left = self._full(self._clock(), person.shares, 1.0)

    def _take(
        self,
        by: str,
        standing: Standing,
        wanted: Mapping[Measure, int],
        case_ids: Collection[str],
    ) -> Spent | None:
        now = self._clock()
        person = self._people.get(by) if standing.has_account else self._find(by)
        is_new = person is None
        if person is None:
            self._forget_idle(now)
            if not standing.has_account and (wait_s := self._names.wait_s(1, now)):
                return Spent("names", self._names.full, wait_s)
            person = self._new(now, standing.shares)
        elif person.shares != standing.shares:  # Their roles have changed.
            person.shares = standing.shares
            person.left = self._full(now, standing.shares, FIRST_SHARE)
        person.forget_cases(now)
        new_cases = [one for one in case_ids if one not in person.cases]
        costs = {**wanted, "cases": len(new_cases)} if new_cases else wanted
        if (spent := self._spent(person, costs, now)) is not None:
            return spent
        for measure, cost in costs.items():
            person.left[measure].take(cost, now)
        person.cases.update(dict.fromkeys(case_ids, now))
        if is_new:
            if not standing.has_account:
                self._names.take(1, now)
            self._people[by] = person
        self._notice(person, now)
        return None

    def _spent(self, person: _Person, costs: Mapping[Measure, int], now: float) -> Spent | None:
        for measure, cost in costs.items():
            wait_s = person.left[measure].wait_s(cost, now)
            if wait_s:
                self._say(person, measure, now)
                return Spent(measure, person.left[measure].full, wait_s)
        return None

    def _find(self, by: str) -> _Person | None:
        if by in self._people:
            return self._people[by]
        return next(
            (one for name, one in self._people.items() if not is_another_person(name, by)), None
        )

    def _new(self, now: float, shares: Shares) -> _Person:
        filled = min(1.0, FIRST_SHARE + (now - self._started_at) / HOUR_S)
        return _Person(self._full(now, shares, filled), shares)

    def _full(self, now: float, shares: Shares, filled: float) -> dict[Measure, Allowance]:
        return {
            name: Allowance(shares.of(name, full), HOUR_S, now, filled)
            for name, full in self._an_hour.items()
        }

    def _forget_idle(self, now: float) -> None:
        for key, person in list(self._people.items()):
            person.forget_cases(now)
            if person.is_idle(now):
                del self._people[key]

    def _notice(self, person: _Person, now: float) -> None:
        if self._noticed_cases is None or len(person.cases) < self._noticed_cases:
            return
        if now - person.noticed_at >= HOUR_S:
            person.noticed_at = now
            logger.warning("reads_many", count=len(person.cases))

    def _say(self, person: _Person, measure: Measure, now: float) -> None:
        if now - person.said_at >= SAID_EVERY_S:
            person.said_at = now
            logger.warning("budget_spent", measure=measure, count=self._an_hour[measure])


@dataclass
class HashLimits:
    """Limits a service's hashes: a phone number can be found from its hash by trying all numbers.

    A bucket per service fills at the policy's `hashes_a_minute` and holds a minute's worth. A
    restarted key holder begins with full ones.
    """

    clock: Callable[[], float] = time.monotonic
    _left: dict[str, Allowance] = field(default_factory=dict)
    _said_at: dict[str, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, service: str, count: int, a_minute: int) -> float:
        """Counts hashes and returns 0, or the seconds until the service may have them."""
        with self._lock:
            now = self.clock()
            left = self._left.setdefault(service, Allowance(a_minute, MINUTE_S, now))
            # More than a minute's worth never fits in the bucket.
            wait_s = left.wait_s(count, now) if count <= a_minute else MINUTE_S
            if not wait_s:
                left.take(count, now)
                return 0.0
            said_at = self._said_at.get(service)
            says = said_at is None or now - said_at >= MINUTE_S
            if says:
                self._said_at[service] = now
        if says:
            logger.warning("hash_limit", asker=service, count=a_minute)
        return wait_s
