"""What desk records of the people who work here, of their keys, and of decisions that wait for a
second person.

A person's log is `PERSON-<account>`, a proposed decision's `DECISION-<id>`. Each event's `time` is
desk's own clock: nothing here is told afterwards.
"""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from shared.events.fields import (
    Account,
    At,
    Digest,
    Id,
    Name,
    PersonalIdentity,
    PersonalNarrative,
    Word,
)
from shared.events.shifts import DeskEvent
from shared.events.signatures import Base64Url, KeyKind, Signature

OF_PEOPLE, OF_DECISIONS = "PERSON-", "DECISION-"
"""The prefixes of these logs' numbers."""
PersonId = Annotated[str, StringConstraints(pattern=r"^PERSON-[a-z][a-z0-9_]{1,38}$")]
DecisionId = Annotated[str, StringConstraints(pattern=r"^DECISION-[A-Za-z0-9_-]{1,50}$")]

Role = Literal["operator", "verifier", "coordinator", "supervisor", "auditor", "integration"]
Attempted = Literal["passkey", "break_glass", "key_file", "token", "enrolment", "signature"]
Why = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{1,39}$")]
"""One of the program's own words, never something that was entered."""
RpId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9.-]{1,253}$")]
"""The host name for which a passkey was made."""
Sequence = Annotated[int, Field(ge=1, le=2**53)]
Step = Annotated[int, Field(ge=0)]
"""A one-time password's time step: seconds since 1970 / 30."""


def log_of(account: str) -> str:
    return f"{OF_PEOPLE}{account}"


class PersonEvent(DeskEvent):
    """Of one person; `by` is whoever gave the command."""


class PersonAdded(PersonEvent):
    """Always the first event of somebody who can log in."""

    name: Name
    is_machine: bool = False
    by: Account


class RoleGranted(PersonEvent):
    role: Role
    by: Account


class RoleTaken(PersonEvent):
    role: Role
    by: Account


class EnrolmentOffered(PersonEvent):
    """A link with which the person registers one key; it holds once, until `expires_at`."""

    token_hash: Digest
    """The SHA-256 of what is in the link."""
    expires_at: At
    by: Account


class EnrolmentExpired(PersonEvent):
    """Nobody used the link in time."""

    token_hash: Digest


class KeyRegistered(PersonEvent):
    """The person registered a key of their own, by a link that is used up with it."""

    kind: KeyKind
    key_id: Base64Url
    public_key: Base64Url
    """A passkey's in COSE, a key file's as 32 bytes of Ed25519."""
    label: Word
    sign_count: Annotated[int, Field(ge=0)] = 0
    is_synced: bool = False
    """A passkey that may be copied to other devices (backup eligible)."""
    rp_id: RpId | None = None
    """Of a passkey only."""
    token_hash: Digest


class KeyRevoked(PersonEvent):
    """Nothing signed, and no session begun, with this key counts from here on."""

    key_id: Base64Url
    by: Account


class BreakGlassSet(PersonEvent):
    """Password and one-time password, for when no key is at hand."""

    password_hash: PersonalIdentity
    totp_secret: PersonalIdentity


class BreakGlassUsed(PersonEvent):
    """The person logged in so; no code of this step or an earlier one is accepted again."""

    step: Step


class PersonSuspended(PersonEvent):
    """May do nothing until resumed; ends every session."""

    reason: PersonalNarrative | None = None
    """None if nothing could be sealed, or nobody said."""
    by: Account


class PersonResumed(PersonEvent):
    by: Account


class SessionsEnded(PersonEvent):
    """No session begun before this holds."""

    by: Account


class SignaturesSeen(PersonEvent):
    """They looked at what was signed in their name, up to this sequence of CASES."""

    through: Sequence
    by: Account


class TokenIssued(PersonEvent):
    """A machine's way to log in, until `expires_at`."""

    token_hash: Digest
    label: Word
    expires_at: At
    by: Account


class TokenRevoked(PersonEvent):
    token_hash: Digest
    by: Account


class AttemptsRefused(PersonEvent):
    """Somebody tried to act as this person; `PERSON-nobody` holds those of unknown accounts.

    Recorded at the first of its kind and whenever `count`, of all until then, has doubled.
    """

    kind: Attempted
    why: Why
    count: Annotated[int, Field(ge=1)]


class DecisionEvent(DeskEvent):
    """Of one decision that needs two signatures."""


class DecisionProposed(DecisionEvent):
    """The first person signed; always its log's first event."""

    act: Word
    """The command's name."""
    about: Id
    """The log it concerns."""
    command: PersonalNarrative
    """The whole command as JSON, so that the second person sees what they agree to."""
    signature: Signature
    expires_at: At


class DecisionAgreed(DecisionEvent):
    """Another person signed the same."""

    signature: Signature


class DecisionWithdrawn(DecisionEvent):
    by: Account


class DecisionExpired(DecisionEvent):
    """Nobody agreed in time."""


class DecisionCarriedOut(DecisionEvent):
    """The service that decides has recorded it, or found that there was nothing to record."""


class DecisionNotCarriedOut(DecisionEvent):
    """Though both signed: the service that decides refused it, and will not do it any more."""

    why: Why
    """The guard that refused it; `invalid`; or what became of its words: `words_erased`."""
