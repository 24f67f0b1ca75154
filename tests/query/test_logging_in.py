"""Logging in over HTTP: by passkey, by break-glass, by key file; and registering keys."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from services.query.logins.proofs import bytes_of
from services.query.logins.tries import PASSWORD_TRIES_MAX, TRIES_MAX
from shared.people.state import Key, Moment
from tests.query.at_the_door import NO, cookie_of, standing
from tests.soft_passkeys import UP, SoftPasskey

PASSWORD = {"account": "olena", "password": "correct horse battery", "code": "123456"}


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


@pytest.mark.parametrize(
    "forged",
    [
        # White space to Python, and no prefix to browsers: a sub-domain's page may set these.
        b"\xa0%s",
        b"\x85%s",
        b"\x1f%s",
        b"%s; __Host-passage=another",
        b"__Host-passage=another; %s",
    ],
)
async def test_a_session_that_another_site_set_is_nobodys(tmp_path: Path, forged: bytes) -> None:
    async with standing(tmp_path) as door:
        passkey = SoftPasskey("olena")
        door.people.register(passkey)
        brought = cookie_of(await door.by_passkey(passkey))["cookie"].encode()
        said = []
        for cookie in (brought, b"theme=dark; " + brought, forged % brought):
            asked = await door.desk.http.get("/api/me", headers=[(b"cookie", cookie)])
            said.append(asked.status_code)
    assert said == [200, 200, 401]


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


async def test_a_key_of_the_same_id_and_another_person_counts_for_itself(tmp_path: Path) -> None:
    async with standing(tmp_path) as door:
        door.people.add("maria", "operator")
        olenas = SoftPasskey("olena")
        marias = SoftPasskey("maria", count=4_000_000_000, credential_id=olenas.credential_id)
        for one in (olenas, marias):
            door.people.register(one)
        marias.count += 1
        olenas.count += 1
        assert (await door.by_passkey(marias)).status_code == 200
        assert (await door.by_passkey(olenas)).status_code == 200


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
