"""What the command line's key files sign, other than decisions, and how they are named."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Literal

LOGIN_PREFIX = b"passage.login.v1\n"
"""Decisions begin otherwise: no challenge of a login can be one."""

Act = Literal["log_in", "enrol"]


def login_bytes(act: Act, origin: str, account: str, nonce: str) -> bytes:
    """What a key file signs to log in or to be registered; it holds at this site only.

    `nonce` is the challenge, or the SHA-256 in hex of the link's token.
    """
    said = {"act": act, "nonce": nonce, "person": account, "site": origin}
    return LOGIN_PREFIX + json.dumps(said, sort_keys=True, separators=(",", ":")).encode()


def key_file_id(public_key: str) -> str:
    """The SHA-256 of the public key; both in base64url. Raises ValueError."""
    raw = urlsafe_b64decode(public_key + "=" * (-len(public_key) % 4))
    return urlsafe_b64encode(sha256(raw).digest()).rstrip(b"=").decode()
