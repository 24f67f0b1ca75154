"""Whether he is heard of: his last contact, a loss, the calls in which he gave his code."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, assert_never

from shared.events.base import CaseEvent
from shared.events.handover import (
    ArrivedInUkraine,
    ContactLost,
    ContactRegained,
    GuidanceGiven,
)
from shared.events.intake import CallLinked, CaseOpened


@dataclass(frozen=True, slots=True)
class Contact:
    """What handover knows of the contact with him."""

    last_at: datetime | None = None
    """When he was last heard of, in whatever order it was recorded."""
    lost_at_version: int | None = None
    """Where the open loss stands; it ends with ContactRegained, which a later call brings about."""
    coded_calls: frozenset[str] = frozenset()
    """The calls in which the caller gave this case's return code."""

    @property
    def is_lost(self) -> bool:
        return self.lost_at_version is not None


ContactStep = (
    CaseOpened | CallLinked | ArrivedInUkraine | GuidanceGiven | ContactLost | ContactRegained
)


def contact_after(contact: Contact, event: CaseEvent[Any], data: ContactStep) -> Contact:
    """Gives the contact after one more event; what happened earlier than the last sets nothing."""
    match data:
        case ContactLost():
            return replace(contact, lost_at_version=event.caseversion)
        case ContactRegained():
            return replace(_heard(contact, event.time), lost_at_version=None)
        case CallLinked() if data.basis == "return_code":
            coded = contact.coded_calls | {data.call_id}
            return replace(_heard(contact, event.time), coded_calls=coded)
        case GuidanceGiven() if data.call_id is None:
            return contact  # He was written to, and hasn't answered.
        case CaseOpened() | CallLinked() | ArrivedInUkraine() | GuidanceGiven():
            return _heard(contact, event.time)
        case _ as unreachable:
            assert_never(unreachable)


def _heard(contact: Contact, at: datetime) -> Contact:
    return replace(contact, last_at=max(at, contact.last_at or at))
