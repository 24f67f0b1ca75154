"""Who he is, as far as handover must know: his identity, how far he is believed, open doubts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from shared.events.intake import PersonalDataProvided
from shared.events.verification import (
    Credibility,
    CredibilityAssessed,
    IdentityContradicted,
    IdentityRejected,
    IdentityVerified,
    RegistryChecked,
)


@dataclass(frozen=True, slots=True)
class IdentityView:
    """What handover knows of who he is."""

    about_event: str | None = None
    """The personal data last given; None since a person contradicted them."""
    partial: bool = False
    verified: bool = False
    contradicted: bool = False
    rejected: bool = False

    @property
    def is_doubted(self) -> bool:
        """Whether somebody found that he isn't who he says; no override sets that aside."""
        return self.contradicted or self.rejected


@dataclass(frozen=True, slots=True)
class Assessment:
    """How far somebody believed him, and until when that counts."""

    level: Credibility
    expires_at: datetime

    def level_at(self, now: datetime) -> Credibility:
        """What counts now: an assessment that has expired is `unclear`."""
        return self.level if now < self.expires_at else "unclear"


def assessed_in(event: CredibilityAssessed) -> Assessment:
    """What counts since this assessment; nothing of the one before does."""
    return Assessment(event.level, event.expires_at)


def claimed(view: IdentityView, event_id: str, given: PersonalDataProvided) -> IdentityView:
    """The view after new personal data, which stand in that event.

    What was verified was the data given before, not these; a contradiction stays open. What a
    prisoner states after his capture is kept apart, and says nothing here.
    """
    if given.provenance == "after_capture":
        return view
    return IdentityView(event_id, contradicted=view.contradicted)


def identity_after(
    view: IdentityView,
    data: RegistryChecked | IdentityVerified | IdentityContradicted | IdentityRejected,
) -> IdentityView:
    """The view after what verification found; an answer about older data changes nothing."""
    match data:
        case RegistryChecked():
            if data.about_event != view.about_event:
                return view
            if data.outcome == "unavailable":
                return view  # It says nothing about the man.
            contradicted = view.contradicted and data.outcome != "match"
            partial = data.outcome in {"match", "partial"}
            return replace(view, partial=partial, contradicted=contradicted)
        case IdentityVerified():
            # Two people may have decided past a contradiction.
            return replace(view, verified=True, rejected=False, contradicted=False)
        case IdentityContradicted():
            # What a registry found it may take back; what a person found, only new data can.
            about = view.about_event if data.registry is not None else None
            return replace(view, about_event=about, contradicted=True, verified=False)
        case IdentityRejected():
            return replace(view, rejected=True, verified=False)
        case _ as unreachable:
            assert_never(unreachable)
