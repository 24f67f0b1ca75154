"""What can be asked of verification."""

from typing import Annotated, Literal

from pydantic import Field

from shared.commands.base import Decision, Fact
from shared.events.fields import At, Id, Person, Text, Word
from shared.events.verification import Credibility, IdentityField, VerificationBasis


class CheckRegistry(Fact):
    """Ask the registry again about the personal data last given."""


class EscalateVerification(Fact):
    """Ask for another person to look at the identity."""

    remark: Word


class VerifyIdentity(Decision):
    """Decide that the man is who he says he is.

    Two people can decide it despite an open contradiction; `reason` says why, and is recorded.
    """

    basis: VerificationBasis
    second_by: Person | None = None
    reason: Word | None = None


class ContradictIdentity(Fact):
    """Record that a source contradicts what he stated."""

    fields: Annotated[tuple[IdentityField, ...], Field(min_length=1)]
    reason: Word


class RejectIdentity(Decision):
    """Decide that the man isn't who he says he is."""

    fields: tuple[IdentityField, ...] = ()
    reason: Word


class AssessCredibility(Decision):
    """Assess whether he means what he says; `expires_at` at most 30 days ahead."""

    level: Credibility
    indicators: Text
    expires_at: At


class OpenReview(Fact):
    """Ask for a decision to be reviewed; no rendezvous is planned meanwhile."""

    about_event: Id | None = None
    remark: Text


class ResolveReview(Decision):
    """Record the outcome of a review: the decision stands, or was taken back."""

    outcome: Literal["decision_stands", "decision_withdrawn"]
    remark: Text
