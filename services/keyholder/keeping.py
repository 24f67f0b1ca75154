"""What the key holder's handlers work with, and answers that several of them give."""

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
    """What the key holder's handlers work with."""

    holder: Holder
    records: Records
    policy: Policy
    lock: Lock
    log: CaseLog[Erasures]
    folder: Path
    """The key folder."""
    now: Callable[[], datetime]
    budgets: Budgets
    hash_limits: HashLimits = field(default_factory=HashLimits)


def too_many(expected: str, retry_after_s: float) -> Denied:
    """Says that a limit is reached, and for how long."""
    return Denied(denied=TOO_MANY, expected=expected, retry_after_s=retry_after_s)


def content_in(holder: Holder, box: str) -> str | None:
    """What is in a box, in base64; None where it doesn't open."""
    try:
        return b64encode(holder.unbox([box])[0]).decode()
    except BoxBrokenError:
        return None
