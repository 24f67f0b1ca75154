"""How people prove who they are: what a passkey or a key file signed, checked.

py_webauthn checks the signature and most of the rest; what it leaves to its caller is checked here
(crossOrigin, topOrigin, whether the key became one that is copied), and why it fails is named.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from webauthn import verify_authentication_response, verify_registration_response
from webauthn.helpers import parse_authenticator_data
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import AuthenticatorData, CredentialDeviceType

from shared.people.site import Site
from shared.people.state import Key

GET, CREATE = "webauthn.get", "webauthn.create"


class NotProvenError(Exception):
    """`why` is one of the program's own words; it goes into the record of attempts."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Assertion(NamedTuple):
    """What a browser sends to log in: read, and not yet checked."""

    account: str
    """What the passkey says whose it is: its user handle."""
    key_id: str
    challenge: bytes
    credential: dict[str, Any]


class NewPasskey(NamedTuple):
    key_id: str
    public_key: str
    sign_count: int
    is_synced: bool


def bytes_of(text: str) -> bytes:
    """Raises NotProvenError unless it is base64url without padding."""
    try:
        return urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except (ValueError, Base64Error):
        raise NotProvenError("unreadable") from None


def text_of(data: bytes) -> str:
    """Base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def read_assertion(credential: dict[str, Any]) -> Assertion:
    """Raises NotProvenError."""
    handle = _field(credential, "response", "userHandle")
    client = _client_data(credential)
    return Assertion(
        account=bytes_of(handle).decode("ascii", "replace"),
        key_id=_field(credential, "id"),
        challenge=bytes_of(str(client.get("challenge", ""))),
        credential=credential,
    )


def challenge_in(credential: dict[str, Any]) -> bytes:
    """Raises NotProvenError."""
    return bytes_of(str(_client_data(credential).get("challenge", "")))


def check_assertion(site: Site, key: Key, assertion: Assertion) -> int:
    """Returns the key's counter. Raises NotProvenError.

    The challenge must have been taken back already, and the counter is still to be compared.
    """
    credential = assertion.credential
    _check_client(site, _client_data(credential), GET)
    said = _authenticator_data(bytes_of(_field(credential, "response", "authenticatorData")))
    if said.flags.be != key.is_synced:
        raise NotProvenError("backup_changed")
    try:
        proven = verify_authentication_response(
            credential=credential,
            expected_challenge=assertion.challenge,
            expected_rp_id=site.rp_id,
            expected_origin=site.origin,
            credential_public_key=bytes_of(key.public_key),
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except WebAuthnException:
        raise NotProvenError(_why(said)) from None
    except Exception as error:  # It raises others for what can't be read, which anybody may send.
        raise NotProvenError("unreadable") from error
    return proven.new_sign_count


def check_registration(site: Site, credential: dict[str, Any], challenge: bytes) -> NewPasskey:
    """Raises NotProvenError. The challenge must have been taken back already."""
    _check_client(site, _client_data(credential), CREATE)
    try:
        made = verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=site.rp_id,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except WebAuthnException as error:
        raise NotProvenError(_why_not_made(error)) from None
    except Exception as error:
        raise NotProvenError("unreadable") from error
    return NewPasskey(
        key_id=text_of(made.credential_id),
        public_key=text_of(made.credential_public_key),
        sign_count=made.sign_count,
        is_synced=made.credential_device_type is CredentialDeviceType.MULTI_DEVICE,
    )


def check_key_file(public_key: str, signature: str, signed: bytes) -> None:
    """Raises NotProvenError."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes_of(public_key)).verify(bytes_of(signature), signed)
    except InvalidSignature:
        raise NotProvenError("signature_wrong") from None
    except ValueError:
        raise NotProvenError("unreadable") from None


def _check_client(site: Site, client: dict[str, Any], wanted: str) -> None:
    if client.get("type") != wanted:
        raise NotProvenError("other_type")
    if client.get("origin") != site.origin:
        raise NotProvenError("other_origin")
    if client.get("crossOrigin", False) is not False or "topOrigin" in client:
        raise NotProvenError("cross_origin")


def _why(said: AuthenticatorData) -> str:
    if not said.flags.up:
        return "not_present"
    return "signature_wrong" if said.flags.uv else "not_verified"


def _why_not_made(error: WebAuthnException) -> str:
    return "not_verified" if "verification is required" in str(error) else "not_made_here"


def _client_data(credential: dict[str, Any]) -> dict[str, Any]:
    try:
        read = json.loads(bytes_of(_field(credential, "response", "clientDataJSON")))
    except ValueError:
        raise NotProvenError("unreadable") from None
    if not isinstance(read, dict):
        raise NotProvenError("unreadable")
    return read


def _authenticator_data(data: bytes) -> AuthenticatorData:
    try:
        return parse_authenticator_data(data)
    except Exception as error:
        raise NotProvenError("unreadable") from error


def _field(credential: dict[str, Any], *names: str) -> str:
    found: Any = credential
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    if not isinstance(found, str):
        raise NotProvenError("unreadable")
    return found
