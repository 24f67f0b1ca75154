"""What can be asked of intake."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator
from typing_extensions import override

from shared.commands.base import Decision, Fact
from shared.events.fields import HeadCount, Id, Identity, Person, PersonalClasses, Text, Word
from shared.events.intake import ClosingReason, Intent, Provenance, Situation, Urgency

DIGEST_CHARACTERS = 32
"""Of a SHA-256 in hex, where it stands for a command's id."""


def _in_order(classes: object) -> object:
    """Gives a list of words sorted, each once; what is none is left to the check that follows."""
    if isinstance(classes, list | tuple) and all(isinstance(one, str) for one in classes):
        return tuple(sorted(set(classes)))
    return classes


class TriageCall(Fact):
    """Say what a call is about and how urgent it is."""

    SERVICE: ClassVar[str] = "intake"

    call_id: Id
    intent: Intent
    situation: Situation
    urgency: Urgency


class DeclareSurrender(Fact):
    """Record that the caller wants to surrender, alone or for a group."""

    SERVICE: ClassVar[str] = "intake"

    party: Literal["alone", "group"] = "alone"
    declared_size: HeadCount = 1


class ProvidePersonalData(Fact):
    """Record who the man says he is."""

    SERVICE: ClassVar[str] = "intake"

    identity: Identity
    unit: Word | None = None
    provenance: Provenance = "caller"


class IssueReturnCode(Fact):
    """Give the caller a code to call back with; the answer carries it.

    Whoever sends the same command again is told the code again. So nobody learns its id from the
    log: its events carry a digest of it.
    """

    SERVICE: ClassVar[str] = "intake"

    @property
    @override
    def cause_id(self) -> str:
        return f"{type(self).__name__}-{self.correlation_id}"

    @property
    @override
    def correlation_id(self) -> str:
        return sha256(self.command_id.encode()).hexdigest()[:DIGEST_CHARACTERS]


class AddNote(Fact):
    """Write something down."""

    SERVICE: ClassVar[str] = "intake"

    text: Text


class CloseCase(Decision):
    """End the hotline's work; hoax and infiltration need a second person."""

    SERVICE: ClassVar[str] = "intake"

    reason: ClosingReason
    second_by: Person | None = None


class ReopenCase(Decision):
    """Take the closing back."""

    SERVICE: ClassVar[str] = "intake"

    reason: Word


class ErasePersonalData(Decision):
    """Destroy the keys of what is kept about him; a request must say what it is filed under.

    While he is on his way to be handed over it is queued, and follows by itself.
    """

    SERVICE: ClassVar[str] = "intake"

    classes: Annotated[PersonalClasses, BeforeValidator(_in_order)] = (
        "identity",
        "location",
        "narrative",
    )
    legal_basis: Literal["request_of_person", "retention_passed", "court_order"]
    reference: Word | None = None
