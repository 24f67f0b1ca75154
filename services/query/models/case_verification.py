"""verification's events on a case's row: identity, credibility and hold."""

from typing import assert_never

from services.query.models.case_row import CaseRow, IdentityState
from shared.events import verification
from shared.events.catalogue import VerificationEvent


def after_verification(row: CaseRow, event: VerificationEvent) -> CaseRow:
    match event:
        case verification.RegistryChecked():
            return _answered(row, event)
        case verification.VerificationEscalated():
            return row._replace(escalated=True)
        case verification.IdentityVerified():
            return row._replace(identity="verified", contradicted=False, escalated=False)
        case verification.IdentityContradicted():
            return _contradicted(row, event)
        case verification.IdentityRejected():
            return row._replace(identity="rejected", escalated=False)
        case verification.CredibilityAssessed():
            return row._replace(credibility=event.level, credibility_expires_at=event.expires_at)
        case verification.ReviewOpened():
            return row._replace(hold="review")
        case verification.ReviewResolved():
            return row._replace(hold="none")
        case _:
            assert_never(event)


def _answered(row: CaseRow, checked: verification.RegistryChecked) -> CaseRow:
    if checked.about_event != row.claim_event_id:
        return row  # An answer about data that was corrected meanwhile.
    if checked.outcome == "unavailable":
        return row  # It says nothing about the man.
    # A registry never decides: even a match waits for a person, but it ends a contradiction.
    contradicted = row.contradicted and checked.outcome != "match"
    row = row._replace(contradicted=contradicted)
    if contradicted or row.identity in {"verified", "rejected"}:
        return row
    helps = checked.outcome in {"match", "partial"}
    return row._replace(identity="partial" if helps else "claimed")


def _contradicted(row: CaseRow, event: verification.IdentityContradicted) -> CaseRow:
    # A registry's finding can be taken back by the registry; a person's only by new data.
    claim = row.claim_event_id if event.registry is not None else None
    # A rejection stays: a person decided it, and a match doesn't take it back.
    identity: IdentityState = "rejected" if row.identity == "rejected" else "contradicted"
    return row._replace(identity=identity, contradicted=True, claim_event_id=claim, escalated=False)
