"""Sessions of people and tokens of machines: whom a request's token lets in now.

A session is in the bucket SESSIONS; whether its person still has it, their log says. Both are asked
of the leader, so a session that was ended, or a key that was revoked, lets nobody in on any query
process once `KNOWN_S` has passed.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from starlette.concurrency import run_in_threadpool

from services.query.logins.known import Caller, NotKnown
from services.query.nats_connection import NobodyAnswersError
from shared.jetstream.buckets import Bucket, BucketEntry, Change, TakenError
from shared.jetstream.calls import RequestLostError
from shared.log.case_log import LogError
from shared.people.sessions import (
    OF_PERSON,
    SEEN_EVERY_S,
    Session,
    SessionKind,
    hash_of,
    machine_of,
    new_token,
)
from shared.people.state import PersonState

KNOWN_S = 0.5
"""For how long a session once found isn't asked for again."""
KNOWN_MAX = 10_000

PersonOf = Callable[[str], PersonState]
"""A person as their log has them now, by account. Raises LogError."""


def _now() -> datetime:
    return datetime.now(UTC)


class Held(NamedTuple):
    """A session as its person sees it; `session` is the hash of its token."""

    session: str
    kept: Session


class Sessions:
    """Every call but `caller` blocks, and raises LogError if the server doesn't answer."""

    def __init__(
        self, bucket: Bucket, person: PersonOf, now: Callable[[], datetime] = _now
    ) -> None:
        self._bucket = bucket
        self._person = person
        self.now = now
        self._lock = threading.Lock()
        self._known: OrderedDict[str, tuple[float, Caller]] = OrderedDict()

    async def caller(self, token: str) -> Caller | NotKnown:
        session = hash_of(token)
        with self._lock:
            until, known = self._known.get(session, (0.0, None))
        if known is not None and time.monotonic() < until:
            return known
        try:
            return await run_in_threadpool(self._caller, token, session)
        except (LogError, RequestLostError):
            raise NobodyAnswersError("the messaging server doesn't answer") from None

    def begin(self, person: PersonState, kind: SessionKind, key_id: str | None = None) -> str:
        """Returns the token."""
        token, now = new_token(), self.now()
        session = Session(
            account=person.account,
            kind=kind,
            key_id=key_id,
            ended_before=person.sessions_ended_at,
            created_at=now,
            seen_at=now,
        )
        self._bucket.create(hash_of(token), _written(session))
        return token

    def of_token(self, token: str) -> Session | None:
        """The session, whether or not it still lets anybody in."""
        entry = self._bucket.get(hash_of(token)) if OF_PERSON.match(token) else None
        return _read(entry) if entry is not None else None

    def end(self, session: str) -> None:
        """Idempotent. `session` is the hash of its token."""
        self._forget(session)
        entry = self._bucket.get(session)
        while entry is not None:
            try:
                self._bucket.remove(session, entry.revision)
            except TakenError:  # It was used meanwhile.
                entry = self._bucket.get(session)
            else:
                return

    def lock(self, session: str) -> None:
        """Lets nobody in until its person proves themselves anew."""
        self._forget(session)
        entry = self._bucket.get(session)
        while entry is not None:
            locked = _read(entry).model_copy(update={"is_locked": True})
            try:
                self._bucket.change([Change(session, _written(locked), entry.revision)])
            except TakenError:
                entry = self._bucket.get(session)
            else:
                return

    def of(self, account: str) -> list[Held]:
        """Those of one person, the newest first."""
        found = [Held(key, kept) for key, kept in self._all() if kept.account == account]
        return sorted(found, key=lambda one: one.kept.created_at, reverse=True)

    def _all(self) -> Iterator[tuple[str, Session]]:
        for key, entry in self._bucket.entries():
            yield key, _read(entry)

    def _caller(self, token: str, session: str) -> Caller | NotKnown:
        account = machine_of(token)
        if account is not None:
            return self._machine(account, session)
        entry = self._bucket.get(session) if OF_PERSON.match(token) else None
        if entry is None:
            return "unknown"
        kept, now = _read(entry), self.now()
        person = self._person(kept.account)
        over = kept.over(person, now)
        if over is not None:
            return over
        if now - kept.seen_at >= timedelta(seconds=SEEN_EVERY_S):
            seen = kept.model_copy(update={"seen_at": now})
            with suppress(TakenError):  # Another request noted it, locked it or ended it.
                self._bucket.change([Change(session, _written(seen), entry.revision)])
        return self._remember(Caller(kept.account, person.roles, kept.kind, session))

    def _machine(self, account: str, token_hash: str) -> Caller | NotKnown:
        person = self._person(account)
        known = person.tokens.get(token_hash)
        if known is None:
            return "unknown"
        if person.suspended:
            return "suspended"
        if not known.holds_at(self.now()):
            return "ended"
        return self._remember(Caller(account, person.roles, "token", token_hash))

    def _remember(self, caller: Caller) -> Caller:
        with self._lock:
            self._known[caller.session] = (time.monotonic() + KNOWN_S, caller)
            self._known.move_to_end(caller.session)
            while len(self._known) > KNOWN_MAX:
                self._known.popitem(last=False)
        return caller

    def _forget(self, session: str) -> None:
        with self._lock:
            self._known.pop(session, None)


def _read(entry: BucketEntry) -> Session:
    return Session.model_validate_json(entry.value)


def _written(session: Session) -> bytes:
    return session.model_dump_json(exclude_none=True).encode()
