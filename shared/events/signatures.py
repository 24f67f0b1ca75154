"""A person's signature of one command, as it is stored beside what followed."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, StringConstraints

from shared.events.fields import Account
from shared.written.models import Exact

CANONICAL_MAX_CHARACTERS = 20_000
KEY_MAX_CHARACTERS = 2_000
"""A credential id has at most 1,023 bytes, a public key of RSA a few hundred."""

SIGNATURES_MAX = 4
SIGNERS_OWN = frozenset({"person", "nonce"})
"""What differs between two signatures of the same decision."""

KeyKind = Literal["passkey", "key_file"]
Base64Url = Annotated[str, StringConstraints(pattern=rf"^[A-Za-z0-9_-]{{1,{KEY_MAX_CHARACTERS}}}$")]
"""Bytes in base64url, without padding."""


class Signature(Exact):
    """`canonical` is what was signed, as ASCII: never a personal value, only its digest."""

    person: Account
    key_id: Base64Url
    kind: KeyKind
    canonical: Annotated[
        str,
        Field(max_length=CANONICAL_MAX_CHARACTERS),
        StringConstraints(pattern=r"^\{[\x20-\x7e]*\}$"),
    ]
    signature: Base64Url
    authenticator_data: Base64Url | None = None
    """Of a passkey only, as is `client_data`."""
    client_data: Base64Url | None = None


def _read(stored: Any) -> Any:
    try:
        return json.loads(stored) if isinstance(stored, str) else stored
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _written(signatures: tuple[Signature, ...]) -> str:
    said = [one.model_dump(mode="json", exclude_none=True) for one in signatures]
    return json.dumps(said, separators=(",", ":"))


StoredSignatures = Annotated[
    tuple[Signature, ...],
    Field(min_length=1, max_length=SIGNATURES_MAX),
    BeforeValidator(_read),
    PlainSerializer(_written, return_type=str),
]
"""As one text of JSON: an attribute of a CloudEvents envelope is no list and no object."""


def said_in(signature: Signature) -> Mapping[str, Any]:
    """What was signed; empty if it can't be read."""
    try:
        said = json.loads(signature.canonical)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def signed_in_common(signature: Signature) -> Mapping[str, Any]:
    """What every signer of a decision must have signed alike; empty if it can't be read."""
    return {name: one for name, one in said_in(signature).items() if name not in SIGNERS_OWN}
