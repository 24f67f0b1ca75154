"""archive: every stored message byte for byte; a second copy of the log in another technology."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

VERSION = 1


class ArchiveRow(NamedTuple):
    """A message as it was stored, under subject `cases.<case_id>.<version>.<type_name>`."""

    sequence: int
    case_id: str
    version: int
    type_name: str
    recorded_at: datetime
    body: bytes
