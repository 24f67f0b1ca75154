"""Whether anything opens what was erased of a case: its sealed values, and every copy of its keys;
and likewise what the logs of shifts and decisions told of it.

An erased value may have copies anywhere; what counts is that no copy of its data key opens under a
key-encryption key that is still kept. So both are gathered, and the key holder tries.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from services.desk.words import tells_of
from services.keyholder.entries import Entry
from shared.events.base import CaseEvent
from shared.events.fields import PersonalClass, Sealed
from shared.events.intake import CallLinked, CaseOpened, PersonalDataErased
from shared.events.parsing import UnreadableEventError, read_case_event
from shared.events.upstream import read_upstream
from shared.keys.messages import OpeningKey
from shared.keys.sealing import Spot, header_of

STARTS = re.compile(rb'\{"(?:specversion|epoch)":')
"""How a stored event and an entry of KEYS begin, wherever their bytes are."""
SUBJECT = re.compile(rb'"subject":"([A-Za-z0-9_-]{1,64})"')
LONGEST_OBJECT_BYTES = 1_048_576
"""The server stores nothing longer."""
ENVELOPE_BYTES = 1_024
"""An envelope's first five attributes take less."""
FIRST_LOOK_BYTES = 4_096
LOOKS_GROW_BY = 16
_DECODER = json.JSONDecoder()


@dataclass
class Erasures:
    case_id: str
    erased_at: dict[PersonalClass, int] = field(default_factory=dict)
    """Class -> the case version of its last erasure."""
    told_until: dict[str, int] = field(default_factory=dict)
    """A log of desk's that tells of the case -> its last version that was erased with it."""
    values: dict[Spot, set[str]] = field(default_factory=dict)
    """Place of a value -> the sealed values found for it."""
    copies: dict[str, list[str]] = field(default_factory=dict)
    """An entry of KEYS -> where it was found; most are other cases', and open nothing here."""
    call_ids: set[str] = field(default_factory=set)
    """The case's calls: what a channel published of them may still be in a box."""
    boxes: dict[str, set[str]] = field(default_factory=dict)
    """Call -> the places of its boxes, which the intake key opens."""
    looked_at: Counter[str] = field(default_factory=Counter)
    """Store -> how many sealed values of the case it holds; includes zeros."""

    @property
    def logs(self) -> tuple[str, ...]:
        return (self.case_id, *self.told_until)

    def note_told(self, event: CaseEvent[Any]) -> None:
        """An event of desk's that was recorded before the last erasure."""
        if tells_of(event.data, self.case_id):
            version = max(event.caseversion, self.told_until.get(event.subject, 0))
            self.told_until[event.subject] = version

    def take_event(self, where: str, event: CaseEvent[Any]) -> None:
        """Ignores events of other logs."""
        if event.subject not in self.logs:
            return
        if isinstance(event.data, PersonalDataErased):
            for name in event.data.classes:
                self.erased_at[name] = max(self.erased_at.get(name, 0), event.caseversion)
        if isinstance(event.data, CaseOpened | CallLinked):
            self.call_ids.add(event.data.call_id)
        for name, personal_class in type(event.data).PERSONAL.items():
            value = getattr(event.data, name)
            if isinstance(value, Sealed):
                log_id, version = event.subject, event.caseversion
                spot = Spot(log_id, version, event.type_name, name, personal_class)
                self.values.setdefault(spot, set()).add(str(value))
                self.looked_at[where] += 1

    def take_bytes(self, where: str, content: bytes) -> int:
        """How many events and key entries the bytes held."""
        self.looked_at[where] += 0
        taken = 0
        for found in self._objects(content):
            event, is_entry = _event_in(found), _is_entry(found)
            call_id = _call_in(found)
            if call_id is not None:
                self.boxes.setdefault(call_id, set()).add(where)
            if event is not None:
                self.take_event(where, event)
            elif is_entry:
                self.copies.setdefault(found.decode(), []).append(where)
            taken += event is not None or is_entry
        return taken

    def _objects(self, content: bytes) -> Iterator[bytes]:
        """Possible events of the case, and entries of KEYS of any case."""
        for start in STARTS.finditer(content):
            if start.group().startswith(b'{"s'):
                # The envelope's subject is near its beginning: other cases' needn't be parsed.
                subject = SUBJECT.search(content, start.start(), start.start() + ENVELOPE_BYTES)
                named = subject.group(1).decode() if subject is not None else ""
                if named not in self.logs and named not in self.call_ids:
                    continue
            found = _object_at(content, start.start())
            if found is not None:
                yield found

    def must_stay_closed(self) -> Iterator[tuple[Spot, str]]:
        """The erased values: those up to their class's last erasure."""
        for spot, sealed in self.values.items():
            erased_at = self.erased_at.get(spot.personal_class, 0)
            if spot.version <= self.told_until.get(spot.case_id, erased_at):
                yield from ((spot, one) for one in sorted(sealed))

    def open_still(
        self, keys: Mapping[str, Iterable[OpeningKey]]
    ) -> Iterator[tuple[Spot, list[str]]]:
        """Each erased value whose data key can still be opened, and where that key is.

        `keys`: for each of `logs` the key holder's answer about `copies`, in their order.
        """
        places = list(self.copies.values())
        had: dict[tuple[str, PersonalClass, int], list[str]] = {}
        for log_id, of_log in keys.items():
            for key in of_log:
                of_class = (log_id, key.personal_class, key.key_id)
                had.setdefault(of_class, []).extend(places[key.entry])
        for spot, sealed in self.must_stay_closed():
            where = had.get((spot.case_id, spot.personal_class, header_of(sealed).key_id))
            if where is not None:
                yield spot, where


def _object_at(content: bytes, start: int) -> bytes | None:
    """The JSON object that begins at a place, up to its closing brace."""
    length = FIRST_LOOK_BYTES
    while True:
        text = content[start : start + length].decode("utf-8", errors="replace")
        try:
            _, end = _DECODER.raw_decode(text)
        except (ValueError, RecursionError):
            if length >= min(LONGEST_OBJECT_BYTES, len(content) - start):
                return None
            length *= LOOKS_GROW_BY
        else:
            return text[:end].encode()


def _event_in(found: bytes) -> CaseEvent[Any] | None:
    try:
        return read_case_event(found)
    except UnreadableEventError:
        return None


def _call_in(found: bytes) -> str | None:
    try:
        message = read_upstream(found)
    except UnreadableEventError:
        return None
    is_call = message.kind == "call" and "type_unknown" not in message.changed
    return str(message.fields["call_id"]) if is_call else None


def _is_entry(found: bytes) -> bool:
    try:
        Entry.model_validate_json(found)
    except ValidationError:
        return False
    return True
