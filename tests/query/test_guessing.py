"""Guessing passwords, codes, tokens and links lets nobody in, and locks nobody out for ever."""

import secrets
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi import Request

from services.query.logins.sessions import Sessions
from services.query.logins.tries import (
    ADDRESSES_REMEMBERED,
    PASSWORD_TRIES_MAX,
    TRIES_MAX,
    Limit,
    Tries,
)
from services.query.requests.logins import address_of
from shared.people.sessions import hash_of
from shared.people.state import Moment, Token
from tests.contexts import NOW, MemoryBucket
from tests.query.at_the_door import NO, cookie_of, standing
from tests.query.logging_in import People
from tests.soft_passkeys import SoftPasskey, text_of

GUESSES = 10_000
GUESSES_OVER_HTTP = 100


def _random() -> str:
    return text_of(secrets.token_bytes(32))


async def test_guesses_let_nobody_in_and_the_right_person_logs_in_after(
    tmp_path: Path,
) -> None:
    clock = [0.0]
    async with standing(tmp_path, NO, Tries(lambda: clock[0])) as door:
        passkey = SoftPasskey("olena")
        door.people.register(passkey)
        door.people.offer("olena")
        answers = []
        for number in range(GUESSES_OVER_HTTP):
            password = {"account": "olena", "password": _random(), "code": f"{number:06}"}
            link = {"account": "olena", "token": _random()}
            key = {"account": "olena", "key_id": _random(), "challenge": _random()}
            answers += [
                await door.post("/api/login/break-glass", password),
                await door.post("/api/enrol/options", link),
                await door.post("/api/login/key", {**key, "signature": _random()}),
            ]
        for token in (_random(), f"olena.{_random()}", f"petro.{_random()}"):
            bearer = {"authorization": f"Bearer {token}"}
            answers.append(await door.desk.http.get("/api/me", headers=bearer))
        checked = [name for name, _ in door.nats.heard if name == "LogInByBreakGlass"]
        clock[0] += TRIES_MAX.within_s
        cookie_of(await door.by_passkey(passkey))
    assert {one.status_code for one in answers} == {401, 429}
    assert len(checked) <= PASSWORD_TRIES_MAX.tries


async def test_of_ten_thousand_tokens_made_up_none_is_anybodys() -> None:
    people = People()
    people.add("olena", "operator")
    people.add("sums", "integration")
    sessions = Sessions(MemoryBucket(), people.person)
    right = sessions.begin(people.person("olena"), "passkey")
    machines = f"sums.{_random()}"
    issued = Token(hash_of(machines), "sums", NOW + timedelta(days=400), Moment(2, NOW))
    people.change("sums", tokens={issued.token_hash: issued})
    found = set()
    for number in range(GUESSES):
        guess = _random() if number % 2 else f"{('sums', 'olena', 'petro')[number % 3]}.{_random()}"
        found.add(await sessions.caller(guess))
    assert found == {"unknown"}
    assert not isinstance(await sessions.caller(right), str)
    assert not isinstance(await sessions.caller(machines), str)


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("testclient", "testclient"),
    ],
)
def test_whoever_has_a_whole_network_of_addresses_tries_no_oftener(
    address: str, counted: str
) -> None:
    request = Request({"type": "http", "client": (address, 1) if address else None})
    assert address_of(request) == counted


def test_of_ten_thousand_tries_as_many_are_let_through_as_the_limit_says() -> None:
    clock = [0.0]
    tries = Tries(lambda: clock[0])
    let_through = 0
    for _ in range(GUESSES):
        let_through += not tries.wait_s(TRIES_MAX, "192.0.2.1")
        clock[0] += 0.01
    in_all = TRIES_MAX.tries * (1 + GUESSES * 0.01 / TRIES_MAX.within_s)
    assert TRIES_MAX.tries < let_through <= in_all
    assert tries.wait_s(TRIES_MAX, "192.0.2.2") == 0
    clock[0] += TRIES_MAX.within_s
    assert tries.wait_s(TRIES_MAX, "192.0.2.1") == 0


def test_the_longest_unseen_address_is_forgotten() -> None:
    tries = Tries(lambda: 0.0)
    once = Limit(1, 60.0)
    for number in range(ADDRESSES_REMEMBERED + 1):
        assert tries.wait_s(once, number) == 0
    assert tries.wait_s(once, 0) == 0
    assert tries.wait_s(once, ADDRESSES_REMEMBERED) > 0
