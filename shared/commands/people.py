"""What can be asked of desk about people, their keys, and decisions that wait for a second person.

`case_id` is `PERSON-<account>` or `DECISION-<id>`. All are dated by desk's own clock.
"""

from typing import Annotated

from pydantic import Field, StringConstraints

from shared.commands.base import Fact
from shared.commands.case_numbers import DecisionNumber, PersonNumber
from shared.events.fields import Account, At, Digest, Id, Name, Text, Word
from shared.events.people import Attempted, Role, RpId, Sequence, Why
from shared.events.signatures import Base64Url, KeyKind, Signature

PASSWORD_MIN_CHARACTERS = 12
PASSWORD_MAX_CHARACTERS = 200
COMMAND_MAX_CHARACTERS = 60_000
ATTEMPTS_TOLD_MAX = 1_000_000

Token = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{43}$")]
"""32 random bytes in base64url."""
Password = Annotated[
    str, Field(min_length=PASSWORD_MIN_CHARACTERS, max_length=PASSWORD_MAX_CHARACTERS, repr=False)
]
TotpSecret = Annotated[str, StringConstraints(pattern=r"^[A-Z2-7]{32}$"), Field(repr=False)]
"""160 bits in base32."""
Code = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$"), Field(repr=False)]


class AddPerson(Fact):
    """Make an account; it has no role and no key yet."""

    case_id: PersonNumber
    by: Account
    name: Name
    is_machine: bool = False


class GrantRole(Fact):
    case_id: PersonNumber
    by: Account
    role: Role


class TakeRole(Fact):
    case_id: PersonNumber
    by: Account
    role: Role


class OfferEnrolment(Fact):
    """Offer a link with which the person registers one key; the sender makes its token."""

    case_id: PersonNumber
    by: Account
    token_hash: Digest


class Enrol(Fact):
    """Register a key by a link that was offered."""

    case_id: PersonNumber
    by: Account
    token: Annotated[Token, Field(repr=False)]
    kind: KeyKind
    key_id: Base64Url
    public_key: Base64Url
    label: Word
    sign_count: Annotated[int, Field(ge=0)] = 0
    is_synced: bool = False
    rp_id: RpId | None = None


class RevokeKey(Fact):
    """End a key: one's own, or as a supervisor anybody's."""

    case_id: PersonNumber
    by: Account
    key_id: Base64Url


class SetBreakGlass(Fact):
    """Choose one's own password and one-time password, for when no key is at hand."""

    case_id: PersonNumber
    by: Account
    password: Password
    totp_secret: TotpSecret
    code: Code
    """A code of this secret, which shows that it was kept."""


class LogInByBreakGlass(Fact):
    """Recorded if both are right; supervisors are told."""

    case_id: PersonNumber
    by: Account
    password: Annotated[str, Field(max_length=PASSWORD_MAX_CHARACTERS, repr=False)]
    code: Annotated[str, Field(max_length=20, repr=False)]


class SuspendPerson(Fact):
    """Let somebody do nothing more; without a reason it works while the installation is sealed."""

    case_id: PersonNumber
    by: Account
    reason: Text | None = None


class ResumePerson(Fact):
    case_id: PersonNumber
    by: Account


class EndSessions(Fact):
    """End every session of a person: one's own, or as a supervisor anybody's."""

    case_id: PersonNumber
    by: Account


class SeeSignatures(Fact):
    """Say that one has looked at what was signed in one's name: it counts as new no more."""

    case_id: PersonNumber
    by: Account
    through: Sequence


class IssueToken(Fact):
    """Let a machine log in until `expires_at`; the sender makes the token."""

    case_id: PersonNumber
    by: Account
    token_hash: Digest
    label: Word
    expires_at: At


class RevokeToken(Fact):
    case_id: PersonNumber
    by: Account
    token_hash: Digest


class ReportAttempts(Fact):
    """query refused somebody who tried to act as this person."""

    case_id: PersonNumber
    by: Account
    kind: Attempted
    why: Why
    count: Annotated[int, Field(ge=1, le=ATTEMPTS_TOLD_MAX)] = 1
    """How many since the last report."""


class ProposeDecision(Fact):
    """Put a signed command before a second person."""

    case_id: DecisionNumber
    by: Account
    act: Word
    about: Id
    command: Annotated[str, Field(min_length=2, max_length=COMMAND_MAX_CHARACTERS, repr=False)]
    """The command as JSON."""
    signature: Signature


class AgreeToDecision(Fact):
    """Sign what another person proposed."""

    case_id: DecisionNumber
    by: Account
    signature: Signature


class WithdrawDecision(Fact):
    """Take back one's own proposal."""

    case_id: DecisionNumber
    by: Account
