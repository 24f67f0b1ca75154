"""The ways to log in, and to register a key: what is asked, and what becomes of the answer.

Every method blocks, and raises LogError if the server doesn't answer.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
)
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from services.query.logins.challenges import Challenges
from services.query.logins.counters import Counters
from services.query.logins.proofs import (
    NewPasskey,
    NotProvenError,
    bytes_of,
    challenge_in,
    check_assertion,
    check_key_file,
    check_registration,
    read_assertion,
    text_of,
)
from services.query.logins.sessions import Sessions
from shared.events.people import Attempted
from shared.events.signatures import KeyKind
from shared.people.key_files import login_bytes
from shared.people.sessions import CHALLENGE_MAX_S, SessionKind, hash_of
from shared.people.signed import Known
from shared.people.site import Site
from shared.people.state import Key, PersonState

SITE_NAME = "Passage"
ACCOUNT = re.compile(r"[a-z][a-z0-9_]{1,38}")
UNKNOWN_PERSON = "person_unknown"


class RefusedLoginError(Exception):
    """`account` is empty if nobody has it: made-up names are never recorded."""

    def __init__(self, kind: Attempted, account: str, why: str) -> None:
        super().__init__(why)
        self.kind: Attempted = kind
        self.account = account
        self.why = why

    @property
    def said(self) -> str:
        """What whoever tried is told: not which accounts there are."""
        if self.why != UNKNOWN_PERSON:
            return self.why
        return "link_unknown" if self.kind == "enrolment" else "key_unknown"


class Opened(NamedTuple):
    token: str
    person: PersonState
    kind: SessionKind


@dataclass(frozen=True)
class Ways:
    site: Site
    sessions: Sessions
    challenges: Challenges
    counters: Counters
    people: Known

    def passkey_asked(self) -> dict[str, Any]:
        """For `navigator.credentials.get()`: any passkey of this site that knows whose it is."""
        options = generate_authentication_options(
            rp_id=self.site.rp_id,
            challenge=self.challenges.give("log_in"),
            timeout=CHALLENGE_MAX_S * 1_000,
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return _json(options_to_json(options))

    def signature_asked(self, account: str, challenge: bytes) -> dict[str, Any]:
        """For `navigator.credentials.get()`: one of this person's own passkeys."""
        held = self.people.person(account).keys_held
        options = generate_authentication_options(
            rp_id=self.site.rp_id,
            challenge=challenge,
            timeout=CHALLENGE_MAX_S * 1_000,
            allow_credentials=_described(held),
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return _json(options_to_json(options))

    def by_passkey(self, credential: dict[str, Any]) -> Opened:
        """Raises RefusedLoginError."""
        account = ""
        try:
            said = read_assertion(credential)
            # Taken first: one that was shown to anybody is used up, whatever else is wrong.
            is_ours = self.challenges.take(said.challenge, "log_in")
            person = self._person(said.account)
            account = person.account
            key = _key_of(person, said.key_id, "passkey")
            _require(is_ours, "challenge_over")
            count = check_assertion(self.site, key, said)
            _require_held(person, key)
            self.counters.advance(account, key, count)
        except NotProvenError as error:
            raise RefusedLoginError("passkey", account, error.why) from None
        return self.opened(person, "passkey", key.key_id)

    def key_file_asked(self, account: str) -> str:
        """What a key file of this account is to sign, in base64url. Given for unknown ones too."""
        return text_of(self.challenges.give("log_in", account))

    def by_key_file(self, account: str, key_id: str, challenge: str, signature: str) -> Opened:
        """Raises RefusedLoginError."""
        known = ""
        try:
            is_ours = self.challenges.take(bytes_of(challenge), "log_in", account)
            person = self._person(account)
            known = person.account
            key = _key_of(person, key_id, "key_file")
            _require(is_ours, "challenge_over")
            signed = login_bytes("log_in", self.site.origin, account, challenge)
            check_key_file(key.public_key, signature, signed)
            _require_held(person, key)
        except NotProvenError as error:
            raise RefusedLoginError("key_file", known, error.why) from None
        return self.opened(person, "key_file", key.key_id)

    def by_break_glass(self, account: str) -> Opened:
        """For somebody whose password and code desk has found right. Raises RefusedLoginError."""
        try:
            person = self._person(account)
        except NotProvenError as error:
            raise RefusedLoginError("break_glass", account, error.why) from None
        return self.opened(person, "break_glass")

    def opened(self, person: PersonState, kind: SessionKind, key_id: str | None = None) -> Opened:
        return Opened(self.sessions.begin(person, kind, key_id), person, kind)

    def registration_asked(self, account: str, token: str) -> dict[str, Any]:
        """For `navigator.credentials.create()`. Raises RefusedLoginError."""
        person = self._invited(account, token)
        options = generate_registration_options(
            rp_id=self.site.rp_id,
            rp_name=SITE_NAME,
            user_id=account.encode(),
            user_name=account,
            user_display_name=person.name,
            challenge=self.challenges.give("enrol", hash_of(token)),
            timeout=CHALLENGE_MAX_S * 1_000,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=_described(person.keys_held),
        )
        return _json(options_to_json(options))

    def new_passkey(self, account: str, token: str, credential: dict[str, Any]) -> NewPasskey:
        """Raises RefusedLoginError. desk still decides whether the link holds."""
        person = self._invited(account, token)
        try:
            challenge = challenge_in(credential)
            _require(self.challenges.take(challenge, "enrol", hash_of(token)), "challenge_over")
            return check_registration(self.site, credential, challenge)
        except NotProvenError as error:
            raise RefusedLoginError("enrolment", person.account, error.why) from None

    def new_key_file(self, account: str, token: str, public_key: str, signature: str) -> None:
        """Raises RefusedLoginError unless whoever has the link has the private key, too."""
        person = self._invited(account, token)
        try:
            # The link is what makes it new: it holds once.
            signed = login_bytes("enrol", self.site.origin, account, hash_of(token))
            check_key_file(public_key, signature, signed)
        except NotProvenError as error:
            raise RefusedLoginError("enrolment", person.account, error.why) from None

    def _invited(self, account: str, token: str) -> PersonState:
        person = self.people.person(account)
        if not person.exists:
            raise RefusedLoginError("enrolment", "", UNKNOWN_PERSON)
        if hash_of(token) in person.used_links:
            raise RefusedLoginError("enrolment", account, "link_over")
        link = person.enrolments.get(hash_of(token))
        if link is None:
            raise RefusedLoginError("enrolment", account, "link_unknown")
        if person.suspended:  # Only whoever has a link is told so.
            raise RefusedLoginError("enrolment", account, "suspended")
        if datetime.now(UTC) >= link.expires_at:
            raise RefusedLoginError("enrolment", account, "link_over")
        return person

    def _person(self, account: str) -> PersonState:
        """Raises NotProvenError."""
        person = self.people.person(account) if ACCOUNT.fullmatch(account) else PersonState()
        if not person.exists:
            raise NotProvenError(UNKNOWN_PERSON)
        return person


def _require(holds: bool, why: str) -> None:
    """Raises NotProvenError."""
    if not holds:
        raise NotProvenError(why)


def _key_of(person: PersonState, key_id: str, kind: KeyKind) -> Key:
    """Raises NotProvenError unless it is or was theirs."""
    known = person.keys.get(key_id)
    if known is None or known.kind != kind:
        raise NotProvenError("key_unknown")
    return known


def _require_held(person: PersonState, key: Key) -> None:
    """Raises NotProvenError. Only whoever has the key is told so."""
    _require(not person.suspended, "suspended")
    _require(key.revoked is None, "key_revoked")


def _described(keys: Sequence[Key]) -> list[PublicKeyCredentialDescriptor]:
    passkeys = [one for one in keys if one.kind == "passkey"]
    return [PublicKeyCredentialDescriptor(id=bytes_of(one.key_id)) for one in passkeys]


def _json(text: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(text)
    return read
