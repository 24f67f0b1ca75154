"""Which case a call belongs to: the index of calls, callers, codes and episodes.

Every entry is written once, before the event that relies on it, and never changed. Two first
calls at once therefore open one case, and a crash in between is healed by the redelivery.

    call.<channel>.<call_id>  the route of one call
    code.<code_hash>          the case that a return code, or its duress twin, was issued for
    next.<case_id>            the episode that follows a case that is over
    more.<case_id>            the case that takes a caller's calls when this one is full

`callers` describes those of callers.
"""

import hashlib
import secrets
from collections.abc import Callable, Collection
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from services.intake.callers import LIKELY, case_of_caller, keep_caller
from services.intake.entries import Entries, IndexEntry
from services.intake.guessing import Guesses, Suspicion
from services.intake.incoming import IncomingCall, Route
from services.intake.state import IntakeState
from shared.commands.case_numbers import ALPHABET, CHARACTERS
from shared.events.fields import Channel
from shared.events.intake import LinkBasis
from shared.jetstream.buckets import Bucket, WrittenOnce
from shared.parked.parking import UnprocessableError

EPISODES_MAX = 1_000
"""A longer chain of episodes means that the index is damaged: the call is parked."""
CALLS_OF_A_CASE_MAX = 5_000
"""With this many calls of one channel, the case is full for that channel: an endless case takes
more memory than a service has, and nobody reads it. Operators keep it as it is, and further calls
open another case. Calls with the code are accepted up to twice this number, so that a flood under
his number doesn't shut the man out; nor does a flood on one channel, even with his code, shut out
his calls on another."""
ASKED_AGAIN_AFTER = 100
"""How many calls skip a full case before the log is asked whether it is over: reading a long case
for each call would cost more than the calls do."""
SURE = 1.0
LESS_A_MISS = 0.85
"""Each wrong code of the same source multiplies the confidence in the next by this."""
ONE_CALL_WITHIN = timedelta(hours=1)
"""A resent call may have a new date; one that began later than this is another call."""
GUESSABLE = 0.3
"""Confidence in a code after more wrong ones than mistakes explain."""


class Standing(NamedTuple):
    is_over: bool = False
    calls: int = 0
    """Only those of the channel asked about."""

    @classmethod
    def of(cls, state: IntakeState, channel: Channel) -> "Standing":
        calls = len(state.calls)
        if calls >= CALLS_OF_A_CASE_MAX:  # Rare: counting takes time linear in the case's calls.
            calls = sum(one == channel for one, _ in state.calls)
        return cls(state.is_over, calls)


class Caller(NamedTuple):
    """The channel somebody calls on, and how many of their calls a case takes."""

    channel: Channel
    calls_max: int = CALLS_OF_A_CASE_MAX


class Episode(NamedTuple):
    """A case as the next call would find it."""

    case_id: str
    previous_case: str | None = None
    number: int = 1
    is_after_full: bool = False
    """Whether it takes the calls of a full case."""


class RoutedCall(NamedTuple):
    """A call under its internal id, and its route."""

    call: IncomingCall
    route: Route


def new_case_id() -> str:
    """12 random characters of Crockford's base32: 60 bits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(CHARACTERS))


def case_id_for(asked: str) -> str:
    """Deterministic: the same request gives the same case number."""
    digest = hashlib.sha256(asked.encode()).digest()
    return "".join(ALPHABET[byte % 32] for byte in digest[:CHARACTERS])


def id_by_words(call_id: str, words: str) -> str:
    """The id of a message whose own id belongs to an earlier one; `words` are keyed."""
    return hashlib.sha256(f"{call_id}|{words}".encode()).hexdigest()


def _code_entry(case_id: str, duress: bool) -> dict[str, Any]:
    return {"case_id": case_id, **({"duress": True} if duress else {})}


def _is_same(route: Route, call: IncomingCall) -> bool:
    if not route.words:  # Reserved before words were kept.
        return route.caller_key in (call.caller_keys or (None,))
    return route.words == call.words and not _are_far_apart(route.began, call.began)


def _are_far_apart(one: str, other: str) -> bool:
    if not (one and other):
        return False
    apart = datetime.fromisoformat(one) - datetime.fromisoformat(other)
    return abs(apart) > ONE_CALL_WITHIN


class Index:
    """Finds and reserves cases; `standing_of` asks the log."""

    def __init__(
        self,
        bucket: Bucket,
        standing_of: Callable[[str, Channel], Standing],
        guesses: Guesses | None = None,
    ) -> None:
        self._entries = Entries(WrittenOnce(bucket))
        self._standing_of = standing_of
        self._guesses = guesses if guesses is not None else Guesses()
        self._pass_by: dict[tuple[str, Caller], int] = {}
        """How many more calls skip a full case without asking the log."""

    def route(self, call: IncomingCall) -> RoutedCall:
        """The call's route: the one reserved for it before, or a new one.

        Two messages with one id are the same only if they say the same and began at about the same
        time. Other words are an edit or another man's, and hours later another man may say the same
        few words; such a message gets an id of its own. Raises UnprocessableError if the index
        leads nowhere.
        """
        route = self._reserved(call.channel, call.call_id, call)
        if _is_same(route, call):
            return RoutedCall(call, route)
        own_id = id_by_words(call.call_id, call.words)
        route = self._reserved(call.channel, own_id, call)
        if not _is_same(route, call):
            own_id = id_by_words(call.call_id, f"{call.words}|{call.began}")
            route = self._reserved(call.channel, own_id, call)
        return RoutedCall(replace(call, call_id=own_id, same_id_as=call.call_id), route)

    def _reserved(self, channel: Channel, call_id: str, call: IncomingCall) -> Route:
        # Most calls are new, so nothing is looked up first.
        route = replace(self._choose(call), words=call.words, began=call.began)
        reserved, is_new = self._entries.create(f"call.{channel}.{call_id}", asdict(route))
        if is_new and route.unmatched_code and call.code_hashes:
            self._guesses.missed(channel, call.source, call.tries)
        return Route(**reserved)

    def case_of_call(self, channel: Channel, call_id: str) -> str | None:
        """None if the call is in no case yet."""
        reserved = self._entries.get(f"call.{channel}.{call_id}")
        return None if reserved is None else str(reserved["case_id"])

    def live_codes(self, code_hashes: Collection[str]) -> frozenset[str]:
        """The codes that were issued, as far as a possibly lagging server knows."""
        return self._entries.there("code", code_hashes)

    def has_code(self, code_hash: str, case_id: str, *, duress: bool = False) -> bool:
        return self._entries.get(f"code.{code_hash}") == _code_entry(case_id, duress)

    def reserve_code(self, code_hash: str, case_id: str, *, duress: bool = False) -> bool:
        """Whether the code now belongs to this case; another may already have it."""
        entry = _code_entry(case_id, duress)
        kept, _ = self._entries.create(f"code.{code_hash}", entry)
        return kept == entry

    def _choose(self, call: IncomingCall) -> Route:
        entries = self._entries.ahead(self._asked_of(call))
        code = entries.first("code", call.code_hashes)
        if code.entry is not None:
            return self._by_code(call, code, self._guesses.suspicion(call.channel, call.source))
        if not call.caller_keys:
            return self._to(Episode(new_case_id()), call, None, "caller", is_new=True)
        found = case_of_caller(entries, call, new_case_id)
        latest = Episode(found.case_id)
        if not found.is_new:
            latest = self._latest_episode(found.case_id, Caller(call.channel))
        route = self._to(latest, call, found.key, "caller", is_new=found.is_new)
        return replace(route, confidence=found.confidence)

    def _asked_of(self, call: IncomingCall) -> list[str]:
        """The keys that most calls look up."""
        codes = [f"code.{key}" for key in call.code_hashes]
        callers = [f"caller.{key}" for key in call.caller_keys]
        if self._entries.knows_one_of(callers):
            return codes
        return [*codes, *callers, *(f"maybe.{key}" for key in call.caller_keys)]

    def _by_code(self, call: IncomingCall, code: IndexEntry, suspicion: Suspicion) -> Route:
        coded = code.entry or {}
        caller_key = (
            keep_caller(self._entries, call, coded["case_id"]) if call.caller_keys else None
        )
        caller = Caller(call.channel, 2 * CALLS_OF_A_CASE_MAX)
        latest = self._latest_episode(coded["case_id"], caller)
        # A code proves what this case was told, not what an earlier one was.
        is_own = latest.case_id == coded["case_id"]
        route = self._to(latest, call, caller_key, "return_code" if is_own else "earlier_code")
        believed = max(GUESSABLE, route.confidence * LESS_A_MISS**suspicion.misses)
        return replace(
            route,
            confidence=GUESSABLE if suspicion.over_limit else believed,
            code_hash=code.key,
            # Ten digits among his words don't count as a guess, so they must not be trusted like a
            # given code.
            guessable=suspicion.over_limit or not call.gave_code,
            duress=bool(coded.get("duress")),
        )

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
            unmatched_code=call.gave_code and basis == "caller",
            previous_case=episode.previous_case,
            episode=episode.number,
            is_new=is_new,
        )

    def _latest_episode(self, case_id: str, caller: Caller) -> Episode:
        episode, seen = Episode(case_id), {case_id}
        while len(seen) <= EPISODES_MAX:
            following = self._following(episode, caller)
            if following is None:
                return episode
            episode = following
            if episode.case_id in seen:
                break
            seen.add(episode.case_id)
        raise UnprocessableError("failed", "index", f"episodes of case {case_id} that have an end")

    def _following(self, episode: Episode, caller: Caller) -> Episode | None:
        """The case that takes a call in place of this one, if this one is over or full."""
        case_id, key = episode.case_id, (episode.case_id, caller)
        # A case followed by another in a row of full ones is itself full: the log isn't read again.
        if episode.is_after_full and (more := self._entries.get(f"more.{case_id}")) is not None:
            return Episode(more["case_id"], is_after_full=True)
        unasked = self._pass_by.pop(key, 0)
        if not unasked:
            standing = self._standing_of(case_id, caller.channel)
            if standing.is_over:
                following = self._case_at(f"next.{case_id}")
                return Episode(following, case_id, episode.number + 1)
            if standing.calls < caller.calls_max:
                return None
        self._pass_by[key] = (unasked or ASKED_AGAIN_AFTER) - 1
        return Episode(self._case_at(f"more.{case_id}"), is_after_full=True)

    def _case_at(self, key: str) -> str:
        found = self._entries.get(key)
        if found is None:
            found, _ = self._entries.create(key, {"case_id": new_case_id()})
        return str(found["case_id"])
