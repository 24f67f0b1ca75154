"""Checks the log itself: sequences, subjects, versions 1..n, the chain, and every transition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from passage.integrity.log_reading import Stored
from passage.integrity.verify.findings import Findings
from passage.integrity.verify.transitions import Trail, broken_rules
from shared.events.base import FIRST_PREVHASH, CaseEvent, Event, chain_hash
from shared.events.catalogue import OWNER
from shared.events.intake import CallLinked, CaseOpened, ReturnCodeIssued
from shared.events.parsing import UnreadableEventError, read_case_event
from shared.events.shifts import OF_EXPORTS, OF_SHIFTS, DeskEvent, ShiftStarted, StatisticsExported
from shared.subjects import read_case_subject

HASH_BYTES = bytes.fromhex
OF_THE_DESK: Mapping[str, type[Event]] = {
    OF_SHIFTS: ShiftStarted,
    OF_EXPORTS: StatisticsExported,
}
"""How the numbers of logs begin that are no case's, and what such a log begins with."""


class Promise(NamedTuple):
    """What an event says must stand in the index.

    A caller's entry may also name an earlier episode of the case; and where one of his calls came
    to the case `by_code`, the entry may be about another case, which he called about before.
    """

    key: str
    case_id: str
    sequence: int
    by_code: bool = False


@dataclass(slots=True)
class _Case:
    trail: Trail
    version: int = 0
    last_hash: bytes = HASH_BYTES(FIRST_PREVHASH)


class CaseLogs:
    """Takes the messages of CASES in order; memory grows with the number of cases, not events."""

    def __init__(self, findings: Findings, supervisors: tuple[str, ...] = ()) -> None:
        self._findings = findings
        self._supervisors = supervisors
        self._trails: dict[str, Trail] = {}
        self._receipts: set[tuple[str, str]] = set()
        self._cases: dict[str, _Case] = {}
        self.sequence = 0
        self.events = 0

    @property
    def cases(self) -> int:
        """How many cases there are; logs of shifts and exports are none."""
        return sum(_first_of(one) is CaseOpened for one in self._cases)

    def knows(self, case_id: str) -> bool:
        """Whether the log has a case."""
        return case_id in self._cases

    def take(self, stored: Stored) -> Iterator[Promise]:
        """Checks one message; gives what must stand in the index because of it."""
        where = f"sequence {stored.sequence}"
        if stored.sequence != self.sequence + 1:
            missing = f"{self.sequence + 1} to {stored.sequence - 1}"
            self._findings.add("contiguous sequences", where, f"missing: {missing}")
        self.sequence = stored.sequence
        self.events += 1
        event = self._read(stored, where)
        if event is None:
            return
        where = f"{where}, case {event.subject} version {event.caseversion}"
        self._check_version_and_chain(event, stored, where)
        for rule in broken_rules(self._cases[event.subject].trail, event):
            self._findings.add("transitions", where, f"{event.type_name}: {rule}")
        yield from _promises(event, stored.sequence)

    def end(self, last: int) -> None:
        """Checks that the log was read up to its last sequence."""
        if self.sequence != last:
            self._findings.add(
                "contiguous sequences", f"sequence {self.sequence}", f"the log goes on to {last}"
            )

    def _read(self, stored: Stored, where: str) -> CaseEvent[Any] | None:
        try:
            subject = read_case_subject(stored.subject)
        except ValueError:
            self._findings.add("readable", where, "its subject is not a case's")
            return None
        try:
            event = read_case_event(stored.body, subject.type_name)
        except UnreadableEventError as error:
            self._findings.add("readable", where, str(error))
            return None
        said = (event.subject, event.caseversion, event.type_name)
        if said != tuple(subject):
            self._findings.add("readable", where, "it stands under another event's subject")
            return None
        owner = f"/services/{OWNER[type(event.data)]}"
        if event.source != owner:
            self._findings.add("transitions", where, f"{event.type_name} is not from {owner}")
        return event

    def _check_version_and_chain(self, event: CaseEvent[Any], stored: Stored, where: str) -> None:
        case = self._cases.get(event.subject)
        if case is None:
            case = _Case(Trail(self._supervisors, self._receipts, self._trails))
            self._cases[event.subject] = case
            self._trails[event.subject] = case.trail
        if event.caseversion != case.version + 1:
            self._findings.add(
                "versions 1..n", where, f"follows version {case.version} of its case"
            )
        elif HASH_BYTES(event.prevhash) != case.last_hash:
            self._findings.add("chain", where, "prevhash doesn't fit the event before it")
        first = _first_of(event.subject)
        if event.caseversion == 1 and not isinstance(event.data, first):
            self._findings.add("transitions", where, f"its log doesn't begin with {first.__name__}")
        if isinstance(event.data, DeskEvent) and first is CaseOpened:
            self._findings.add("transitions", where, f"{event.type_name} in the log of a case")
        case.version = event.caseversion
        case.last_hash = HASH_BYTES(chain_hash(stored.body))


def _first_of(log_id: str) -> type[Event]:
    """What the log of this number begins with."""
    found = (first for begins, first in OF_THE_DESK.items() if log_id.startswith(begins))
    return next(found, CaseOpened)


def _promises(event: CaseEvent[Any], sequence: int) -> Iterator[Promise]:
    data, case_id = event.data, event.subject
    if isinstance(data, CaseOpened) and data.split_from is not None:
        return  # The call is of the case that it was split from; the index has nothing of this one.
    if isinstance(data, CaseOpened | CallLinked):
        yield Promise(f"call.{data.channel}.{data.call_id}", case_id, sequence)
        # What may be several numbers is found by any of them, whichever the index has.
        if data.caller_key is not None and not data.reading_keys:
            by_code = isinstance(data, CallLinked) and data.basis != "caller"
            yield Promise(f"caller.{data.caller_key}", case_id, sequence, by_code)
    if isinstance(data, CaseOpened) and data.previous_case is not None:
        yield Promise(f"next.{data.previous_case}", case_id, sequence)
    if isinstance(data, ReturnCodeIssued):
        yield Promise(f"code.{data.code_hash}", case_id, sequence)
        if data.duress_hash is not None:
            yield Promise(f"code.{data.duress_hash}", case_id, sequence)
