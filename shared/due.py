"""A deadline of a case that has come."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple


class Due(NamedTuple):
    """It may have been met meanwhile: whoever records it looks whether it still stands."""

    kind: str
    case_id: str
    due_at: datetime
