"""What browsers and key files are given to sign: random, for one purpose, once, within two minutes.

They are in the bucket CHALLENGES, which forgets them, so that any query process can take one back.
"""

import hashlib
import secrets
from typing import Literal

from shared.jetstream.buckets import Bucket, TakenError
from shared.written.models import Exact

CHALLENGE_BYTES = 32

Purpose = Literal["log_in", "enrol"]


class _Given(Exact):
    purpose: Purpose
    about: str
    """The account that it was given for; empty if anybody may log in with it."""


class Challenges:
    """Every call raises LogError if the server doesn't answer."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def give(self, purpose: Purpose, about: str = "") -> bytes:
        challenge = secrets.token_bytes(CHALLENGE_BYTES)
        given = _Given(purpose=purpose, about=about)
        self._bucket.create(_key(challenge), given.model_dump_json().encode())
        return challenge

    def take(self, challenge: bytes, purpose: Purpose, about: str = "") -> bool:
        """Whether it was given for this, and by nobody taken before. It is used up either way."""
        entry = self._bucket.get(_key(challenge))
        if entry is None:
            return False
        try:
            self._bucket.remove(_key(challenge), entry.revision)
        except TakenError:
            return False
        return _Given.model_validate_json(entry.value) == _Given(purpose=purpose, about=about)


def _key(challenge: bytes) -> str:
    return hashlib.sha256(challenge).hexdigest()
