"""What verification records: what the registry answered, and what a person decided about it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from shared.events.base import Event
from shared.events.fields import Id, PersonalNarrative, Word

RegistryOutcome = Literal["match", "partial", "none", "ambiguous", "unavailable"]
IdentityField = Literal[
    "surname", "first_names", "patronymic", "rank", "date_of_birth", "service_number", "unit"
]
VerificationBasis = Literal["registry_and_operator", "two_sources"]


class RegistryChecked(Event):
    """A registry answered about the personal data of one `PersonalDataProvided`.

    `fields_agreeing` and `fields_conflicting` are names of fields, never values; `score` is 0 to
    100. `unavailable` says nothing about the man.
    """

    registry: Word
    about_event: Id
    outcome: RegistryOutcome
    score: Annotated[int, Field(ge=0, le=100)]
    fields_agreeing: tuple[IdentityField, ...] = ()
    fields_conflicting: tuple[IdentityField, ...] = ()


class VerificationEscalated(Event):
    """A person must look: the registry's answer alone doesn't decide."""

    reason: Literal["partial", "none", "ambiguous", "unavailable", "operator"]
    remark: PersonalNarrative | None = None


class IdentityVerified(Event):
    """A person decided that the man is who he says; `second_by` is another person's agreement."""

    basis: VerificationBasis
    by: Word
    second_by: Word | None = None


class IdentityContradicted(Event):
    """A source contradicts what was claimed in `fields`; no meeting until it is cleared up."""

    fields: Annotated[tuple[IdentityField, ...], Field(min_length=1)]
    reason: PersonalNarrative


class IdentityRejected(Event):
    """A person decided that the man isn't who he says."""

    fields: tuple[IdentityField, ...] = ()
    reason: PersonalNarrative
    by: Word
