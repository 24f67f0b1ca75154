"""A person's signature of one command, as it is stored beside what followed."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from shared.events.fields import Account
from shared.written.models import Exact

CANONICAL_MAX_CHARACTERS = 20_000
KEY_MAX_CHARACTERS = 2_000
"""A credential id has at most 1,023 bytes, a public key of RSA a few hundred."""

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
