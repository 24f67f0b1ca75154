"""archive: every stored message byte for byte; a second copy of the log in another technology."""

from datetime import datetime
from typing import NamedTuple

from services.query.models.rows import Id, IndexOf, Position, TableOf

VERSION = 2
ASIDE = "unreadable IS NOT NULL"


class ArchiveRow(NamedTuple):
    """A message as stored, under subject `cases.<case_id>.<version>.<type_name>`.

    If the subject wasn't an event's, `version` is 0 and `type_name` the whole subject.
    """

    sequence: Position
    case_id: Id
    version: int
    type_name: str
    recorded_at: datetime
    body: bytes
    unreadable: str | None = None
    """Why no other read model has it; the bytes are the log's all the same."""


TABLES = (
    TableOf(
        "archive",
        ArchiveRow,
        key=("sequence",),
        indexes=(IndexOf("aside", ("case_id",), where=ASIDE),),
        clustered=False,
    ),
)
