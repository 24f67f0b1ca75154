"""What becomes of a case when a message under its subject can't be read."""

from __future__ import annotations

from datetime import datetime

from services.query.models.case_row import CaseRow


def damaged(
    row: CaseRow | None, case_id: str, version: int, sequence: int, recorded_at: datetime
) -> CaseRow | None:
    """The case's row afterwards, or None where there is no such case and none begins.

    In the place of the case's next event it counts as that: what comes after it is still read.
    """
    next_version = (row.version if row is not None else 0) + 1
    if version != next_version:
        return row._replace(damaged=True) if row is not None else None
    before = row if row is not None else CaseRow(case_id, opened_at=recorded_at)
    return before._replace(damaged=True, version=version, sequence=sequence)
