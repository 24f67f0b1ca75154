"""What can be asked of intake."""

from hashlib import sha256
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator
from typing_extensions import override

from shared.commands.base import Decision, Fact
from shared.commands.case_numbers import CaseNumber
from shared.events.fields import (
    CONTACT_WINDOWS_MAX,
    Channel,
    ContactWindow,
    HeadCount,
    Id,
    Identity,
    Person,
    PersonalClasses,
    Text,
    Word,
)
from shared.events.groups import CountKind, LeavingReason
from shared.events.intake import (
    CaseLinkBasis,
    ClosingReason,
    ContactRule,
    Intent,
    Provenance,
    SecondFact,
    Situation,
    Urgency,
)
from shared.written.zones import Zone

MESSAGE_VALID_MAX_MINUTES = 1_440
"""The longest that a message to a caller may wait to be sent."""
DIGEST_CHARACTERS = 32
"""Length of the SHA-256 prefix, in hex, that stands for a command's id."""


class SaidWindow(ContactWindow):
    """A time of day as he said it, always with the zone whose clocks he meant."""

    # A missing zone gets the same explanation as a wrong one.
    zone: Zone = Field("", validate_default=True)


SaidWindows = Annotated[tuple[SaidWindow, ...], Field(max_length=CONTACT_WINDOWS_MAX)]


def _in_order(classes: object) -> object:
    """Sorts a list of words, each once; other values are left to the next check."""
    if isinstance(classes, list | tuple) and all(isinstance(one, str) for one in classes):
        return tuple(sorted(set(classes)))
    return classes


class TriageCall(Fact):
    """Say what a call is about and how urgent it is."""

    call_id: Id
    intent: Intent
    situation: Situation
    urgency: Urgency


class DeclareSurrender(Fact):
    """Record that the caller wants to surrender, alone or for a group."""

    party: Literal["alone", "group"] = "alone"
    declared_size: HeadCount = 1


class ProvidePersonalData(Fact):
    """Record who the man says he is."""

    unit: Word | None = None
    identity: Identity
    provenance: Provenance = "caller"

    @field_validator("identity")
    @classmethod
    def _something_said(cls, value: Identity, info: ValidationInfo) -> Identity:
        if value == Identity() and not info.data.get("unit"):
            raise ValueError("must hold at least one field, or a unit must be given")
        return value


class IssueReturnCode(Fact):
    """Give the caller a code to call back with; the answer carries it. An earlier one is void.

    Repeating the command returns the same code. Its id can't be learned from the log: its events
    carry only a digest of it.
    """

    @property
    @override
    def cause_id(self) -> str:
        return f"{type(self).__name__}-{self.correlation_id}"

    @property
    @override
    def correlation_id(self) -> str:
        return sha256(self.command_id.encode()).hexdigest()[:DIGEST_CHARACTERS]


class ConfirmCaller(Decision):
    """Find by a second fact that this case's man himself gave the code in a call.

    Needed if the code came from a channel he never called on, or after many wrong codes.
    """

    call_id: Id
    channel: Channel
    second_fact: SecondFact
    remark: Text | None = None


class AddNote(Fact):
    """Write something down."""

    text: Text


class CloseCase(Decision):
    """End the hotline's work; hoax and infiltration need a second person."""

    reason: ClosingReason
    second_by: Person | None = None


class ReopenCase(Decision):
    """Reopen a closed case."""

    reason: Word


class ErasePersonalData(Decision):
    """Destroy the keys of his personal data; a request must say what it is filed under.

    While he is on his way to be handed over it is queued, and carried out afterwards.
    """

    classes: Annotated[PersonalClasses, BeforeValidator(_in_order)] = (
        "identity",
        "location",
        "narrative",
    )
    legal_basis: Literal["request_of_person", "retention_passed", "court_order"]
    reference: Word | None = None


class OpenOtherCase(Fact):
    """Open a case for another man who is on the line in a call of this case.

    The answer carries the new case's number.
    """

    call_id: Id
    channel: Channel


class GiveAdvice(Fact):
    """Record what a caller was told he can do."""

    text: Text
    call_id: Id | None = None


class SetContactRule(Fact):
    """Record whether and when he says it is safe to contact him; `windows` for rule `window` only.

    Each window has a `zone`, such as Europe/Kyiv: ask him which clocks he means. A statement with
    a `happened_at` replaces a stricter one only if it was surely said after it.
    """

    rule: ContactRule
    windows: SaidWindows = ()


class ClearDuress(Decision):
    """Find, as a supervisor, that nobody is forcing him."""

    reason: Text


class ClaimCase(Decision):
    """Take a case to work on; renews your own claim, and is refused while someone else's runs."""

    TAKES_CASE: ClassVar[bool] = True


class TakeOverCase(Decision):
    """Take a case over from its holder, who can't continue."""

    TAKES_CASE: ClassVar[bool] = True

    reason: Text


class ReleaseCase(Fact):
    """Release a case that you hold; skipping one needs a remark."""

    reason: Literal["done", "skipped"] = "done"
    remark: Text | None = None


class FormGroup(Decision):
    """Record that this case's man leads a group; the group gets this case's number."""

    declared_size: HeadCount


class JoinGroup(Fact):
    """Record, on the leading case, that another case's man travels with the group."""

    member_case: CaseNumber


class LeaveGroup(Fact):
    """Record, on the leading case, that a man no longer travels with the group."""

    member_case: CaseNumber
    reason: LeavingReason
    remark: Text | None = None


class CountHeads(Fact):
    """Record, on the leading case, a stated or observed head count."""

    kind: CountKind
    count: HeadCount
    source: Word


class LinkCases(Decision):
    """Accept that another case may be the same man's; nothing is merged."""

    other_case: CaseNumber
    basis: CaseLinkBasis
    reason: Text


class UnlinkCases(Decision):
    """Remove the link with another case."""

    other_case: CaseNumber
    reason: Text


class SendMessage(Decision):
    """Send a message to the caller on a channel, if the contact rule allows it now.

    It goes once, within `valid_minutes`, to the address on that channel that the rule covers; not
    if he says meanwhile that another one is safe. The answer carries its `message_id`. A message
    that tells him of a place, or of his way there, names the `rendezvous_id`: it waits until
    DiscloseRendezvous or GiveGuidance names it. `again`: the same words may be sent twice.
    """

    channel: Channel
    text: Text
    valid_minutes: Annotated[int, Field(ge=1, le=MESSAGE_VALID_MAX_MINUTES)] = 30
    rendezvous_id: Id | None = None
    again: bool = False
