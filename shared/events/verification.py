"""What verification records: what the registry answered, and what a person decided about it."""

from typing import Annotated, Literal

from pydantic import Field

from shared.events.base import Event
from shared.events.fields import At, Id, Person, PersonalNarrative, Word

RegistryOutcome = Literal["match", "partial", "none", "ambiguous", "unavailable"]
IdentityField = Literal[
    "surname", "first_names", "patronymic", "rank", "date_of_birth", "service_number", "unit"
]
Credibility = Literal["credible", "unclear", "doubtful", "hostile"]
EscalationReason = Literal[
    "partial", "none", "ambiguous", "unavailable", "operator", "no_answer", "overdue"
]
ReviewReason = Literal["late_fact", "answer_after_verified", "operator"]
VerificationBasis = Literal["registry_and_operator", "two_sources"]


class RegistryChecked(Event):
    """A registry answered about the personal data of one `PersonalDataProvided`.

    `fields_agreeing` and `fields_conflicting` are names of fields, never values; `score` is 0 to
    100. `unavailable` says nothing about the man. `number_of_another`: the number is one man's,
    and everything else fits another man in the registry, with another number.
    """

    registry: Word
    about_event: Id
    outcome: RegistryOutcome
    score: Annotated[int, Field(ge=0, le=100)]
    fields_agreeing: tuple[IdentityField, ...] = ()
    fields_conflicting: tuple[IdentityField, ...] = ()
    number_of_another: bool | None = None


class VerificationEscalated(Event):
    """A person must look: the registry's answer alone doesn't decide, or there is none.

    `no_answer`: none within the registry's time. `overdue`: still none a day after he registered.
    """

    reason: EscalationReason
    remark: PersonalNarrative | None = None


class IdentityVerified(Event):
    """A person decided that the man is who he says he is; `second_by` is another person's
    agreement.

    It ends an open contradiction; then two people decided, and `reason` says why.
    """

    basis: VerificationBasis
    by: Word
    second_by: Word | None = None
    reason: PersonalNarrative | None = None


class IdentityContradicted(Event):
    """A source contradicts what was claimed in `fields`; no meeting until it is cleared up.

    A later match ends it: of the same data if `registry` names the source, else only of data given
    afterwards. Two people can verify despite it.
    """

    fields: Annotated[tuple[IdentityField, ...], Field(min_length=1)]
    reason: PersonalNarrative
    registry: Word | None = None
    """The registry whose answer it follows from; None: a person recorded it."""


class IdentityRejected(Event):
    """A person decided that the man isn't who he says he is."""

    fields: tuple[IdentityField, ...] = ()
    reason: PersonalNarrative
    by: Word


class CredibilityAssessed(Event):
    """A person assessed whether he means what he says; it says nothing about who he is.

    `indicators` is a compartment of its own. After `expires_at` it counts as `unclear`.
    """

    level: Credibility
    indicators: PersonalNarrative
    expires_at: At
    by: Person


class ReviewOpened(Event):
    """Something came to light that might have changed a decision; the decision stands meanwhile.

    While a review is open no rendezvous is planned. `about_event` is what came to light, or the
    decision it concerns.
    """

    reason: ReviewReason
    fields: tuple[IdentityField, ...] = ()
    about_event: Id | None = None
    remark: PersonalNarrative | None = None


class ReviewResolved(Event):
    """A person looked: the decision stands, or was taken back by an event of its own."""

    by: Person
    outcome: Literal["decision_stands", "decision_withdrawn"]
    remark: PersonalNarrative
