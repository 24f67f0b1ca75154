"""Who he is, as far as handover needs to know: identity, credibility, open doubts."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from shared.events import verification
from shared.events.base import CaseEvent
from shared.events.intake import PersonalDataProvided


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
        """Someone found that he isn't who he says he is; no override sets this aside."""
        return self.contradicted or self.rejected


@dataclass(frozen=True, slots=True)
class Assessment:
    level: verification.Credibility
    expires_at: datetime

    def level_at(self, now: datetime) -> verification.Credibility:
        """An expired assessment counts as `unclear`."""
        return self.level if now < self.expires_at else "unclear"


ReadByIdentity = (
    PersonalDataProvided
    | verification.RegistryChecked
    | verification.IdentityVerified
    | verification.IdentityContradicted
    | verification.IdentityRejected
)


def evolve_identity(
    view: IdentityView, event: CaseEvent[Any], data: ReadByIdentity
) -> IdentityView:
    """An answer about older data changes nothing; nor does one that says nothing about the man."""
    match data:
        case PersonalDataProvided() if data.provenance != "after_capture":
            # The earlier data was verified, not this; a contradiction stays open.
            return IdentityView(event.id, contradicted=view.contradicted)
        case verification.RegistryChecked() if (
            data.about_event == view.about_event and data.outcome != "unavailable"
        ):
            contradicted = view.contradicted and data.outcome != "match"
            partial = data.outcome in {"match", "partial"}
            return replace(view, partial=partial, contradicted=contradicted)
        case verification.IdentityVerified():
            # Two people may have decided in spite of a contradiction.
            return replace(view, verified=True, rejected=False, contradicted=False)
        case verification.IdentityContradicted():
            # A registry's finding can be taken back by the registry; a person's only by new data.
            about = view.about_event if data.registry is not None else None
            return replace(view, about_event=about, contradicted=True, verified=False)
        case verification.IdentityRejected():
            return replace(view, rejected=True, verified=False)
        case _:
            return view
