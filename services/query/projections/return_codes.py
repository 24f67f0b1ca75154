"""return_codes: which case a return code was issued for; every code of a case finds it."""

from __future__ import annotations

from typing import Any, NamedTuple

from shared.events.base import CaseEvent
from shared.events.intake import ReturnCodeIssued

VERSION = 1


class CodeRow(NamedTuple):
    """A return code, as its keyed hash, and its case."""

    code_hash: str
    case_id: str


def issued(event: CaseEvent[Any]) -> CodeRow | None:
    """Gives the row of the code that an event issued, if it issued one."""
    data = event.data
    return CodeRow(data.code_hash, event.subject) if type(data) is ReturnCodeIssued else None
