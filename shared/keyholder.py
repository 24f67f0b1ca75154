"""What can be asked of the key holder, the one process that has keys; and how it answers.

A request goes to `keyholder.<operation>.<service>`; NATS lets each service ask under its own name
alone, and the key holder grants what the policy gives to that name. Nothing here is ever stored.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Sequence
from threading import Lock
from typing import Annotated, Any, Literal, Protocol, TypeVar

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from typing_extensions import override

from shared import subjects
from shared.boxes import BoxBrokenError
from shared.events.base import CaseEvent
from shared.events.fields import Id, KeyedHash, Person, PersonalClass, Word
from shared.jetstream.calls import Outgoing, RequestLostError, RequestRefusedError
from shared.jetstream.connection import Connection
from shared.sealing import SealingKey

CASES_KEPT = 20_000
"""Of so many cases a service remembers the public keys."""

VALUES_MAX = 1_000
"""How many values one request may name."""

KEEPER = "keeper"
"""In whose name the verbs of the command line ask; nobody else may rotate, close or look."""

NO_RESPONDER = 503
NOT_YET = "not yet"
"""What the key holder says while an erasure is still to be carried out."""

SEALED = "the key holder is sealed; `passage keys unseal`"

SealingKeys = dict[PersonalClass, SealingKey]

Operation = Literal["seal", "open", "unbox", "hash"]


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Seal(_Message):
    """Give the public keys to which a case's personal values are sealed.

    `version` is the version about to be recorded; `erased_at` that of the last erasure before it,
    0 if there is none: what follows an erasure is never sealed to a key that it destroys.
    """

    case_id: Id
    version: Annotated[int, Field(ge=1)]
    erased_at: Annotated[int, Field(ge=0)] = 0


class PublicKey(_Message):
    """One class's public key, raw X25519 in base64."""

    epoch: int
    key_id: int
    public: str


class PublicKeys(_Message):
    """A case's public keys, one a class."""

    keys: dict[PersonalClass, PublicKey]


class SealedValue(_Message):
    """One sealed value and where it stands."""

    case_id: Id
    version: Annotated[int, Field(ge=1)]
    type_name: Word
    field: Word
    sealed: str

    @classmethod
    def of(cls, event: CaseEvent[Any], field: str) -> SealedValue:
        """Gives the sealed value in one personal field of a stored event."""
        return cls(
            case_id=event.subject,
            version=event.caseversion,
            type_name=event.type_name,
            field=field,
            sealed=getattr(event.data, field),
        )


class Open(_Message):
    """Open values for somebody, for a purpose; both are recorded before the answer is given."""

    by: Person
    purpose: Word
    values: Annotated[tuple[SealedValue, ...], Field(min_length=1, max_length=VALUES_MAX)]


class OpenedValue(_Message):
    """`open` with its text; `erased`: its key is destroyed; `broken`: altered or moved."""

    state: Literal["open", "erased", "broken"]
    text: Annotated[str | None, Field(repr=False)] = None


class OpenedValues(_Message):
    """The answers in the order asked."""

    values: tuple[OpenedValue, ...]


class Unbox(_Message):
    """Open boxes that were sealed with the public intake key (`shared.boxes`)."""

    boxes: Annotated[tuple[str, ...], Field(min_length=1, max_length=VALUES_MAX)]


class Unboxed(_Message):
    """Their contents in base64, in the order asked; None where a box doesn't open."""

    contents: Annotated[tuple[str | None, ...], Field(repr=False)]


class ToHash(_Message):
    """A value and what its hash is for: the same value for another purpose hashes otherwise."""

    purpose: Word
    value: Annotated[str, Field(repr=False)]


class Hash(_Message):
    """Give the keyed hashes of values."""

    values: Annotated[tuple[ToHash, ...], Field(min_length=1, max_length=VALUES_MAX)]


class Hashes(_Message):
    """For each value its hashes, under the newest pepper first."""

    hashes: tuple[tuple[KeyedHash, ...], ...]


class Closed(_Message):
    """To the keeper: nothing is sealed or opened any more, and the key holder ends."""

    closed: Literal[True] = True


class Rotated(_Message):
    """To the keeper: data keys are wrapped under a new epoch; older epochs were destroyed.

    `damaged` are cases whose keys don't unwrap any more; they stay as they are.
    """

    cases: int
    damaged: tuple[str, ...]
    epoch: int
    epochs_kept: tuple[int, ...]


class PepperRenewed(_Message):
    """To the keeper: from now on hashes are made under a new pepper; older ones still find."""

    version: int


class KeysChecked(_Message):
    """To the keeper: how many cases have keys, and those whose keys don't unwrap."""

    cases: int
    damaged: tuple[str, ...]


class Trial(_Message):
    """Asks for the keeper: does any key-encryption key open one of these entries of a case?

    The entries are what KEYS keeps of it, or kept once, as a copy elsewhere has it.
    """

    case_id: Id
    entries: tuple[str, ...]


class OpeningKey(_Message):
    """A data key that can still be had."""

    entry: int
    """Which of the entries asked about, from 0."""
    personal_class: PersonalClass
    key_id: int


class Tried(_Message):
    """The data keys that can still be had from the entries; none: all is erased for good."""

    opening: tuple[OpeningKey, ...]


class Denied(_Message):
    """The request is not granted or not understood; `expected` says what would be."""

    denied: str
    expected: str = ""


class KeysUnavailableError(Exception):
    """The key holder doesn't answer: it is sealed or starting. Nothing is lost; ask again."""


class KeysDeniedError(Exception):
    """The key holder refused: the policy doesn't grant it to this service, or it is malformed."""


class Keys(Protocol):
    """The key holder as a service sees it. All raise KeysUnavailableError and KeysDeniedError."""

    def for_sealing(self, case_id: str, version: int, erased_at: int) -> SealingKeys:
        """Gives the keys that what is recorded as a version of a case is sealed to.

        They are made now where the case has none. `erased_at` is the version of the last erasure
        before, 0 if there is none.
        """

    def open(self, values: Sequence[SealedValue], by: str, purpose: str) -> list[OpenedValue]:
        """Gives sealed values' texts, after the access was recorded."""

    def unbox(self, boxes: Sequence[str]) -> list[bytes]:
        """Gives what is in boxes. Raises BoxBrokenError where one doesn't open."""

    def hashes(self, values: Sequence[tuple[str, str]]) -> list[tuple[str, ...]]:
        """Gives for each (purpose, value) its keyed hashes, under the newest pepper first."""


AnswerT = TypeVar("AnswerT", bound=BaseModel)


class RemoteKeys(Keys):
    """The key holder over NATS, asked in the name of one service."""

    def __init__(self, connection: Connection, service: str, timeout_s: float) -> None:
        self._connection = connection
        self._service = service
        self._timeout_s = timeout_s
        self._kept: dict[str, tuple[int, SealingKeys]] = {}
        self._lock = Lock()

    @override
    def for_sealing(self, case_id: str, version: int, erased_at: int) -> SealingKeys:
        kept = self._kept.get(case_id)
        if kept is not None and kept[0] == erased_at:
            return kept[1]
        asked = Seal(case_id=case_id, version=version, erased_at=erased_at)
        found = {
            name: SealingKey(key.epoch, key.key_id, _public(key.public))
            for name, key in self._ask("seal", asked, PublicKeys).keys.items()
        }
        with self._lock:
            self._kept[case_id] = (erased_at, found)
            while len(self._kept) > CASES_KEPT:
                del self._kept[next(iter(self._kept))]
        return found

    @override
    def open(self, values: Sequence[SealedValue], by: str, purpose: str) -> list[OpenedValue]:
        asked = Open(by=by, purpose=purpose, values=tuple(values))
        return list(self._ask("open", asked, OpenedValues).values)

    @override
    def unbox(self, boxes: Sequence[str]) -> list[bytes]:
        if not boxes:
            return []
        contents = self._ask("unbox", Unbox(boxes=tuple(boxes)), Unboxed).contents
        return [_content(one) for one in contents]

    @override
    def hashes(self, values: Sequence[tuple[str, str]]) -> list[tuple[str, ...]]:
        if not values:
            return []
        asked = Hash(values=tuple(ToHash(purpose=p, value=v) for p, v in values))
        return list(self._ask("hash", asked, Hashes).hashes)

    def _ask(self, operation: Operation, asked: BaseModel, answer: type[AnswerT]) -> AnswerT:
        subject = subjects.keyholder(operation, self._service)
        outgoing = Outgoing(subject, asked.model_dump_json().encode())
        try:
            (reply,) = self._connection.request(outgoing, self._timeout_s)
        except RequestLostError:
            raise KeysUnavailableError("the key holder doesn't answer") from None
        except RequestRefusedError as error:
            raise KeysDeniedError(str(error)) from None
        if reply.status == NO_RESPONDER:
            raise KeysUnavailableError(SEALED) from None
        return _read(answer, reply.body)


def _read(answer: type[AnswerT], body: bytes) -> AnswerT:
    try:
        return answer.model_validate_json(body)
    except ValidationError:
        pass
    denied = Denied.model_validate_json(body)
    if denied.denied == "sealed":
        raise KeysUnavailableError(SEALED)
    if denied.denied == NOT_YET:
        raise KeysUnavailableError(f"{NOT_YET}: {denied.expected}")
    raise KeysDeniedError(f"{denied.denied}: {denied.expected}")


def _public(text: str) -> X25519PublicKey:
    return X25519PublicKey.from_public_bytes(b64decode(text))


def _content(content: str | None) -> bytes:
    if content is None:
        raise BoxBrokenError("a box doesn't open with the intake key")
    return b64decode(content)
