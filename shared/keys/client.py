"""The client of the key holder, the only process with keys.

A request goes to `keyholder.<operation>.<service>`; NATS lets each service ask only under its own
name, and the key holder grants what the policy gives that name. Nothing here is ever stored.
"""

from base64 import b64decode
from collections.abc import Sequence
from threading import Lock
from typing import Literal, NamedTuple, Protocol, TypeVar

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from pydantic import BaseModel, ValidationError
from typing_extensions import override

from shared import subjects
from shared.events.fields import PersonalClass
from shared.jetstream.calls import Outgoing, RequestLostError, RequestRefusedError
from shared.jetstream.connection import Connection
from shared.keys.access import FOUND_CASES_MAX, SearchKind, Use
from shared.keys.boxes import BoxBrokenError
from shared.keys.messages import (
    NOT_YET,
    TOO_MANY,
    Denied,
    Found,
    Hash,
    Hashes,
    Noted,
    NoteParked,
    Open,
    OpenedValue,
    OpenedValues,
    PublicKeys,
    Release,
    Seal,
    SealedValue,
    Search,
    ToHash,
    Unbox,
    Unboxed,
)
from shared.keys.sealing import SealingKey

CASES_KEPT = 20_000
"""How many cases' public keys a service caches."""

KEEPER = "keeper"
"""The name under which the command line asks; nothing else may rotate, close or check."""

NO_RESPONDER = 503
SEALED = "the key holder is sealed; `passage keys unseal`"

SealingKeys = dict[PersonalClass, SealingKey]

Operation = Literal["seal", "open", "unbox", "hash", "search", "found", "parked", "release"]


class KeysUnavailableError(Exception):
    """The key holder doesn't answer: it is sealed or starting. Nothing is lost; ask again."""


class KeysSealedError(KeysUnavailableError):
    """No process has keys now: work that needs them can't be done."""


class TooManyError(KeysUnavailableError):
    """A limit is reached: the service's, or the budget of the person it asks for."""

    def __init__(self, expected: str, retry_after_s: float) -> None:
        self.expected = expected
        self.retry_after_s = retry_after_s
        super().__init__(f"too many; {expected}")


class Searcher(NamedTuple):
    by: str
    purpose: str
    asked: tuple[SearchKind, ...]


class KeysDeniedError(Exception):
    """The policy doesn't grant the request to this service, or it is malformed."""


class Keys(Protocol):
    """The key holder as a service sees it. All raise KeysUnavailableError and KeysDeniedError."""

    def for_sealing(self, case_id: str, version: int, erasure: str) -> SealingKeys:
        """The public keys for sealing a version of a case.

        Made now if the case has none. `erasure` is the id of the last erasure before, empty if
        there is none.
        """

    def open(
        self, values: Sequence[SealedValue], by: str, purpose: str, use: Use = "shown"
    ) -> list[OpenedValue]:
        """The texts of sealed values, after the access was recorded."""

    def unbox(self, boxes: Sequence[str]) -> list[bytes]:
        """Raises BoxBrokenError if one doesn't open."""

    def hashes(self, values: Sequence[tuple[str, str]]) -> list[tuple[str, ...]]:
        """For each (purpose, value) its keyed hashes, the newest pepper's first."""

    def search(
        self, who: Searcher, values: Sequence[tuple[str, str]] = ()
    ) -> list[tuple[str, ...]]:
        """`hashes` for a person's search, after it was recorded and counted."""

    def found(self, who: Searcher, case_ids: Sequence[str]) -> None:
        """Records what a search found; call it before the person is told."""

    def release(self, by: str, purpose: str, account: str) -> None:
        """Gives somebody an hour's worth of their budget anew, after it was recorded."""

    def note_parked(self, asked: NoteParked) -> bytes:
        """A parked message's content, after recording who does what with it.

        Empty if no box was given. Raises BoxBrokenError.
        """


AnswerT = TypeVar("AnswerT", bound=BaseModel)


class RemoteKeys(Keys):
    """The key holder over NATS, on behalf of one service."""

    def __init__(self, connection: Connection, service: str, timeout_s: float) -> None:
        self._connection = connection
        self._service = service
        self._timeout_s = timeout_s
        self._kept: dict[str, tuple[str, SealingKeys]] = {}
        self._lock = Lock()

    @override
    def for_sealing(self, case_id: str, version: int, erasure: str) -> SealingKeys:
        kept = self._kept.get(case_id)
        if kept is not None and kept[0] == erasure:
            return kept[1]
        asked = Seal(case_id=case_id, version=version, erasure=erasure)
        found = {
            name: SealingKey(key.epoch, key.key_id, _public(key.public))
            for name, key in self._ask("seal", asked, PublicKeys).keys.items()
        }
        with self._lock:
            self._kept[case_id] = (erasure, found)
            while len(self._kept) > CASES_KEPT:
                del self._kept[next(iter(self._kept))]
        return found

    @override
    def open(
        self, values: Sequence[SealedValue], by: str, purpose: str, use: Use = "shown"
    ) -> list[OpenedValue]:
        asked = Open(by=by, purpose=purpose, use=use, values=tuple(values))
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
        return list(self._ask("hash", Hash(values=_to_hash(values)), Hashes).hashes)

    @override
    def search(
        self, who: Searcher, values: Sequence[tuple[str, str]] = ()
    ) -> list[tuple[str, ...]]:
        asked = Search(**who._asdict(), values=_to_hash(values))
        return list(self._ask("search", asked, Hashes).hashes)

    @override
    def found(self, who: Searcher, case_ids: Sequence[str]) -> None:
        first = tuple(case_ids[:FOUND_CASES_MAX])
        self._ask("found", Found(**who._asdict(), found=len(case_ids), case_ids=first), Noted)

    @override
    def release(self, by: str, purpose: str, account: str) -> None:
        self._ask("release", Release(by=by, purpose=purpose, account=account), Noted)

    @override
    def note_parked(self, asked: NoteParked) -> bytes:
        contents = self._ask("parked", asked, Unboxed).contents
        return _content(contents[0]) if contents else b""

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
            raise KeysSealedError(SEALED) from None
        return _read(answer, reply.body)


def _read(answer: type[AnswerT], body: bytes) -> AnswerT:
    try:
        return answer.model_validate_json(body)
    except ValidationError:
        pass
    denied = Denied.model_validate_json(body)
    if denied.denied == "sealed":
        raise KeysSealedError(SEALED)
    if denied.denied == TOO_MANY:
        raise TooManyError(denied.expected, denied.retry_after_s or 0.0)
    if denied.denied == NOT_YET:
        raise KeysUnavailableError(f"{NOT_YET}: {denied.expected}")
    raise KeysDeniedError(f"{denied.denied}: {denied.expected}")


def _to_hash(values: Sequence[tuple[str, str]]) -> tuple[ToHash, ...]:
    return tuple(ToHash(purpose=purpose, value=value) for purpose, value in values)


def _public(text: str) -> X25519PublicKey:
    return X25519PublicKey.from_public_bytes(b64decode(text))


def _content(content: str | None) -> bytes:
    if content is None:
        raise BoxBrokenError("a box doesn't open with the intake key")
    return b64decode(content)
