"""What a person signs, and whether a signature proves that they did. Pure.

Signed is the canonical form of a command: one JSON object in ASCII, its keys sorted, of integers,
strings and lists only, so that Python and a browser write the same bytes. What may be personal is
in it as a digest. A passkey signs the SHA-256 of these bytes as its challenge (WebAuthn level 3,
7.2); a key file signs the bytes themselves, after a prefix that nothing else signed has.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from hashlib import sha256
from typing import Any
from unicodedata import normalize

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from webauthn import verify_authentication_response
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers.structs import CredentialDeviceType

from shared.commands.base import Command
from shared.events.signatures import Signature
from shared.people.site import Site
from shared.people.state import Key
from shared.refusals import Guard, RefusedError, require

KEY_FILE_PREFIX = b"passage.decision.v1\n"
"""Key files also log in: no challenge of a login may be a decision."""
DIGEST_PREFIX = "sha256:"
UNSIGNED = frozenset({"command_id", "case_id", "seen_version", "second_by", "signatures", "salt"})
"""Fields of a command that its canonical form doesn't have among `fields`: they stand elsewhere in
it, are who signs, or hide what else is signed."""

SIGNED_BY = Guard(
    "signed", "signatures of as many different people as the command needs, its `by` among them"
)
SIGNER_MAY = Guard("signer_may", "signers whose roles let them give this command, none suspended")
KEY_HELD = Guard("key_held", "a key of the signer's own, registered and not revoked")
SIGNED_THIS = Guard(
    "signed_this", "the same command, version, person and site as was signed; or sign it again"
)
SALTED = Guard("salted", "a random `salt`: without it, a text could be guessed from what is signed")
NONCE_FRESH = Guard(
    "nonce_fresh",
    "a nonce of this service: two minutes old at most, ten if another person signed later",
)
NONCE_UNUSED = Guard("nonce_unused", "a new nonce: this one was used for another command")
COUNTER_AHEAD = Guard(
    "counter_ahead",
    "sign again; if the key's counter is behind once more, somebody may have copied the key",
)
SIGNATURE_PROVES = Guard("signature_proves", "a signature made by the key that it names")
SAME_SITE = Guard("same_site", "a signature made on a page of this site, in no other page's frame")
USER_VERIFIED = Guard(
    "user_verified", "a key that asks for fingerprint, face or PIN, and gets it: sign again"
)
SAME_DEVICE = Guard(
    "same_device", "the key as it was registered: it has since become copyable, or ceased to be"
)
OF_SIGNATURES = frozenset(
    one.name
    for one in (
        *(SIGNED_BY, SIGNER_MAY, KEY_HELD, SIGNED_THIS, SALTED, NONCE_FRESH, NONCE_UNUSED),
        *(COUNTER_AHEAD, SIGNATURE_PROVES, SAME_SITE, USER_VERIFIED, SAME_DEVICE),
    )
)
"""The names of the guards about signatures: what they refuse is counted."""


def canonical_of(
    command: Command, hidden: Iterable[str], person: str, nonce: str, site: Site
) -> str:
    """What this person signs of a command. `hidden`: fields that may hold personal values.

    The command's salt is in no log: what it hides can't be guessed from there, before an erasure or
    after it.
    """
    digested = hidden_in(command, hidden)
    said = command.model_dump(mode="json", exclude_none=True, exclude={*UNSIGNED})
    whole: dict[str, Any] = {
        "act": type(command).__name__,
        "case_id": command.case_id,
        "command_id": command.command_id,
        "fields": {
            name: _digest(command.salt or "", value) if name in digested else value
            for name, value in said.items()
        },
        "nonce": nonce,
        "person": person,
        "site": site.origin,
    }
    seen_version = getattr(command, "seen_version", None)
    if seen_version is not None:
        whole["seen_version"] = seen_version
    return _json(plain(whole))


def hidden_in(command: Command, hidden: Iterable[str]) -> frozenset[str]:
    """The fields that may hold something personal, and do hold something."""
    return frozenset(name for name in hidden if getattr(command, name, None) is not None)


def challenge_of(canonical: str) -> bytes:
    """What a passkey is asked to sign."""
    return sha256(canonical.encode()).digest()


def as_base64url(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def from_base64url(text: str) -> bytes:
    """Raises ValueError."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def by_key_file(private: Ed25519PrivateKey, key_id: str, person: str, canonical: str) -> Signature:
    """A person's signature with the key in their file."""
    signed = private.sign(KEY_FILE_PREFIX + canonical.encode())
    return Signature(
        person=person,
        key_id=key_id,
        kind="key_file",
        canonical=canonical,
        signature=as_base64url(signed),
    )


def require_proof(signature: Signature, key: Key, site: Site) -> int:
    """The key's counter in it; 0 if the key doesn't count. Raises RefusedError.

    The key must be the signer's; whether it holds, and what was signed, is for the caller to check.
    """
    require(signature.kind == key.kind, SIGNATURE_PROVES)
    if key.kind == "key_file":
        _require_key_file(signature, key)
        return 0
    _require_own_page(signature, site)
    proven = _passkey(signature, key, site)
    require(proven.user_verified, USER_VERIFIED)
    is_synced = proven.credential_device_type == CredentialDeviceType.MULTI_DEVICE
    require(is_synced == key.is_synced, SAME_DEVICE)
    return proven.new_sign_count


def _require_key_file(signature: Signature, key: Key) -> None:
    try:
        public = Ed25519PublicKey.from_public_bytes(from_base64url(key.public_key))
        signed = from_base64url(signature.signature)
        public.verify(signed, KEY_FILE_PREFIX + signature.canonical.encode())
    except (InvalidSignature, ValueError):
        raise RefusedError(SIGNATURE_PROVES) from None


def _require_own_page(signature: Signature, site: Site) -> None:
    """The library compares neither `crossOrigin` nor `topOrigin`."""
    try:
        said = json.loads(from_base64url(signature.client_data or ""))
    except ValueError:
        raise RefusedError(SIGNATURE_PROVES) from None
    require(isinstance(said, dict), SIGNATURE_PROVES)
    require(said.get("origin") == site.origin, SAME_SITE)
    require(said.get("crossOrigin") in {None, False} and "topOrigin" not in said, SAME_SITE)


def _passkey(signature: Signature, key: Key, site: Site) -> VerifiedAuthentication:
    response = {
        "clientDataJSON": signature.client_data or "",
        "authenticatorData": signature.authenticator_data or "",
        "signature": signature.signature,
    }
    try:
        return verify_authentication_response(
            credential={
                "id": signature.key_id,
                "rawId": signature.key_id,
                "type": "public-key",
                "response": response,
            },
            expected_challenge=challenge_of(signature.canonical),
            expected_rp_id=site.rp_id,
            expected_origin=site.origin,
            credential_public_key=from_base64url(key.public_key),
            credential_current_sign_count=0,  # Counters are kept by the key (`Counters`).
        )
    except Exception:  # Whatever is wrong with bytes that somebody made up proves nothing.
        raise RefusedError(SIGNATURE_PROVES) from None


def _digest(salt: str, value: Any) -> str:
    text = value if isinstance(value, str) else _json(plain(value))
    digest = sha256(f"{salt}\n{normalize('NFC', text)}".encode())
    return f"{DIGEST_PREFIX}{digest.hexdigest()}"


def plain(value: Any) -> Any:
    """Integers, strings, lists and objects only: other values are written differently elsewhere."""
    match value:
        case bool() | float():
            return json.dumps(value)
        case str():
            return normalize("NFC", value)
        case dict():
            return {name: plain(one) for name, one in value.items()}
        case list() | tuple():
            return [plain(one) for one in value]
        case _:
            return value


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
