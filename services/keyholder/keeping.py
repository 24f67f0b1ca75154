"""What the key holder's handlers work with, and answers they share."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from services.keyholder.access import Records
from services.keyholder.budgets import Budgets
from services.keyholder.hash_limits import HashLimits
from services.keyholder.holder import Holder
from services.keyholder.lock import Lock
from shared.events.base import CaseEvent
from shared.keys.boxes import BoxBrokenError
from shared.keys.messages import TOO_MANY, Denied
from shared.log.case_log import CaseLog
from shared.policy import Policy, Rights

NOBODY = Rights()
Erasures = tuple[CaseEvent[Any], ...]
"""What the key holder folds of a case: its erasures."""


@dataclass(frozen=True)
class Keeping:
    holder: Holder
    records: Records
    policy: Policy
    lock: Lock
    log: CaseLog[Erasures]
    folder: Path
    now: Callable[[], datetime]
    budgets: Budgets
    hash_limits: HashLimits = field(default_factory=HashLimits)


def too_many(expected: str, retry_after_s: float) -> Denied:
    return Denied(denied=TOO_MANY, expected=expected, retry_after_s=retry_after_s)


def content_in(holder: Holder, box: str) -> str | None:
    """A box's content in base64; None if it doesn't open."""
    try:
        return b64encode(holder.unbox([box])[0]).decode()
    except BoxBrokenError:
        return None
