"""Whether the data keys of cases can be unwrapped with the key-encryption key that is there."""

from __future__ import annotations

import struct

from typing_extensions import override

from shared.buckets import Bucket, Kept
from shared.keys import KeyRing
from shared.sealing import SealBrokenError

LATER_VERSION = 2
"""For a case's first version a key would be made; for a later one it is looked up."""


class _OneEntry(Bucket):
    """A bucket that holds what was read, and takes nothing."""

    def __init__(self, value: bytes) -> None:
        self._value = value

    @override
    def get(self, key: str) -> Kept | None:
        return Kept(self._value, 1)

    @override
    def create(self, key: str, value: bytes) -> int:
        raise NotImplementedError("a check writes nothing")


def unwraps(kek: bytes, case_id: str, wrapped: bytes) -> bool:
    """Whether a case's wrapped data key opens; an empty entry marks one that was destroyed."""
    if not wrapped:
        return True
    try:
        KeyRing(_OneEntry(wrapped), kek).for_sealing(case_id, LATER_VERSION)
    except (SealBrokenError, ValueError, struct.error):
        return False
    return True
