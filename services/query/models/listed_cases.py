"""shift: the live cases that a shift named to those who follow; folded from its log on request."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from shared.events.base import CaseEvent
from shared.events.shifts import ShiftCaseAccepted, ShiftHandedOver


class ListedCase(NamedTuple):
    case_id: str
    accepted_by: str | None = None
    accepted_at: datetime | None = None


def listed_of(events: Iterable[CaseEvent[Any]]) -> list[ListedCase]:
    """The cases named at each handover of the shift, accepted or not."""
    listed: list[str] = []
    accepted: dict[str, ListedCase] = {}
    for event in events:
        match event.data:
            case ShiftHandedOver() as handed_over:
                listed += handed_over.case_ids
            case ShiftCaseAccepted(live_case=case_id) as one:
                accepted[case_id] = ListedCase(case_id, one.by, event.time)
            case _:
                pass
    return [accepted.get(one, ListedCase(one)) for one in dict.fromkeys(listed)]
