"""Sessions: whom a token lets in, for how long, and what ends it, on every query process."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from typing_extensions import override

from services.query.logins.challenges import Challenges
from services.query.logins.sessions import Sessions
from shared.people.sessions import SEEN_EVERY_S, SESSION_MAX_S, SESSION_SILENT_MAX_S, hash_of
from shared.people.state import Key, Moment, PersonState, Token
from tests.contexts import NOW, MemoryBucket

KEY = Key("key-1", "passkey", "AA", "at the desk", 0, False, "localhost", Moment(2, NOW))
OLENA = PersonState(account="olena", roles=frozenset({"operator"}), keys={KEY.key_id: KEY})


@dataclass
class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_s(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Town:
    """Two query processes that share a bucket and the log of one person."""

    olena: PersonState = OLENA
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.bucket = MemoryBucket()
        self.here = Sessions(self.bucket, self.person, self.clock)
        self.there = Sessions(self.bucket, self.person, self.clock)

    def person(self, account: str) -> PersonState:
        return self.olena if account == "olena" else PersonState()

    def change(self, **changes: Any) -> None:
        self.olena = replace(self.olena, **changes)


@pytest.fixture
def town(monkeypatch: pytest.MonkeyPatch) -> Town:
    monkeypatch.setattr("services.query.logins.sessions.KNOWN_S", 0.0)
    return Town()


async def test_a_session_is_known_on_every_query_process(town: Town) -> None:
    token = town.here.begin(OLENA, "passkey", KEY.key_id)
    for process in (town.here, town.there):
        caller = await process.caller(token)
        assert not isinstance(caller, str)
        assert (caller.account, caller.roles, caller.kind) == ("olena", OLENA.roles, "passkey")
        assert caller.session == hash_of(token)
    assert await town.here.caller("x" * 43) == "unknown"
    assert await town.here.caller("no token") == "unknown"


def test_the_bucket_keeps_no_token(town: Town) -> None:
    token = town.here.begin(OLENA, "passkey", KEY.key_id)
    kept = [key.encode() + entry.value for key, entry in town.bucket.entries()]
    assert len(kept) == 1
    assert token.encode() not in kept[0]


async def test_a_role_taken_or_granted_counts_at_the_next_request(town: Town) -> None:
    token = town.here.begin(OLENA, "passkey", KEY.key_id)
    town.change(roles=frozenset({"auditor"}))
    caller = await town.there.caller(token)
    assert not isinstance(caller, str)
    assert caller.roles == {"auditor"}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"suspended": True}, "suspended"),
        ({"sessions_ended_at": NOW - timedelta(minutes=10)}, "ended"),
        ({"sessions_ended_at": NOW + timedelta(minutes=10)}, "ended"),
        ({"keys": {KEY.key_id: replace(KEY, revoked=Moment(9, NOW))}}, "ended"),
        ({"account": ""}, "ended"),
    ],
)
async def test_what_the_log_says_of_its_person_ends_it_whatever_the_clocks(
    town: Town, change: dict[str, Any], why: str
) -> None:
    token = town.here.begin(OLENA, "passkey", KEY.key_id)
    town.change(**change)
    assert await town.there.caller(token) == why


async def test_a_session_begun_after_all_were_ended_holds(town: Town) -> None:
    town.change(sessions_ended_at=NOW + timedelta(minutes=10))
    token = town.here.begin(town.olena, "passkey", KEY.key_id)
    assert not isinstance(await town.there.caller(token), str)


@pytest.mark.parametrize("minutes", [-10, 10])
async def test_a_clock_ten_minutes_off_neither_keeps_a_session_alive_nor_ends_it_in_use(
    town: Town, minutes: int
) -> None:
    """Of two query processes, one's clock is wrong; whoever asks, asks both in turn."""
    town.there = Sessions(
        town.bucket, town.person, lambda: town.clock() + timedelta(minutes=minutes)
    )
    for begun, other in ((town.here, town.there), (town.there, town.here)):
        token = begun.begin(town.olena, "passkey", KEY.key_id)
        for _ in range(4):
            town.clock.pass_s(60)
            for process in (begun, other):
                assert not isinstance(await process.caller(token), str)
        town.change(sessions_ended_at=town.clock())
        assert [await one.caller(token) for one in (begun, other)] == ["ended", "ended"]


async def test_unused_for_a_quarter_of_an_hour_it_is_over(town: Town) -> None:
    token = town.here.begin(OLENA, "passkey", KEY.key_id)
    for _ in range(3):
        town.clock.pass_s(SESSION_SILENT_MAX_S - SEEN_EVERY_S)
        assert not isinstance(await town.here.caller(token), str)
    town.clock.pass_s(SESSION_SILENT_MAX_S + 1)
    assert await town.there.caller(token) == "idle"


async def test_its_use_is_noted_once_a_minute_at_most(town: Town) -> None:
    token = town.here.begin(OLENA, "passkey", KEY.key_id)
    for seconds, writes in ((SEEN_EVERY_S - 1, 1), (1, 2), (1, 2)):
        town.clock.pass_s(seconds)
        await town.here.caller(token)
        entry = town.bucket.get(hash_of(token))
        assert entry is not None
        assert entry.revision == writes


async def test_after_twelve_hours_it_is_over_however_much_it_is_used(town: Town) -> None:
    token = town.here.begin(OLENA, "passkey", KEY.key_id)
    for _ in range(SESSION_MAX_S // 600):
        town.clock.pass_s(600)
        assert not isinstance(await town.here.caller(token), str)
    town.clock.pass_s(1)
    assert await town.here.caller(token) == "ended"


async def test_a_locked_session_lets_nobody_in_until_it_is_ended(town: Town) -> None:
    token = town.here.begin(OLENA, "passkey", KEY.key_id)
    town.here.lock(hash_of(token))
    assert [await one.caller(token) for one in (town.here, town.there)] == ["locked", "locked"]
    town.here.end(hash_of(token))
    town.here.end(hash_of(token))
    assert [await one.caller(token) for one in (town.here, town.there)] == ["unknown", "unknown"]


async def test_a_session_found_is_not_asked_for_again_for_half_a_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("services.query.logins.sessions.KNOWN_S", 1_000.0)
    town = Town()
    token = town.here.begin(OLENA, "passkey", KEY.key_id)
    assert not isinstance(await town.here.caller(token), str)
    town.change(suspended=True)
    assert not isinstance(await town.here.caller(token), str)
    monkeypatch.setattr("services.query.logins.sessions.time.monotonic", lambda: 1e9)
    assert await town.here.caller(token) == "suspended"


async def test_what_ends_or_locks_a_session_here_counts_here_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("services.query.logins.sessions.KNOWN_S", 1_000.0)
    town = Town()
    tokens = [town.here.begin(OLENA, "passkey", KEY.key_id) for _ in range(2)]
    for token in tokens:
        assert not isinstance(await town.here.caller(token), str)
    town.here.lock(hash_of(tokens[0]))
    town.here.end(hash_of(tokens[1]))
    assert [await town.here.caller(one) for one in tokens] == ["locked", "unknown"]


async def test_of_what_is_remembered_the_oldest_is_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("services.query.logins.sessions.KNOWN_S", 1_000.0)
    monkeypatch.setattr("services.query.logins.sessions.KNOWN_MAX", 1)
    town = Town()
    tokens = [town.here.begin(OLENA, "passkey", KEY.key_id) for _ in range(2)]
    for token in tokens:
        await town.here.caller(token)
    town.change(suspended=True)
    first, second = [await town.here.caller(token) for token in tokens]
    assert first == "suspended"
    assert not isinstance(second, str)


def test_a_person_sees_their_own_sessions_the_newest_first(town: Town) -> None:
    first = town.here.begin(OLENA, "passkey", KEY.key_id)
    town.clock.pass_s(1)
    second = town.here.begin(OLENA, "key_file", KEY.key_id)
    town.here.begin(PersonState(account="petro"), "passkey", "key-2")
    assert [one.session for one in town.there.of("olena")] == [hash_of(second), hash_of(first)]


async def test_a_machines_token_holds_until_it_expires_or_is_revoked(town: Town) -> None:
    text = "olena." + "t" * 43
    token = Token(hash_of(text), "sums", NOW + timedelta(days=1), Moment(3, NOW))
    town.change(tokens={token.token_hash: token})
    caller = await town.here.caller(text)
    assert not isinstance(caller, str)
    assert (caller.account, caller.kind) == ("olena", "token")
    assert await town.here.caller("olena." + "u" * 43) == "unknown"
    assert await town.here.caller("petro." + "t" * 43) == "unknown"
    revoked = replace(token, revoked=Moment(4, NOW))
    town.change(tokens={token.token_hash: revoked})
    assert await town.here.caller(text) == "ended"
    town.change(tokens={token.token_hash: token})
    town.clock.pass_s(86_400)
    assert await town.here.caller(text) == "ended"
    town.change(suspended=True)
    assert await town.here.caller(text) == "suspended"


def test_a_challenge_holds_once_and_for_what_it_was_given() -> None:
    challenges = Challenges(MemoryBucket())
    assert challenges.take(challenges.give("log_in"), "log_in")
    used = challenges.give("enrol", "olena")
    assert challenges.take(used, "enrol", "olena")
    assert not challenges.take(used, "enrol", "olena")
    assert not challenges.take(challenges.give("log_in"), "enrol")
    assert not challenges.take(challenges.give("enrol", "olena"), "enrol", "petro")
    assert not challenges.take(b"made up", "log_in")


def test_of_two_who_take_a_challenge_at_once_one_gets_it() -> None:
    class Raced(MemoryBucket):
        """Between one's look and what they do about it, another takes it."""

        def __init__(self) -> None:
            super().__init__()
            self.others: list[bool] = []

        @override
        def remove(self, key: str, revision: int) -> None:
            if not self.others:
                self.others.append(True)
                self.others[0] = challenges.take(challenge, "log_in")
            super().remove(key, revision)

    bucket = Raced()
    challenges = Challenges(bucket)
    challenge = challenges.give("log_in")
    assert not challenges.take(challenge, "log_in")
    assert bucket.others == [True]
