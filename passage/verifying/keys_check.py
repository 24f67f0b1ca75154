"""Whether the data keys of cases can be unwrapped with the key-encryption key that is there."""

from __future__ import annotations

from shared.keys import unwrapped
from shared.sealing import SealBrokenError


def unwraps(kek: bytes, case_id: str, wrapped: bytes) -> bool:
    """Whether a case's wrapped data key opens; an empty entry marks one that was destroyed."""
    if not wrapped:
        return True
    try:
        unwrapped(kek, case_id, wrapped)
    except SealBrokenError:
        return False
    return True
