"""The messages between services and the key holder; none is ever stored."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field

from shared.events.base import CaseEvent
from shared.events.fields import Id, KeyedHash, Person, PersonalClass, Word
from shared.keys.access import FOUND_CASES_MAX, ParkedUse, SearchKinds, Spotted, Use
from shared.keys.hash_purposes import HashPurpose
from shared.written.models import Exact

VALUES_MAX = 1_000

NOT_YET = "not yet"
"""The key holder's answer while an erasure is still to be carried out."""

TOO_MANY = "too_many"
"""The answer above a limit; `retry_after_s` says when to retry."""


class Seal(Exact):
    """Request the public keys for a case's personal values.

    `version` is the version about to be recorded; `erasure` the id of the last erasure before it,
    if any: what follows an erasure is never sealed to a key that it destroys.
    """

    case_id: Id
    version: Annotated[int, Field(ge=1)]
    erasure: Id | Literal[""] = ""


class PublicKey(Exact):
    """One class's public key, raw X25519 in base64."""

    epoch: int
    key_id: int
    public: str


class PublicKeys(Exact):
    keys: dict[PersonalClass, PublicKey]


class SealedValue(Spotted):
    sealed: str

    @classmethod
    def of(cls, event: CaseEvent[Any], field: str) -> Self:
        return cls(
            case_id=event.subject,
            version=event.caseversion,
            type_name=event.type_name,
            field=field,
            sealed=getattr(event.data, field),
        )


class Open(Exact):
    """Open values for somebody, for a purpose; both are recorded before the answer."""

    by: Person
    purpose: Word
    use: Use = "shown"
    values: Annotated[tuple[SealedValue, ...], Field(min_length=1, max_length=VALUES_MAX)]


class OpenedValue(Exact):
    """`open` with its text; `erased`: its key is destroyed; `broken`: altered or moved."""

    state: Literal["open", "erased", "broken"]
    text: Annotated[str | None, Field(repr=False)] = None


class OpenedValues(Exact):
    """In the order of the request."""

    values: tuple[OpenedValue, ...]


class Unbox(Exact):
    """Open boxes that were sealed with the public intake key (`shared.keys.boxes`)."""

    boxes: Annotated[tuple[str, ...], Field(min_length=1, max_length=VALUES_MAX)]


class NoteParked(Exact):
    """Record what a person does with a parked message, then open its box if one is given."""

    by: Person
    purpose: Word
    parked_id: Id
    sequence: Annotated[int, Field(ge=1)]
    """Its sequence on PARKED."""
    use: ParkedUse
    box: str | None = None


class Unboxed(Exact):
    """Contents in base64, in the order of the request; None if a box doesn't open."""

    contents: Annotated[tuple[str | None, ...], Field(repr=False)]


class ToHash(Exact):
    """A value and its hash's purpose: another purpose gives another hash."""

    purpose: HashPurpose
    value: Annotated[str, Field(repr=False)]


class Hash(Exact):
    values: Annotated[tuple[ToHash, ...], Field(min_length=1, max_length=VALUES_MAX)]


class Search(Exact):
    """Search for a person and a purpose: recorded and counted, then answered with Hashes."""

    by: Person
    purpose: Word
    asked: SearchKinds
    values: Annotated[tuple[ToHash, ...], Field(max_length=VALUES_MAX)] = ()


class Found(Exact):
    """What a search found, to be recorded before a person is told."""

    by: Person
    purpose: Word
    asked: SearchKinds
    found: Annotated[int, Field(ge=0)]
    case_ids: Annotated[tuple[Id, ...], Field(max_length=FOUND_CASES_MAX)] = ()


class Release(Exact):
    """Give somebody else, as a supervisor, an hour's worth of their budget anew."""

    by: Person
    purpose: Word
    account: Person


class Noted(Exact):
    noted: Literal[True] = True


class Hashes(Exact):
    """For each value its hashes, the newest pepper's first."""

    hashes: tuple[tuple[KeyedHash, ...], ...]


class Closed(Exact):
    """To the keeper: nothing can be sealed or opened from now on, and the key holder ends."""

    closed: Literal[True] = True


class Rotated(Exact):
    """To the keeper: data keys are wrapped under a new epoch; older epochs were destroyed.

    `cases` is without desk's logs. `damaged` are those with keys that don't unwrap; these stay as
    they are. `dropped` are those whose keys were wrapped under an epoch destroyed earlier; they
    count as destroyed.
    """

    cases: int
    damaged: tuple[str, ...]
    dropped: tuple[str, ...]
    epoch: int
    epochs_kept: tuple[int, ...]


class PepperRenewed(Exact):
    """To the keeper: new hashes use a new pepper; older ones still find."""

    version: int


class KeysChecked(Exact):
    """To the keeper: how many cases have keys; `damaged` and `dropped` as in Rotated."""

    cases: int
    damaged: tuple[str, ...]
    dropped: tuple[str, ...]


class Trial(Exact):
    """The keeper asks: does any key-encryption key open one of these entries of a case?

    The entries are what KEYS holds or once held of it, from any copy.
    """

    case_id: Id
    entries: tuple[str, ...]


class OpeningKey(Exact):
    entry: int
    """The index, from 0, in the entries asked about."""
    personal_class: PersonalClass
    key_id: int


class Tried(Exact):
    """The data keys that can still be opened; none: everything is erased for good."""

    opening: tuple[OpeningKey, ...]


class Denied(Exact):
    """The request is not granted or not understood; `expected` says which would be."""

    denied: str
    expected: str = ""
    retry_after_s: Annotated[float, Field(ge=0)] | None = None
    """For `too_many`: in how many seconds the same request is granted, if nothing else is."""
