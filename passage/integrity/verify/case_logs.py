"""Checks what the log says: subjects, versions 1..n, the chain, transitions, and who signed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from typing_extensions import override

from passage.integrity.findings import Findings
from passage.integrity.log_reading import Check
from passage.integrity.verify.rules.trail import Trail
from passage.integrity.verify.signers import Signers
from passage.integrity.verify.transitions import broken_rules
from shared.events.base import CaseEvent, Event, chain_hash
from shared.events.catalogue import OWNER
from shared.events.intake import CallLinked, CaseOpened, ReturnCodeIssued
from shared.events.parsing import UnreadableEventError, read_case_event
from shared.events.people import (
    OF_DECISIONS,
    OF_PEOPLE,
    AttemptsRefused,
    DecisionProposed,
    EnrolmentOffered,
    PersonAdded,
    RoleGranted,
    log_of,
)
from shared.events.shifts import (
    OF_EXPORTS,
    OF_SHIFTS,
    DeskEvent,
    ShiftCaseAccepted,
    ShiftEnded,
    ShiftHandedOver,
    ShiftStarted,
    StatisticsExported,
)
from shared.jetstream.stored import StoredMessage
from shared.subjects import read_case_subject
from shared.witnesses.heads import Heads

OF_THE_DESK: Mapping[str, type[Event]] = {
    OF_SHIFTS: ShiftStarted,
    OF_EXPORTS: StatisticsExported,
    OF_PEOPLE: PersonAdded,
    OF_DECISIONS: DecisionProposed,
}
"""Number prefixes of logs that aren't a case's, and the first event of such a log."""
NOBODYS_LOG = log_of("nobody")
"""Attempts on accounts that nobody has; no one was added in it."""
INTAKE, DESK, KEEPER = "/services/intake", "/services/desk", "/keeper"
ONCE_INTAKES = (
    ShiftStarted,
    ShiftHandedOver,
    ShiftCaseAccepted,
    ShiftEnded,
    StatisticsExported,
)
KEEPERS = (PersonAdded, RoleGranted, EnrolmentOffered)
"""What the keeper records while there is no supervisor."""


class Promise(NamedTuple):
    """What the index must contain because of an event.

    A caller's entry may also name an earlier episode of the case; and if a call came to the case
    `by_code`, or may have, the entry may be about another case, which he called about before.
    """

    key: str
    case_id: str
    sequence: int
    by_code: bool = False


class CaseLogs(Check):
    """The events of CASES; memory grows with the number of cases, not events.

    `promise` is called with what the index must contain because of them.
    """

    def __init__(
        self,
        findings: Findings,
        supervisors: tuple[str, ...] = (),
        promise: Callable[[list[Promise]], None] = lambda _: None,
    ) -> None:
        self._findings = findings
        self._supervisors = supervisors
        self._promise = promise
        self._heads = Heads()
        self._trails: dict[str, Trail] = {}
        self._receipts: set[tuple[str, str]] = set()
        self._signers = Signers()
        self.events = 0
        self._desk_records = False
        """Whether desk has recorded anything yet; before, shifts and exports were intake's."""

    @property
    def cases(self) -> int:
        """Without desk's logs."""
        return sum(_first_of(one) is CaseOpened for one in self._trails)

    def knows(self, case_id: str) -> bool:
        return case_id in self._trails

    @override
    def take(self, batch: Sequence[StoredMessage]) -> None:
        self.events += len(batch)
        self._promise([one for stored in batch for one in self._take(stored)])

    def _take(self, stored: StoredMessage) -> Iterator[Promise]:
        where = f"sequence {stored.sequence}"
        event = self._read(stored, where)
        if event is None:
            return
        where = f"{where}, case {event.subject} version {event.caseversion}"
        self._check_place(event, where)
        # What follows is judged by what exists: one hole is one finding.
        self._heads.move(event.subject, event.caseversion, chain_hash(stored.body))
        trail = self._trails.get(event.subject)
        if trail is None:
            trail = Trail(self._supervisors, self._receipts, self._trails)
            self._trails[event.subject] = trail
        for rule in broken_rules(trail, event):
            self._findings.add("transitions", where, f"{event.type_name}: {rule}")
        for wrong in self._signers.beyond_role(stored, event):
            self._findings.add("roles", where, f"{event.type_name}: {wrong}")
        for wrong in self._signers.broken(stored, event):
            self._findings.add("signatures", where, f"{event.type_name}: {wrong}")
        yield from _promises(event, stored.sequence)

    def _read(self, stored: StoredMessage, where: str) -> CaseEvent[Any] | None:
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
            self._findings.add("readable", where, "it is stored under another event's subject")
            return None
        self._check_owner(event, where)
        return event

    def _check_owner(self, event: CaseEvent[Any], where: str) -> None:
        owner = f"/services/{OWNER[type(event.data)]}"
        owners = {owner}
        if isinstance(event.data, KEEPERS):
            owners.add(KEEPER)
        if isinstance(event.data, ONCE_INTAKES) and not self._desk_records:
            owners.add(INTAKE)
        self._desk_records = self._desk_records or event.source == DESK
        if event.source not in owners:
            self._findings.add("transitions", where, f"{event.type_name} is not from {owner}")

    def _check_place(self, event: CaseEvent[Any], where: str) -> None:
        misfit = self._heads.misfit(event.subject, event.caseversion, event.prevhash)
        if misfit is not None:
            self._findings.add(misfit[0], where, misfit[1])
        first = AttemptsRefused if event.subject == NOBODYS_LOG else _first_of(event.subject)
        if event.caseversion == 1 and not isinstance(event.data, first):
            self._findings.add("transitions", where, f"its log doesn't begin with {first.__name__}")
        if isinstance(event.data, DeskEvent) and first is CaseOpened:
            self._findings.add("transitions", where, f"{event.type_name} in the log of a case")


def _first_of(log_id: str) -> type[Event]:
    found = (first for begins, first in OF_THE_DESK.items() if log_id.startswith(begins))
    return next(found, CaseOpened)


def _promises(event: CaseEvent[Any], sequence: int) -> Iterator[Promise]:
    data, case_id = event.data, event.subject
    if isinstance(data, CaseOpened) and data.split_from is not None:
        return  # The call belongs to the case it was split from; the index has nothing of this one.
    if isinstance(data, CaseOpened | CallLinked):
        yield Promise(f"call.{data.channel}.{data.call_id}", case_id, sequence)
        # An unclear number is found by any of its readings, whichever the index has.
        if data.caller_key is not None and not data.reading_keys:
            # A later episode may begin with a code, too, and its first event doesn't say so.
            may_be_by_code = (
                data.basis != "caller"
                if isinstance(data, CallLinked)
                else data.previous_case is not None
            )
            yield Promise(f"caller.{data.caller_key}", case_id, sequence, may_be_by_code)
    if isinstance(data, CaseOpened) and data.previous_case is not None:
        yield Promise(f"next.{data.previous_case}", case_id, sequence)
    if isinstance(data, ReturnCodeIssued):
        yield Promise(f"code.{data.code_hash}", case_id, sequence)
        if data.duress_hash is not None:
            yield Promise(f"code.{data.duress_hash}", case_id, sequence)
