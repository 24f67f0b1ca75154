"""A case log and a key holder in memory, fast enough for ten thousand histories.

The log keeps the promises that `transact` relies on: versions are written once, and each service
folds what it hasn't seen. Sealing is a look-up; nothing here is secret.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, cast

from eventsourcing.persistence import IntegrityError, OperationalError
from typing_extensions import override

from shared.events.base import CaseEvent, chain_hash
from shared.events.fields import Sealed
from shared.keys.access import Use
from shared.keys.client import Keys, SealingKeys, Searcher
from shared.keys.messages import NoteParked, OpenedValue, SealedValue
from shared.keys.sealing import Spot
from shared.log.case_log import CaseLog, ChainedEvent, Fold
from shared.log.history import Histories, History
from shared.log.turns import Turns


@dataclass(frozen=True, slots=True)
class Draft:
    """An event on its way into the log; its id stands for its bytes."""

    event: CaseEvent[Any]
    state: bytes


class Drafting:
    """Makes drafts, where the real mapper makes JSON."""

    @staticmethod
    def to_stored_event(event: CaseEvent[Any]) -> Draft:
        return Draft(event, event.id.encode())


@dataclass
class Store:
    events: list[CaseEvent[Any]] = field(default_factory=list)
    cases: dict[str, list[ChainedEvent]] = field(default_factory=dict)
    crashes: list[str] = field(default_factory=list)
    """What befalls the next appends: `none`, `before` (it isn't done) or `after` (it is)."""

    def insert_events(
        self, drafts: Sequence[Draft], *, message_ids: Sequence[str]
    ) -> tuple[int, ...]:
        """Appends all or nothing, or crashes before or after it, as it was told."""
        assert len(drafts) == len(message_ids)
        fate = self.crashes.pop() if self.crashes else "none"
        if fate == "before":
            raise OperationalError("the server is gone")
        links = self.cases.setdefault(drafts[0].event.subject, [])
        if drafts[0].event.caseversion != len(links) + 1:
            raise IntegrityError("somebody else wrote this version first")
        for draft in drafts:
            self.events.append(draft.event)
            links.append(ChainedEvent(draft.event, chain_hash(draft.state), len(self.events)))
        if fate == "after":
            raise OperationalError("the answer was lost")
        return tuple(link.sequence for link in links[-len(drafts) :])


class MemoryLog(CaseLog[Any]):
    def __init__(self, fold: Fold[Any], store: Store) -> None:
        self.fold = fold
        self.store = store
        self.histories: dict[str, History[Any]] = {}
        self._kept = Histories()
        self._turns = Turns()
        self.mapper = cast(Any, Drafting())
        self.recorder = cast(Any, store)
        self.incarnation = None

    @override
    def remembered(self, case_id: str) -> History[Any] | None:
        return self.histories.get(case_id)

    @override
    def remember(self, history: History[Any]) -> None:
        if history.version:
            self.histories[history.case_id] = history

    @override
    def load(self, case_id: str) -> History[Any]:
        known = self.remembered(case_id) or History(case_id, self.fold.initial)
        newer = self.store.cases.get(case_id, [])[known.version :]
        if not newer:
            return known
        history = self.follow(known, newer)
        self.remember(history)
        return history

    @override
    def events_of_type(self, type_name: str, since: str = "") -> Iterator[CaseEvent[Any]]:
        return (one for one in list(self.store.events) if one.type_name == type_name)


class Letterbox(dict[str, str]):
    """What was sealed or boxed, by its token."""

    def put(self, form: str, text: str) -> str:
        token = form + sha256(text.encode()).hexdigest()
        self[token] = text
        return token


@dataclass(frozen=True)
class _Sealing:
    letters: Letterbox

    def seal(self, _spot: Spot, text: str) -> Sealed:
        return Sealed(self.letters.put("1.", text))


class MemoryKeys(Keys):
    """Opens whatever it sealed. Keyed hashes are hashes."""

    def __init__(self) -> None:
        self.letters = Letterbox()
        one = cast(Any, _Sealing(self.letters))
        self._keys: SealingKeys = {"identity": one, "location": one, "narrative": one}

    def box(self, text: str) -> str:
        return self.letters.put("box1.", text)

    @override
    def for_sealing(self, case_id: str, version: int, erasure: str) -> SealingKeys:
        return self._keys

    @override
    def open(
        self, values: Sequence[SealedValue], by: str, purpose: str, use: Use = "shown"
    ) -> list[OpenedValue]:
        return [OpenedValue(state="open", text=self.letters[one.sealed]) for one in values]

    @override
    def unbox(self, boxes: Sequence[str]) -> list[bytes]:
        return [self.letters[one].encode() for one in boxes]

    @override
    def hashes(self, values: Sequence[tuple[str, str]]) -> list[tuple[str, ...]]:
        return [(sha256("|".join(one).encode()).hexdigest(),) for one in values]

    @override
    def search(
        self, who: Searcher, values: Sequence[tuple[str, str]] = ()
    ) -> list[tuple[str, ...]]:
        return self.hashes(values)

    @override
    def found(self, who: Searcher, case_ids: Sequence[str]) -> None:
        """Nobody asks what was found."""

    @override
    def release(self, by: str, purpose: str, account: str) -> None:
        """Nobody has a budget here."""

    @override
    def note_parked(self, asked: NoteParked) -> bytes:
        return self.letters[asked.box].encode() if asked.box else b""
