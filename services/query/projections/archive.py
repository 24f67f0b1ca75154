"""archive: every stored message byte for byte; a second copy of the log in another technology."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

VERSION = 2


class ArchiveRow(NamedTuple):
    """A message as it was stored, under subject `cases.<case_id>.<version>.<type_name>`.

    Where the subject was no event's, `version` is 0 and `type_name` the whole subject.
    """

    sequence: int
    case_id: str
    version: int
    type_name: str
    recorded_at: datetime
    body: bytes
    unreadable: str | None = None
    """Why no other read model has it; the bytes are the log's all the same."""
