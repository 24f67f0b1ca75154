"""Which case a call belongs to: the index of calls, callers, codes and episodes.

Every entry is written once, before the event that relies on it, and never changed. Two first
calls at once therefore open one case, and a crash in between is healed by the redelivery.

    call.<channel>.<call_id>  the route of one call
    caller.<caller_key>       the first case of a caller
    code.<code_hash>          the case that a return code, or its duress twin, was issued for
    next.<case_id>            the episode that follows a case that is over
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, replace
from typing import Any, NamedTuple

from services.intake.decisions import IncomingCall, Route
from shared.buckets import Bucket, TakenError
from shared.events.fields import Channel
from shared.events.intake import LinkBasis
from shared.parking import UnprocessableError

CASE_ID_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CASE_ID_CHARACTERS = 12
EPISODES_MAX = 1_000
"""More of one man are no episodes but a damaged index: the call is parked."""
CREATE_ATTEMPTS = 3
"""A key that is taken and yet holds nothing was deleted; nobody who is meant to write does so."""
SURE = 1.0
LIKELY = 0.7
"""One phone may be several men's: the same caller is a likely link, no more. So is an old code."""


class Episode(NamedTuple):
    """A case as the next call would find it."""

    case_id: str
    previous_case: str | None = None
    number: int = 1


class _Found(NamedTuple):
    """A key of the index and what stands under it."""

    key: str | None
    entry: dict[str, Any] | None


def new_case_id() -> str:
    """Gives a random case number: 12 characters of Crockford's base32, 60 bits."""
    return "".join(secrets.choice(CASE_ID_ALPHABET) for _ in range(CASE_ID_CHARACTERS))


def case_id_for(asked: str) -> str:
    """Gives the case number that belongs to what was asked: the same again gives the same."""
    digest = hashlib.sha256(asked.encode()).digest()
    return "".join(CASE_ID_ALPHABET[byte % 32] for byte in digest[:CASE_ID_CHARACTERS])


def _code_entry(case_id: str, duress: bool) -> dict[str, Any]:
    return {"case_id": case_id, **({"duress": True} if duress else {})}


class Index:
    """Finds and reserves cases; `is_over` asks the log."""

    def __init__(self, bucket: Bucket, is_over: Callable[[str], bool]) -> None:
        self._bucket = bucket
        self._is_over = is_over

    def route(self, call: IncomingCall) -> Route:
        """Gives the call's route: the one reserved for it before, or a new one.

        Raises UnprocessableError where the channel gave another caller's call the same id, and
        where the index leads nowhere.
        """
        key = f"call.{call.channel}.{call.call_id}"
        reserved = self._get(key)
        if reserved is None:
            reserved, _ = self._create(key, asdict(self._choose(call)))
        route = Route(**reserved)
        if route.caller_key not in (call.caller_keys or (None,)):
            raise UnprocessableError("wrong_data", "data.call_id", "an id of its own for each call")
        return route

    def case_of_call(self, channel: Channel, call_id: str) -> str | None:
        """Gives the case that a call belongs to, or None where it has come to none yet."""
        reserved = self._get(f"call.{channel}.{call_id}")
        return None if reserved is None else str(reserved["case_id"])

    def live_codes(self, code_hashes: Collection[str]) -> frozenset[str]:
        """Those of the codes that were issued, as far as a server knows that may lag behind."""
        there = self._bucket.there([f"code.{one}" for one in code_hashes])
        return frozenset(key.removeprefix("code.") for key in there)

    def has_code(self, code_hash: str, case_id: str, *, duress: bool = False) -> bool:
        """Says whether a code, or a duress twin, was reserved for this case."""
        return self._get(f"code.{code_hash}") == _code_entry(case_id, duress)

    def reserve_code(self, code_hash: str, case_id: str, *, duress: bool = False) -> bool:
        """Says whether the code is this case's now; another case may have it already."""
        entry = _code_entry(case_id, duress)
        kept, _ = self._create(f"code.{code_hash}", entry)
        return kept == entry

    def _choose(self, call: IncomingCall) -> Route:
        _, coded = self._first("code", call.code_hashes)
        caller = self._first("caller", call.caller_keys)
        if coded is not None:
            if call.caller_keys and caller.entry is None:
                self._create(f"caller.{call.caller_keys[0]}", {"case_id": coded["case_id"]})
            latest = self._latest_episode(coded["case_id"])
            # A code proves what this case was told, not what an earlier one was.
            is_own = latest.case_id == coded["case_id"]
            basis: LinkBasis = "return_code" if is_own else "earlier_code"
            route = self._to(latest, call, caller.key, basis)
            return replace(route, duress=bool(coded.get("duress")))
        if caller.key is None:
            return self._to(Episode(new_case_id()), call, None, "caller", is_new=True)
        first, is_new = caller.entry, False
        if first is None:
            first, is_new = self._create(f"caller.{caller.key}", {"case_id": new_case_id()})
        latest = Episode(first["case_id"]) if is_new else self._latest_episode(first["case_id"])
        return self._to(latest, call, caller.key, "caller", is_new=is_new)

    def _first(self, kind: str, keys: Sequence[str]) -> _Found:
        """Gives the first key that is there, else that of today; they differ by pepper alone."""
        for key in keys:
            entry = self._get(f"{kind}.{key}")
            if entry is not None:
                return _Found(key, entry)
        return _Found(keys[0] if keys else None, None)

    @staticmethod
    def _to(
        episode: Episode,
        call: IncomingCall,
        caller_key: str | None,
        basis: LinkBasis,
        *,
        is_new: bool = False,
    ) -> Route:
        return Route(
            case_id=episode.case_id,
            caller_key=caller_key,
            basis=basis,
            confidence=SURE if basis == "return_code" else LIKELY,
            unmatched_code=bool(call.code_hashes) and basis == "caller",
            previous_case=episode.previous_case,
            episode=episode.number,
            is_new=is_new,
        )

    def _latest_episode(self, case_id: str) -> Episode:
        episode, seen = Episode(case_id), {case_id}
        while len(seen) <= EPISODES_MAX:
            key = f"next.{episode.case_id}"
            following = self._get(key)
            if following is None:
                if not self._is_over(episode.case_id):
                    return episode
                following, _ = self._create(key, {"case_id": new_case_id()})
            episode = Episode(following["case_id"], episode.case_id, episode.number + 1)
            if episode.case_id in seen:
                break
            seen.add(episode.case_id)
        raise UnprocessableError("failed", "index", f"episodes of case {case_id} that have an end")

    def _get(self, key: str) -> dict[str, Any] | None:
        entry = self._bucket.get(key)
        return None if entry is None else json.loads(entry.value)

    def _create(self, key: str, value: dict[str, Any]) -> tuple[dict[str, Any], bool]:
        """Gives what stands under the key, and whether it was written now."""
        for _ in range(CREATE_ATTEMPTS):
            try:
                self._bucket.create(key, json.dumps(value).encode())
            except TakenError:
                there = self._get(key)
                if there is not None:
                    return there, False
            else:
                return value, True
        raise UnprocessableError("failed", "index", "entries that were not deleted")
