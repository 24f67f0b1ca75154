"""Registering keys over HTTP, by a link; and what key files do."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.query.logins.proofs import bytes_of
from shared.people.key_files import key_file_id, login_bytes
from shared.people.state import Key, Moment
from tests.query.at_the_door import standing
from tests.query.logging_in import LINK, People
from tests.soft_passkeys import SITE, SoftPasskey, text_of


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


async def test_only_whoever_has_a_link_is_told_that_its_person_is_suspended(
    tmp_path: Path,
) -> None:
    async with standing(tmp_path) as door:
        door.people.offer("olena")
        door.people.change("olena", suspended=True)
        said = [
            (await door.post("/api/enrol/options", {"account": account, "token": token})).json()
            for account, token in (("petro", "x" * 43), ("olena", "x" * 43), ("olena", LINK))
        ]
    assert said[0] == said[1]
    assert said[2]["reason"] == "suspended"


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
