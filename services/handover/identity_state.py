"""Who he is, as far as handover needs to know: identity, credibility, open doubts."""

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
    about_event: str | None = None
    """The personal data last given; None after a person contradicted them."""
    partial: bool = False
    verified: bool = False
    contradicted: bool = False
    rejected: bool = False

    @property
    def is_doubted(self) -> bool:
        """Someone found that he isn't who he says; no override sets that aside."""
        return self.contradicted or self.rejected


@dataclass(frozen=True, slots=True)
class Assessment:
    level: Credibility
    expires_at: datetime

    def level_at(self, now: datetime) -> Credibility:
        """An expired assessment counts as `unclear`."""
        return self.level if now < self.expires_at else "unclear"


def assessed_in(event: CredibilityAssessed) -> Assessment:
    """An assessment replaces all earlier ones."""
    return Assessment(event.level, event.expires_at)


def claimed(view: IdentityView, event_id: str, given: PersonalDataProvided) -> IdentityView:
    """The view after new personal data, which stand in that event.

    What was verified was the earlier data; a contradiction stays open. What a prisoner states
    after his capture is kept apart, and changes nothing here.
    """
    if given.provenance == "after_capture":
        return view
    return IdentityView(event_id, contradicted=view.contradicted)


def identity_after(
    view: IdentityView,
    data: RegistryChecked | IdentityVerified | IdentityContradicted | IdentityRejected,
) -> IdentityView:
    """An answer about older data changes nothing."""
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
            # Two people may have decided in spite of a contradiction.
            return replace(view, verified=True, rejected=False, contradicted=False)
        case IdentityContradicted():
            # A registry's finding can be taken back by the registry; a person's only by new data.
            about = view.about_event if data.registry is not None else None
            return replace(view, about_event=about, contradicted=True, verified=False)
        case IdentityRejected():
            return replace(view, rejected=True, verified=False)
        case _ as unreachable:
            assert_never(unreachable)
