"""The base of every command, and the answers a service gives.

A command is one NATS request to `commands.<service>.<Command>`; the reply is one of the answers.
"""

from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, StringConstraints, TypeAdapter, ValidationInfo, field_validator

from shared.commands.case_numbers import CaseNumber
from shared.commands.purposes import Purpose, Remark, why
from shared.events.fields import At, Person
from shared.events.signatures import SIGNATURES_MAX, Signature
from shared.written.models import Exact, Lenient
from shared.written.values import check_for, within_years

COMMAND_ID_MAX_CHARACTERS = 40

CommandId = Annotated[str, Field(pattern=rf"^[A-Za-z0-9_-]{{1,{COMMAND_ID_MAX_CHARACTERS}}}$")]
"""Chosen by the sender, once per request."""

Salt = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{22,64}$")]

ParkedId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


class Command(Exact):
    """A named person asks for one thing on one case.

    `command_id` makes it idempotent: the same one again gets the same answer and stores nothing.
    """

    TAKES_CASE: ClassVar[bool] = False
    """Whether it acquires a case: it is carried out whatever fence its sender saw."""

    command_id: CommandId
    case_id: CaseNumber
    by: Person
    happened_at: At | None = None
    """When it happened, if not now; a decision is made now."""
    fence: Annotated[int, Field(ge=1)] | None = None
    """The case's fence as the person saw it: one older than the case's is refused."""
    salt: Salt | None = None
    """Hides texts in what is signed: random, 16 bytes or more in base64url; it isn't stored."""
    signatures: Annotated[tuple[Signature, ...], Field(max_length=SIGNATURES_MAX)] = ()
    """Of those who agree; `shared/people/signed.py` says which commands need some."""

    @field_validator("*", mode="before")
    @classmethod
    def _written_as_people_do(cls, value: Any, field: ValidationInfo) -> Any:
        name = field.field_name or ""
        check = _check_for(cls, name)
        return value if check is None or value is None else check(value)

    @field_validator("*")
    @classmethod
    def _within_years(cls, value: Any) -> Any:
        return within_years(value) if isinstance(value, datetime) else value

    @property
    def cause_id(self) -> str:
        """The cause of its events: the same id in another command is another cause."""
        return f"{type(self).__name__}-{self.command_id}"

    @property
    def correlation_id(self) -> str:
        """The correlation id of its events and everything that follows from them."""
        return self.command_id


@cache
def _check_for(command: type[Command], name: str) -> Callable[[Any], Any] | None:
    return check_for(command.model_fields[name].annotation)


class Fact(Command):
    """Something that happened; never refused for its order."""


class Decision(Command):
    """Something a person decided on what they saw: refused if the case has moved on since.

    Its events have the time of the decision, by which it is judged; a `happened_at` long past is
    refused.
    """

    seen_version: Annotated[int, Field(ge=0)]
    """The version of the case that the person had before them."""
    despite_calls: bool = False
    """Whether the decision still holds if only further calls have come since."""


class ParkedCommand(Command):
    """About one message on PARKED."""

    case_id: ParkedId
    parked_sequence: Annotated[int, Field(ge=1, le=2**53)]
    """Its sequence on PARKED, as the list shows it."""
    purpose: Purpose
    remark: Remark | None = None

    @property
    def why(self) -> str:
        """The purpose as it is recorded."""
        return why(self.purpose, self.remark)


class Recorded(Lenient):
    """It is in the log, now or since the same command first came."""

    result: Literal["recorded", "repeated"]
    case_id: str
    version: int
    sequence: int
    """Position in CASES; a read model that has it shows the effect."""
    events: tuple[str, ...]
    return_code: str | None = None
    """The code to read out to the caller, in answer to IssueReturnCode."""
    duress_code: str | None = None
    """The code's twin, told with it: for when somebody forces him to call."""
    message_id: str | None = None
    """The message to the caller, in answer to SendMessage."""


class Ignored(Lenient):
    """Nothing to do: the case is already so."""

    result: Literal["ignored"] = "ignored"
    case_id: str
    version: int
    sequence: int


class Refused(Lenient):
    """A guard doesn't hold; `satisfied_by` says what would make it hold."""

    result: Literal["refused"] = "refused"
    case_id: str
    version: int
    guard: str
    satisfied_by: str
    changed_since: tuple[str, ...] = ()
    """For guard `seen_version`: the types of the events recorded since."""


class FieldError(Lenient):
    """One thing wrong with one field; never its value."""

    field: str
    problem: str


class Invalid(Lenient):
    """The command can't be understood."""

    result: Literal["invalid"] = "invalid"
    errors: tuple[FieldError, ...]


class Unavailable(Lenient):
    """It could not be decided now; sending the same command again is safe."""

    result: Literal["unavailable"] = "unavailable"
    reason: str


class Nonce(Lenient):
    """To be signed with a command, once, within minutes; asked of the service that will decide."""

    result: Literal["nonce"] = "nonce"
    nonce: str


AnyAnswer = Recorded | Ignored | Refused | Invalid | Unavailable
ANSWER: TypeAdapter[AnyAnswer] = TypeAdapter(Annotated[AnyAnswer, Field(discriminator="result")])
