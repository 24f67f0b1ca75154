"""signatures: one row per signature in the log: who signed what, and with which key.

Each person is shown their own: whoever had them sign something else than their screen said can't
keep it from this list, unless query itself lies again.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from services.query.models.rows import Id, IndexOf, Position, TableOf
from shared.events.base import CaseEvent

VERSION = 1


class SignatureRow(NamedTuple):
    case_id: Id
    version: int
    account: Id
    sequence: Position
    act: Id
    """The command's name."""
    key_id: str
    recorded_at: datetime


TABLES = (
    TableOf(
        "signatures",
        SignatureRow,
        key=("case_id", "version", "account"),
        indexes=(IndexOf("by_account", ("account", "sequence")),),
    ),
)


def entries(event: CaseEvent[Any], sequence: int, recorded_at: datetime) -> Iterator[SignatureRow]:
    act = event.causationid.partition("-")[0]
    for one in event.signatures or ():
        yield SignatureRow(
            event.subject,
            event.caseversion,
            one.person,
            sequence,
            act,
            one.key_id,
            recorded_at,
        )
