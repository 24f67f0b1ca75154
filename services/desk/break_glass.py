"""Password and one-time password, for when no key is at hand: set by oneself, checked here only."""

import hmac
import threading
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import NamedTuple, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pyotp import TOTP

from services.desk.guards import require_own
from shared.commands import people as commands
from shared.events.base import Event
from shared.events.fields import Plain
from shared.events.people import BreakGlassSet, BreakGlassUsed
from shared.people.state import PersonState
from shared.refusals import Guard, require

STEP_S = 30
STEPS_OFF = 1
"""How many steps a phone's clock may be off."""
HASHING = PasswordHasher(time_cost=2, memory_cost=131_072, parallelism=1)
TAKEN_AT_ONCE, SECONDS_EACH = 10, 10.0
ACCOUNTS_COUNTED = 1_000
WAITS_S = 3.0

ResultT = TypeVar("ResultT")

KEY_HELD = Guard("key_held", "somebody who holds a key")
CODE_FITS = Guard("code_fits", "a code of this very secret, from a clock that is right")
BREAK_GLASS_RIGHT = Guard(
    "break_glass_right", "the right password, and a code that wasn't used yet; or a passkey"
)
NOT_TOO_OFTEN = Guard("not_too_often", "fewer attempts: one in ten seconds")


class Proofs(NamedTuple):
    """What somebody set, in the clear."""

    password_hash: str
    totp_secret: str


def decide_set(
    person: PersonState, command: commands.SetBreakGlass, step: int | None, password_hash: str
) -> list[Event]:
    """Replaces what was set before."""
    require_own(person, command)
    require(bool(person.keys_held) and not person.suspended, KEY_HELD)
    require(step is not None, CODE_FITS)
    set_now = BreakGlassSet(
        password_hash=Plain(password_hash), totp_secret=Plain(command.totp_secret)
    )
    # The code shown to set it doesn't count again.
    return [set_now, BreakGlassUsed(step=step or 0)]


def decide_used(person: PersonState, version: int, step: int) -> list[Event]:
    """Of a code that was found right, with what was set at `version`."""
    glass = person.break_glass
    stands = glass is not None and glass.version == version and step > glass.last_step
    require(stands and not person.suspended, BREAK_GLASS_RIGHT)
    return [BreakGlassUsed(step=step)]


def step_of(secret: str, code: str, now: datetime) -> int | None:
    """The time step of which this is the code; only ASCII digits are one."""
    if not (code.isascii() and code.isdigit()):
        return None
    current, totp = int(now.timestamp()) // STEP_S, TOTP(secret)
    steps = range(current - STEPS_OFF, current + STEPS_OFF + 1)
    # Each is compared, so that the time tells nothing.
    right = [one for one in steps if hmac.compare_digest(totp.generate_otp(one), code)]
    return right[-1] if right else None


def hashed(password: str) -> str:
    return HASHING.hash(_as_typed(password))


@cache
def none_set() -> Proofs:
    """Checked where nothing is set: it must take as long."""
    return Proofs(hashed("nobody has this one"), "A" * 32)


def step_if_right(proofs: Proofs, password: str, code: str, now: datetime) -> int | None:
    """The code's step, if both are right."""
    step = step_of(proofs.totp_secret, code, now)
    try:
        HASHING.verify(proofs.password_hash, _as_typed(password))
    except (VerificationError, InvalidHashError):
        return None
    return step


def _as_typed(password: str) -> str:
    """The same on every keyboard and system."""
    return unicodedata.normalize("NFKC", password)


@dataclass
class Pace:
    """Ten checks of an account at once, then one in ten seconds; and one check at a time in all:
    each takes 128 MiB."""

    clock: Callable[[], float]
    _free: dict[str, tuple[float, float]] = field(default_factory=dict)
    _checking: threading.Lock = field(default_factory=threading.Lock)
    _counting: threading.Lock = field(default_factory=threading.Lock)

    def take(self, account: str) -> None:
        """Raises RefusedError."""
        with self._counting:
            now = self.clock()
            left, since = self._free.pop(account, (float(TAKEN_AT_ONCE), now))
            left = min(TAKEN_AT_ONCE, left + (now - since) / SECONDS_EACH)
            self._free[account] = (max(left - 1, 0.0) if left >= 1 else left, now)
            while len(self._free) > ACCOUNTS_COUNTED:
                del self._free[next(iter(self._free))]
        require(left >= 1, NOT_TOO_OFTEN)

    def alone(self, check: Callable[[], ResultT]) -> ResultT:
        """Raises RefusedError rather than wait for long: other commands need the threads."""
        require(self._checking.acquire(timeout=WAITS_S), NOT_TOO_OFTEN)
        try:
            return check()
        finally:
            self._checking.release()
