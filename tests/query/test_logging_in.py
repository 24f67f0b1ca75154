"""Logging in over HTTP: by passkey, by break-glass, by key file; and registering keys."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typing_extensions import override

from services.query.logins.proofs import bytes_of
from services.query.logins.tries import PASSWORD_TRIES_MAX, TRIES_MAX
from services.query.nats_connection import NatsConnection
from services.query.requests.caller import COOKIE
from shared.commands.base import AnyAnswer, Recorded, Refused
from shared.people.key_files import key_file_id, login_bytes
from shared.people.sessions import SESSION_MAX_S
from shared.people.state import Key, Moment
from tests.query.asking import Desk, asked
from tests.query.logging_in import LINK, People, ways_in_memory
from tests.query.stage import MemoryLog
from tests.soft_passkeys import SITE, UP, SoftPasskey, text_of
from tests.waiting import WITHIN_S

PASSWORD = {"account": "olena", "password": "correct horse battery", "code": "123456"}


@dataclass
class FakeDesk(NatsConnection):
    """A server behind which desk answers as a test says."""

    says: AnyAnswer
    heard: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    more: asyncio.Condition = field(default_factory=asyncio.Condition)

    @override
    async def request(self, subject: str, body: bytes, timeout_s: float) -> bytes:
        async with self.more:
            self.heard.append((subject.rpartition(".")[2], json.loads(body)))
            self.more.notify_all()
        return self.says.model_dump_json().encode()

    @property
    @override
    def connected(self) -> bool:
        return True

    def of(self, name: str) -> list[dict[str, Any]]:
        return [body for one, body in self.heard if one == name]

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(WITHIN_S), self.more:
            await self.more.wait_for(holds)

    async def told(self, name: str, count: int = 1) -> list[dict[str, Any]]:
        await self.until(lambda: len(self.of(name)) >= count)
        return self.of(name)


@dataclass
class Door:
    desk: Desk
    people: People
    nats: FakeDesk

    async def post(
        self, path: str, body: dict[str, Any] | None = None, **more: Any
    ) -> httpx.Response:
        return await self.desk.http.post(path, json=body, **more)

    async def by_passkey(self, passkey: SoftPasskey, **client: Any) -> httpx.Response:
        options = (await self.post("/api/login/passkey/options")).json()
        signed = passkey.signed(bytes_of(options["challenge"]), **client)
        return await self.post("/api/login/passkey", {"credential": signed})

    async def refused_for(self, answer: httpx.Response, kind: str, account: str = "olena") -> str:
        """Why, as the record of attempts has it."""
        assert answer.status_code == 401, answer.text
        assert answer.json()["type"] == "urn:passage:problem:not-proven"
        wanted = {"case_id": f"PERSON-{account}", "kind": kind, "by": "query"}
        await self.nats.until(lambda: any(wanted.items() <= one.items() for one in self._told()))
        return [str(one["why"]) for one in self._told() if wanted.items() <= one.items()][-1]

    def _told(self) -> list[dict[str, Any]]:
        return self.nats.of("ReportAttempts")


RECORDED = Recorded(result="recorded", case_id="PERSON-olena", version=4, sequence=0, events=())
NO = Refused(case_id="PERSON-olena", version=4, guard="break_glass_right", satisfied_by="x")


@asynccontextmanager
async def standing(folder: Path, says: AnyAnswer = RECORDED) -> AsyncIterator[Door]:
    people, nats = People(), FakeDesk(says)
    people.add("olena", "operator", "verifier", name="Olena Example")
    async with asked(MemoryLog(), folder, nats=nats, ways=ways_in_memory(people)) as desk:
        yield Door(desk, people, nats)


def cookie_of(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 200, answer.text
    said = answer.headers["set-cookie"]
    name, _, rest = said.partition("=")
    token, *attributes = rest.split("; ")
    assert name == COOKIE
    wanted = {"HttpOnly", "Secure", "SameSite=strict", "Path=/", f"Max-Age={SESSION_MAX_S}"}
    assert {*attributes} == wanted
    return {"cookie": f"{COOKIE}={token}", "sec-fetch-site": "same-origin"}


async def test_a_passkey_logs_in_and_its_session_is_in_a_cookie(tmp_path: Path) -> None:
    async with standing(tmp_path) as door:
        passkey = SoftPasskey("olena")
        door.people.register(passkey)
        answer = await door.by_passkey(passkey)
        said = answer.json()
        me = await door.desk.http.get("/api/me", headers=cookie_of(answer))
    assert (said["account"], said["name"], said["kind"]) == ("olena", "Olena Example", "passkey")
    assert said["roles"] == ["operator", "verifier"]
    assert "token" not in said
    assert (me.json()["account"], me.json()["keys"][0]["key_id"]) == ("olena", passkey.key_id)
    assert [one["is_this"] for one in me.json()["sessions"]] == [True]


async def test_what_a_browser_is_asked_needs_a_verified_person_and_names_nobody(
    tmp_path: Path,
) -> None:
    async with standing(tmp_path) as door:
        options = (await door.post("/api/login/passkey/options")).json()
    assert (options["userVerification"], options["rpId"]) == ("required", "localhost")
    assert options.get("allowCredentials", []) == []


async def test_a_passkey_without_user_verification_is_refused_and_recorded(tmp_path: Path) -> None:
    async with standing(tmp_path) as door:
        passkey = SoftPasskey("olena", flags=UP)
        door.people.register(passkey)
        answer = await door.by_passkey(passkey)
        assert await door.refused_for(answer, "passkey") == "not_verified"
    assert "set-cookie" not in answer.headers


async def test_a_signature_logs_in_once(tmp_path: Path) -> None:
    async with standing(tmp_path) as door:
        passkey = SoftPasskey("olena")
        door.people.register(passkey)
        options = (await door.post("/api/login/passkey/options")).json()
        body = {"credential": passkey.signed(bytes_of(options["challenge"]))}
        assert (await door.post("/api/login/passkey", body)).status_code == 200
        again = await door.post("/api/login/passkey", body)
        assert await door.refused_for(again, "passkey") == "challenge_over"


async def test_a_counter_that_goes_back_is_refused(tmp_path: Path) -> None:
    async with standing(tmp_path) as door:
        passkey = SoftPasskey("olena", count=5)
        door.people.register(passkey)
        answers = []
        for passkey.count in (9, 9, 8, 10):
            answers.append((await door.by_passkey(passkey)).json().get("reason"))
        assert answers == [None, "counter_back", "counter_back", None]


async def test_nobody_is_told_which_accounts_there_are(tmp_path: Path) -> None:
    async with standing(tmp_path) as door:
        unknown_person = await door.by_passkey(SoftPasskey("petro"))
        unknown_key = await door.by_passkey(SoftPasskey("olena"))
        assert await door.refused_for(unknown_key, "passkey") == "key_unknown"
        assert [one["why"] for one in await door.nats.told("ReportAttempts", 2)] == [
            "person_unknown",
            "key_unknown",
        ]
    assert unknown_person.json() == unknown_key.json()


@pytest.mark.parametrize(
    ("change", "why"),
    [({"suspended": True}, "suspended"), ({"revoked": True}, "key_revoked")],
)
async def test_the_key_of_somebody_suspended_or_a_revoked_one_is_refused(
    tmp_path: Path, change: dict[str, Any], why: str
) -> None:
    async with standing(tmp_path) as door:
        passkey = SoftPasskey("olena")
        key = door.people.register(passkey)
        if "revoked" in change:
            gone = Key(**{**_fields(key), "revoked": Moment(5, datetime.now(UTC))})
            door.people.hold("olena", gone)
        else:
            door.people.change("olena", **change)
        assert await door.refused_for(await door.by_passkey(passkey), "passkey") == why


def _fields(key: Key) -> dict[str, Any]:
    return {name: getattr(key, name) for name in Key.__slots__}


@pytest.mark.parametrize("credential", [{}, {"response": {"userHandle": "-"}}, {"id": 1}])
async def test_what_is_no_credential_is_refused_without_an_echo(
    tmp_path: Path, credential: dict[str, Any]
) -> None:
    async with standing(tmp_path) as door:
        answer = await door.post("/api/login/passkey", {"credential": credential})
        assert await door.refused_for(answer, "passkey", "nobody") == "unreadable"


async def test_whoever_logs_in_anew_ends_the_session_that_they_had(tmp_path: Path) -> None:
    async with standing(tmp_path) as door:
        passkey = SoftPasskey("olena")
        door.people.register(passkey)
        first = cookie_of(await door.by_passkey(passkey))
        assert (await door.post("/api/session/lock", headers=first)).status_code == 204
        locked = await door.desk.http.get("/api/me", headers=first)
        options = (await door.post("/api/login/passkey/options", headers=first)).json()
        signed = {"credential": passkey.signed(bytes_of(options["challenge"]))}
        second = cookie_of(await door.post("/api/login/passkey", signed, headers=first))
        unlocked = await door.desk.http.get("/api/me", headers=second)
    assert (locked.status_code, locked.json()["reason"]) == (401, "locked")
    assert unlocked.status_code == 200
    assert len(unlocked.json()["sessions"]) == 1


async def test_logging_out_ends_the_session_and_its_cookie(tmp_path: Path) -> None:
    async with standing(tmp_path) as door:
        passkey = SoftPasskey("olena")
        door.people.register(passkey)
        cookie = cookie_of(await door.by_passkey(passkey))
        out = await door.post("/api/session/end", headers=cookie)
        after = await door.desk.http.get("/api/me", headers=cookie)
    assert (out.status_code, after.status_code) == (204, 401)
    assert "Max-Age=0" in out.headers["set-cookie"]


async def test_one_ends_ones_own_sessions_and_no_other(tmp_path: Path) -> None:
    async with standing(tmp_path) as door:
        door.people.add("petro", "operator")
        cookies, sessions = {}, {}
        for account in ("olena", "petro"):
            passkey = SoftPasskey(account)
            door.people.register(passkey)
            cookies[account] = cookie_of(await door.by_passkey(passkey))
            me = (await door.desk.http.get("/api/me", headers=cookies[account])).json()
            sessions[account] = me["sessions"][0]["session"]
        others = await door.post(
            f"/api/me/sessions/{sessions['petro']}/end", headers=cookies["olena"]
        )
        own = await door.post(f"/api/me/sessions/{sessions['petro']}/end", headers=cookies["petro"])
        after = await door.desk.http.get("/api/me", headers=cookies["petro"])
    assert (others.status_code, own.status_code, after.status_code) == (404, 204, 401)


async def test_break_glass_logs_in_once_desk_found_password_and_code_right(tmp_path: Path) -> None:
    async with standing(tmp_path) as door:
        answer = await door.post("/api/login/break-glass", PASSWORD)
        me = (await door.desk.http.get("/api/me", headers=cookie_of(answer))).json()
        [asked_for] = await door.nats.told("LogInByBreakGlass")
    assert (me["kind"], asked_for["by"], asked_for["case_id"]) == (
        "break_glass",
        "olena",
        "PERSON-olena",
    )


async def test_break_glass_says_only_that_something_is_wrong(tmp_path: Path) -> None:
    async with standing(tmp_path, NO) as door:
        answer = await door.post("/api/login/break-glass", PASSWORD)
    assert (answer.status_code, answer.json()["reason"]) == (401, "wrong")
    assert "set-cookie" not in answer.headers
    assert PASSWORD["password"] not in answer.text


async def test_an_address_that_guesses_passwords_waits_and_another_does_not(tmp_path: Path) -> None:
    async with standing(tmp_path, NO) as door:
        for _ in range(PASSWORD_TRIES_MAX.tries):
            await door.post("/api/login/break-glass", PASSWORD)
        refused = await door.post("/api/login/break-glass", PASSWORD)
        other = await door.post("/api/login/break-glass", PASSWORD | {"account": "petro"})
        asked_for = [one for one, _ in door.nats.heard if one == "LogInByBreakGlass"]
    assert (refused.status_code, other.status_code) == (429, 401)
    assert 0 < refused.json()["retry_after_s"] <= PASSWORD_TRIES_MAX.within_s
    assert len(asked_for) == PASSWORD_TRIES_MAX.tries + 1


async def test_an_address_that_tries_too_often_waits(tmp_path: Path) -> None:
    async with standing(tmp_path) as door:
        answers = [
            (await door.post("/api/login/key/options", {"account": "olena"})).status_code
            for _ in range(TRIES_MAX.tries + 5)
        ]
    assert (answers[0], answers[-1]) == (200, 429)


def _key_file(account: str, people: People) -> tuple[Ed25519PrivateKey, str]:
    private = Ed25519PrivateKey.generate()
    public = text_of(private.public_key().public_bytes_raw())
    key_id = key_file_id(public)
    moment = Moment(3, datetime.now(UTC))
    people.hold(account, Key(key_id, "key_file", public, "laptop", 0, False, None, moment))
    return private, key_id


async def test_a_key_file_logs_in_and_gets_a_token(tmp_path: Path) -> None:
    async with standing(tmp_path) as door:
        private, key_id = _key_file("olena", door.people)
        given = (await door.post("/api/login/key/options", {"account": "olena"})).json()
        signed = login_bytes("log_in", given["site"], "olena", given["challenge"])
        body = {"account": "olena", "key_id": key_id, "challenge": given["challenge"]}
        body["signature"] = text_of(private.sign(signed))
        answer = (await door.post("/api/login/key", body)).json()
        bearer = {"authorization": f"Bearer {answer['token']}"}
        me = (await door.desk.http.get("/api/me", headers=bearer)).json()
        again = await door.post("/api/login/key", body)
        assert await door.refused_for(again, "key_file") == "challenge_over"
    assert (given["site"], answer["kind"], me["kind"]) == (SITE.origin, "key_file", "key_file")


async def test_a_key_file_of_another_or_a_challenge_of_another_logs_nobody_in(
    tmp_path: Path,
) -> None:
    async with standing(tmp_path) as door:
        door.people.add("petro", "operator")
        private, key_id = _key_file("olena", door.people)
        reasons = []
        for asked_for, account in (("olena", "petro"), ("petro", "olena")):
            given = (await door.post("/api/login/key/options", {"account": asked_for})).json()
            signed = login_bytes("log_in", given["site"], account, given["challenge"])
            body = {
                "account": account,
                "key_id": key_id,
                "challenge": given["challenge"],
                "signature": text_of(private.sign(signed)),
            }
            reasons.append((await door.post("/api/login/key", body)).json()["reason"])
    assert reasons == ["key_unknown", "challenge_over"]


async def test_a_link_registers_a_passkey_that_the_browser_made(tmp_path: Path) -> None:
    async with standing(tmp_path) as door:
        door.people.offer("olena")
        link = {"account": "olena", "token": LINK}
        options = (await door.post("/api/enrol/options", link)).json()
        passkey = SoftPasskey("olena")
        made = passkey.made(bytes_of(options["challenge"]))
        body = {**link, "label": "at the desk", "credential": made}
        answer = await door.post("/api/enrol/passkey", body)
        [enrolled] = await door.nats.told("Enrol")
        assert answer.status_code == 200, answer.text
        again = await door.post("/api/enrol/passkey", body)
        assert await door.refused_for(again, "enrolment") == "challenge_over"
    assert options["user"]["name"] == "olena"
    chosen = options["authenticatorSelection"]
    assert (chosen["userVerification"], chosen["residentKey"]) == ("required", "required")
    assert (enrolled["key_id"], enrolled["public_key"]) == (
        passkey.key_id,
        text_of(passkey.public_key),
    )
    assert (enrolled["kind"], enrolled["rp_id"]) == ("passkey", "localhost")


@pytest.mark.parametrize(
    ("token", "hours", "account", "why"),
    [
        ("w" * 43, 1, "olena", "link_unknown"),
        (LINK, -1, "olena", "link_over"),
        (LINK, 1, "petro", "person_unknown"),
    ],
)
async def test_a_wrong_or_expired_link_registers_nothing_and_is_recorded(
    tmp_path: Path, token: str, hours: float, account: str, why: str
) -> None:
    async with standing(tmp_path) as door:
        door.people.offer("olena", hours=hours)
        answer = await door.post("/api/enrol/options", {"account": account, "token": token})
        named = "nobody" if account == "petro" else account
        assert await door.refused_for(answer, "enrolment", named) == why
    assert token not in answer.text


async def test_a_used_link_is_refused(tmp_path: Path) -> None:
    async with standing(tmp_path) as door:
        door.people.offer("olena")
        used = frozenset(door.people.known["olena"].enrolments)
        door.people.change("olena", enrolments={}, used_links=used)
        answer = await door.post("/api/enrol/options", {"account": "olena", "token": LINK})
        assert await door.refused_for(answer, "enrolment") == "link_over"


async def test_a_link_registers_a_key_file_to_whoever_has_its_private_key(tmp_path: Path) -> None:
    async with standing(tmp_path) as door:
        door.people.offer("olena")
        (hashed,) = door.people.known["olena"].enrolments
        private = Ed25519PrivateKey.generate()
        public = text_of(private.public_key().public_bytes_raw())
        body = {"account": "olena", "token": LINK, "label": "laptop", "public_key": public}
        signed = login_bytes("enrol", SITE.origin, "olena", hashed)
        other = text_of(Ed25519PrivateKey.generate().sign(signed))
        refused = await door.post("/api/enrol/key", {**body, "signature": other})
        assert await door.refused_for(refused, "enrolment") == "signature_wrong"
        own = text_of(private.sign(signed))
        answer = await door.post("/api/enrol/key", {**body, "signature": own})
        [enrolled] = await door.nats.told("Enrol")
    assert answer.status_code == 200, answer.text
    assert (enrolled["kind"], enrolled["key_id"]) == ("key_file", key_file_id(public))


async def test_refused_attempts_are_counted_and_told_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.query.logins.refused.TELL_EVERY_S", 0.05)
    async with standing(tmp_path) as door:
        for _ in range(20):
            await door.by_passkey(SoftPasskey("olena"))
        of = door.nats.of
        await door.nats.until(lambda: sum(one["count"] for one in of("ReportAttempts")) == 20)
        counted = door.desk.context.metrics.registry.get_sample_value(
            "passage_refused_logins_total", {"kind": "passkey", "why": "key_unknown"}
        )
    assert counted == 20
