"""Checks signatures before a service decides: whose they are, what they are of, and that each
counts once.

The service that decides issues the nonces, and asks the people's own logs: what query says of
either counts for nothing.
"""

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from secrets import token_urlsafe
from typing import NamedTuple, Protocol

from shared.commands.base import Command
from shared.events.signatures import Signature
from shared.jetstream.buckets import Bucket, BucketEntry, Change, TakenError
from shared.people.signatures import (
    COUNTER_AHEAD,
    KEY_HELD,
    NONCE_FRESH,
    NONCE_UNUSED,
    SALTED,
    SIGNED_BY,
    SIGNED_THIS,
    SIGNER_MAY,
    canonical_of,
    hidden_in,
    require_proof,
)
from shared.people.signed import SIGNED, Asked, Known, may_sign
from shared.people.site import Site
from shared.people.state import Key, PersonState
from shared.refusals import RefusedError, require

LAST_SIGNED_WITHIN = timedelta(minutes=2)
"""How old the nonce of the last to sign may be."""
FIRST_SIGNED_WITHIN = timedelta(minutes=10)
"""How old the nonce of the first of two may be: the second has to be found."""
NONCES_KEPT_S = 3_600
NONCES_MAX = 100_000
"""What the bucket keeps at most; older ones are refused as if they had never been issued."""
NONCE_BYTES = 16
PROPOSED = "proposed"
SPENDING_ATTEMPTS = 20
"""How often a nonce or counter is read again because another process changed it meanwhile."""


class People(Known, Protocol):
    def anybody_signs(self) -> bool:
        """Whether a key was ever registered: from then on signatures are asked for."""
        ...


class _Checked(NamedTuple):
    signature: Signature
    person: PersonState
    key: Key
    nonce: str
    counter: int


class Nonces:
    """In a bucket, for all processes of a service. Each is for one command, however often sent."""

    def __init__(self, bucket: Bucket, service: str, now: Callable[[], datetime]) -> None:
        self._bucket = bucket
        self._service = service
        self._now = now

    def issue(self) -> str:
        nonce = token_urlsafe(NONCE_BYTES)
        self._bucket.create(self._key(nonce), _json({"at": self._now().timestamp()}))
        return nonce

    def require_fresh(self, nonces: Sequence[str]) -> None:
        """Raises RefusedError."""
        ages = sorted(self._age(one) for one in nonces)
        require(ages[0] <= LAST_SIGNED_WITHIN and ages[-1] <= FIRST_SIGNED_WITHIN, NONCE_FRESH)

    def is_spent(self, nonce: str, cause_id: str) -> bool:
        """Whether this very command spent it. Raises RefusedError if another did."""
        return self._spent_by(self._read(nonce), cause_id)

    def spend(self, nonce: str, cause_id: str) -> None:
        """Idempotent. Raises RefusedError if another command spent it before."""
        for _ in range(SPENDING_ATTEMPTS):
            entry = self._read(nonce)
            if self._spent_by(entry, cause_id):
                return
            kept = json.loads(entry.value)
            spent = _json({**kept, "by": cause_id})
            try:
                self._bucket.change([Change(self._key(nonce), spent, entry.revision)])
            except TakenError:
                continue
            return
        raise RefusedError(NONCE_UNUSED)

    def of(self, service: str) -> "Nonces":
        """Those that another service issued."""
        return Nonces(self._bucket, service, self._now)

    def propose(self, nonce: str, decision_id: str) -> None:
        """Keeps it for one proposal. Idempotent. By no clock but the server's: while the bucket has
        the nonce, it has what is kept of it.

        Raises RefusedError if it was never issued, is forgotten, or was used.
        """
        require("by" not in json.loads(self._read(nonce).value), NONCE_UNUSED)
        proposed = f"{PROPOSED} {nonce}"
        try:
            self._bucket.create(self._key(proposed), _json({"by": decision_id}))
        except TakenError:
            self._spent_by(self._read(proposed), decision_id)

    def _age(self, nonce: str) -> timedelta:
        issued_at = json.loads(self._read(nonce).value)["at"]
        return timedelta(seconds=abs(self._now().timestamp() - issued_at))

    def _read(self, nonce: str) -> BucketEntry:
        entry = self._bucket.get(self._key(nonce))
        if entry is None:
            raise RefusedError(NONCE_FRESH)
        return entry

    @staticmethod
    def _spent_by(entry: BucketEntry, cause_id: str) -> bool:
        by = json.loads(entry.value).get("by")
        require(by in {None, cause_id}, NONCE_UNUSED)
        return by is not None

    def _key(self, nonce: str) -> str:
        return f"{self._service}.{sha256(nonce.encode()).hexdigest()}"


class Counters:
    """The last counter of each passkey that signed, for all services."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def advance(self, account: str, key: Key, count: int) -> None:
        """Raises RefusedError unless it goes up; a key that always says 0 doesn't count."""
        name = key.counted_as(account)
        for _ in range(SPENDING_ATTEMPTS):
            entry = self._bucket.get(name)
            last = key.sign_count if entry is None else int(entry.value)
            if count == last == 0:
                return
            require(count > last, COUNTER_AHEAD)
            try:
                if entry is None:
                    self._bucket.create(name, str(count).encode())
                else:
                    self._bucket.change([Change(name, str(count).encode(), entry.revision)])
            except TakenError:
                continue
            return
        raise RefusedError(COUNTER_AHEAD)


class Signing:
    def __init__(self, people: People, nonces: Nonces, counters: Counters, site: Site) -> None:
        self._people = people
        self.nonces = nonces
        self._counters = counters
        self._site = site

    def signatures_of(self, command: Command) -> tuple[Signature, ...]:
        """The command's signatures, if it needs any and they are right. Raises RefusedError."""
        row = SIGNED[type(command)]
        asked = row.asked(command, self._people)
        if not asked.people or not self._people.anybody_signs():
            return ()
        signers = {one.person for one in command.signatures}
        require(len(signers) == len(command.signatures) == asked.people, SIGNED_BY)
        require(command.by in signers, SIGNED_BY)
        second_by = getattr(command, "second_by", None)
        require(second_by is None or {second_by, command.by} == signers, SIGNED_BY)
        require(command.salt is not None or not hidden_in(command, row.hidden), SALTED)
        checked = [self._checked(command, row.hidden, one) for one in command.signatures]
        _require_roles(command, asked, checked)
        self.nonces.require_fresh([one.nonce for one in checked])
        for one in checked:
            self._count(one, command.cause_id)
            self.nonces.spend(one.nonce, command.cause_id)
        return command.signatures

    def _count(self, checked: _Checked, cause_id: str) -> None:
        """Before its nonce is spent: whatever is refused here is refused again at every attempt,
        and a command is tried twice where the service remembers its case."""
        if checked.key.kind == "passkey" and not self.nonces.is_spent(checked.nonce, cause_id):
            self._counters.advance(checked.signature.person, checked.key, checked.counter)

    def _checked(self, command: Command, hidden: frozenset[str], signature: Signature) -> _Checked:
        person = self._people.person(signature.person)
        require(person.exists and not person.suspended, SIGNER_MAY)
        key = person.key_held(signature.key_id)
        if key is None:
            raise RefusedError(KEY_HELD)
        nonce = _nonce_in(signature)
        said = canonical_of(command, hidden, signature.person, nonce, self._site)
        require(said == signature.canonical, SIGNED_THIS)
        return _Checked(signature, person, key, nonce, require_proof(signature, key, self._site))


def _require_roles(command: Command, asked: Asked, checked: Sequence[_Checked]) -> None:
    for one in checked:
        is_first = one.signature.person == command.by
        require(may_sign(one.person.roles, type(command), is_first=is_first), SIGNER_MAY)
    among = asked.among
    require(among is None or any(among in one.person.roles for one in checked), SIGNER_MAY)


def _nonce_in(signature: Signature) -> str:
    try:
        said = json.loads(signature.canonical)
    except (ValueError, RecursionError):
        raise RefusedError(SIGNED_THIS) from None
    nonce = said.get("nonce") if isinstance(said, dict) else None
    if not isinstance(nonce, str):
        raise RefusedError(SIGNED_THIS)
    return nonce


def _json(value: dict[str, object]) -> bytes:
    return json.dumps(value).encode()
