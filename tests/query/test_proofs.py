"""What a passkey or a key file signed: proven, or refused with the reason."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.query.logins.proofs import (
    NotProvenError,
    challenge_in,
    check_assertion,
    check_key_file,
    check_registration,
    read_assertion,
    text_of,
)
from shared.people.key_files import login_bytes
from shared.people.site import Site
from shared.people.state import Key, Moment
from tests.soft_passkeys import BE, SITE, UP, UV, SoftPasskey

CHALLENGE = b"c" * 32
ELSEWHERE = Site("http://localhost:9090", "localhost")
OTHER_NAME = Site("http://localhost:8080", "passage.example")


def _registered(passkey: SoftPasskey) -> Key:
    credential = passkey.made(CHALLENGE)
    made = check_registration(SITE, credential, challenge_in(credential))
    return Key(
        made.key_id,
        "passkey",
        made.public_key,
        "at the desk",
        made.sign_count,
        made.is_synced,
        SITE.rp_id,
        Moment(1, datetime.now(UTC)),
    )


def test_a_passkey_that_was_registered_logs_in() -> None:
    passkey = SoftPasskey("olena", count=7)
    key = _registered(passkey)
    assertion = read_assertion(passkey.signed(CHALLENGE))
    assert assertion[:3] == ("olena", key.key_id, CHALLENGE)
    assert check_assertion(SITE, key, assertion) == 7


def _of(passkey: SoftPasskey, **changed: Any) -> SoftPasskey:
    for name, value in changed.items():
        setattr(passkey, name, value)
    return passkey


BAD: dict[str, Callable[[SoftPasskey], dict[str, Any]]] = {
    "not_verified": lambda one: _of(one, flags=UP).signed(CHALLENGE),
    "not_present": lambda one: _of(one, flags=UV).signed(CHALLENGE),
    "backup_changed": lambda one: _of(one, flags=UP | UV | BE).signed(CHALLENGE),
    "other_origin": lambda one: _of(one, site=ELSEWHERE).signed(CHALLENGE),
    "other_type": lambda one: one.signed(CHALLENGE, type="webauthn.create"),
    "cross_origin": lambda one: one.signed(CHALLENGE, crossOrigin=True),
    "signature_wrong": lambda one: _of(one, site=OTHER_NAME).signed(CHALLENGE),
    "unreadable": lambda one: {**one.signed(CHALLENGE), "response": {"userHandle": "b2xlbmE"}},
}


@pytest.mark.parametrize("why", BAD)
def test_what_a_passkey_may_not_sign_so_is_refused(why: str) -> None:
    passkey = SoftPasskey("olena")
    key = _registered(passkey)
    with pytest.raises(NotProvenError) as refused:
        check_assertion(SITE, key, read_assertion(BAD[why](passkey)))
    assert refused.value.why == why


def test_a_page_inside_another_sites_page_logs_nobody_in() -> None:
    passkey = SoftPasskey("olena")
    within = passkey.signed(CHALLENGE, topOrigin="https://elsewhere.example")
    with pytest.raises(NotProvenError, match="cross_origin"):
        check_assertion(SITE, _registered(passkey), read_assertion(within))


def test_another_passkeys_signature_is_refused() -> None:
    own, others = SoftPasskey("olena"), SoftPasskey("olena")
    signed = others.signed(CHALLENGE) | {"id": own.key_id, "rawId": own.key_id}
    with pytest.raises(NotProvenError, match="signature_wrong"):
        check_assertion(SITE, _registered(own), read_assertion(signed))


@pytest.mark.parametrize(
    ("why", "changed", "client"),
    [
        ("not_verified", {"flags": UP}, {}),
        ("not_made_here", {"site": OTHER_NAME}, {}),
        ("other_origin", {"site": ELSEWHERE}, {}),
        ("other_type", {}, {"type": "webauthn.get"}),
        ("cross_origin", {}, {"crossOrigin": True}),
        ("not_made_here", {"given": b"another"}, {}),
    ],
)
def test_a_passkey_made_otherwise_is_not_registered(
    why: str, changed: dict[str, Any], client: dict[str, Any]
) -> None:
    changed = {**changed}
    given = changed.pop("given", CHALLENGE)
    made = _of(SoftPasskey("olena"), **changed).made(given, **client)
    with pytest.raises(NotProvenError) as refused:
        check_registration(SITE, made, CHALLENGE)
    assert refused.value.why == why


@pytest.mark.parametrize(
    "credential", [{}, {"response": 1}, {"response": {"clientDataJSON": "W10"}}]
)
def test_what_is_no_credential_is_unreadable(credential: dict[str, Any]) -> None:
    for read in (read_assertion, challenge_in):
        with pytest.raises(NotProvenError, match="unreadable"):
            read(credential)


def test_a_key_file_signs_for_one_act_person_site_and_challenge() -> None:
    private = Ed25519PrivateKey.generate()
    public = text_of(private.public_key().public_bytes_raw())
    signed = login_bytes("log_in", SITE.origin, "olena", "n")
    signature = text_of(private.sign(signed))
    check_key_file(public, signature, signed)
    for other in (
        login_bytes("enrol", SITE.origin, "olena", "n"),
        login_bytes("log_in", ELSEWHERE.origin, "olena", "n"),
        login_bytes("log_in", SITE.origin, "petro", "n"),
        login_bytes("log_in", SITE.origin, "olena", "m"),
    ):
        with pytest.raises(NotProvenError, match="signature_wrong"):
            check_key_file(public, signature, other)
    with pytest.raises(NotProvenError, match="unreadable"):
        check_key_file("AAAA", signature, signed)
