"""shift: the live cases that a shift named to those who follow; folded from its log when asked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from shared.events.base import CaseEvent
from shared.events.shifts import ShiftCaseAccepted, ShiftHandedOver


class ListedCase(NamedTuple):
    """A live case that was named, and who took responsibility for it."""

    case_id: str
    accepted_by: str | None = None
    accepted_at: datetime | None = None


def listed_of(events: Iterable[CaseEvent[Any]]) -> list[ListedCase]:
    """Gives the cases that the shift named, in its order, accepted or not."""
    listed: dict[str, ListedCase] = {}
    for event in events:
        match event.data:
            case ShiftHandedOver() as handed_over:
                listed = {one: listed.get(one, ListedCase(one)) for one in handed_over.case_ids}
            case ShiftCaseAccepted() as accepted:
                case_id = accepted.live_case
                listed[case_id] = ListedCase(case_id, accepted.by, event.time)
            case _:
                pass
    return list(listed.values())
