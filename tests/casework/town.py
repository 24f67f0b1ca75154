"""Intake, verification and handover with their own handlers, on one log in memory.

Nothing moves by itself: `deliver` takes what waits for a service, in any order and more than once,
and `pass_time` fires the timers that fall due.
"""

import random
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple, TypeVar, cast

from eventsourcing.persistence import OperationalError

import services.handover
import services.handover.handlers
import services.handover.main
import services.intake
import services.intake.handlers
import services.verification
import services.verification.handlers
from passage.integrity.verify.rules.trail import Trail
from passage.integrity.verify.transitions import broken_rules
from services.intake.parsing import ChannelMessage
from services.verification.registry_answers import RegistryAnswer
from shared import subjects
from shared.commands.base import Command, Decision, Recorded
from shared.events.base import CaseEvent
from shared.events.fields import Channel
from shared.events.upstream import Upstream
from shared.log.transact import Outcome, Writer
from shared.parked.parking import Delivery
from shared.refusals import RefusedError
from shared.skeleton.service import Context
from tests.casework.memory import MemoryKeys, MemoryLog, Store
from tests.casework.wiring import DURABLES, FOLDS, SERVICES, FewKnow, Wired
from tests.contexts import NOW, MemoryTimers, delivered
from tests.intake.receiving import open_call

ResultT = TypeVar("ResultT")


class Waiting(NamedTuple):
    service: str
    event: CaseEvent[Any]


class Town:
    def __init__(self, registry: dict[str, RegistryAnswer] | None = None) -> None:
        self.now = NOW
        self.order: random.Random | None = None
        """By which chance deliveries overtake one another; None: in the log's order."""
        self.crashing: random.Random | None = None
        """By which chance an append is lost, or its answer is; None: never."""
        self.store = Store()
        self.keys = MemoryKeys()
        self.waiting: list[Waiting] = []
        self.timers = {service: MemoryTimers() for service in SERVICES}
        self.contexts = {service: self._context(service) for service in SERVICES}
        self.wired = Wired()
        contexts, timers, knows = self.contexts, self.timers, FewKnow(registry or {})
        self.intake = self.wired.intake(contexts["intake"], timers["intake"])
        self.wired.verification(contexts["verification"], timers["verification"], knows)
        self.wired.handover(contexts["handover"], timers["handover"])
        self.wired.desk(contexts["desk"], timers["desk"])
        self.calls = 0
        self.forced_calls: list[str] = []
        """The calls in which a duress code was given."""
        self._duress_codes: set[str] = set()
        self._heard = 0
        self._judged = 0
        self._receipts: set[tuple[str, str]] = set()
        self._trails: dict[str, Trail] = {}

    def _context(self, service: str) -> Context:
        log = MemoryLog(FOLDS[service], self.store)
        return Context(service, Writer(log, self.keys), lambda: self.now)

    @property
    def log(self) -> list[CaseEvent[Any]]:
        return self.store.events

    def version(self, case_id: str) -> int:
        return len(self.store.cases.get(case_id, []))

    def types(self, case_id: str) -> list[str]:
        return [link.event.type_name for link in self.store.cases.get(case_id, [])]

    def state(self, service: str, case_id: str) -> Any:
        return self.contexts[service].writer.log.load_current(case_id).state

    def call(
        self,
        address: str | None,
        code: str | None = None,
        call_id: str | None = None,
        channel: Channel = "phone",
    ) -> Outcome:
        self.calls += 1
        named = call_id or f"call-{self.calls}"
        fields = {
            "call_id": named,
            "caller_address": self.keys.box(address) if address else None,
            "language": "ru",
            "started_at": self.now.isoformat(),
            "return_code": self.keys.box(code) if code else None,
        }
        message = ChannelMessage(Upstream("call", named, fields), channel, self.now)
        if code in self._duress_codes:
            self.forced_calls.append(named)

        def receive() -> Outcome:
            opened = open_call(self.intake.context.keys, message)
            return services.intake.handlers.record_call(self.intake, opened)[0]

        return self.until_done(receive)

    def ask(self, command: Command) -> Outcome | Recorded:
        carry_out = self.wired.carries_out[type(command)]
        answer: Outcome | Recorded = self.until_done(partial(carry_out, command))
        if isinstance(answer, Recorded) and answer.duress_code is not None:
            self._duress_codes.add(answer.duress_code)
        return answer

    def hear(self) -> list[Waiting]:
        """Everything that waits, after delivering what was recorded since."""
        for event in self.log[self._heard :]:
            self.hear_again(event)
        self._heard = len(self.log)
        return self.waiting

    def hear_again(self, event: CaseEvent[Any]) -> None:
        """Delivered to everyone who listens for its type."""
        subject = subjects.case_events(event.type_name)
        self.waiting += [
            Waiting(service, event)
            for service, durable in DURABLES.items()
            if subject in durable.filter_subjects
        ]

    def deliver(self, position: int = 0, *, keep: bool = False) -> Outcome:
        """A service hears of what waits at a position; kept, it comes again."""
        service, event = self.waiting[position]
        outcome = self.wired.hears[service](delivery_of(event))
        if not keep:
            del self.waiting[position]
        return outcome

    def settle(self) -> None:
        """Delivers until nothing waits, in the log's order or in `order`, some of it twice."""
        while waiting := self.hear():
            order = self.order
            position = order.randrange(len(waiting)) if order else 0
            again = order is not None and order.random() < 0.3
            self.until_done(partial(self.deliver, position, keep=again))

    def until_done(self, step: Callable[[], ResultT]) -> ResultT:
        """Repeats a step until nothing crashes; a crash forgets everything in memory."""
        while True:
            if self.crashing is not None:
                fates = self.crashing.choices(("none", "before", "after"), (6, 1, 1), k=3)
                self.store.crashes[:] = fates
            try:
                return step()
            except OperationalError:
                self.forget()

    def forget(self) -> None:
        """Every service starts anew, and knows of the log what it reads."""
        for context in self.contexts.values():
            cast(MemoryLog, context.writer.log).histories.clear()

    def pass_time(self, span: timedelta) -> None:
        """The clock goes on, and what falls due by then fires."""
        self.now += span
        for service, timers in self.timers.items():
            for delivery in timers.due(service, self.now):
                self.until_done(partial(self.wired.deadlines[service].receive, delivery))

    def broken(self) -> list[str]:
        """The rules that what was recorded since breaks, as `passage verify` sees it."""
        found: list[str] = []
        for event in self.log[self._judged :]:
            trail = self._trails.setdefault(event.subject, Trail((), self._receipts, self._trails))
            found += [
                f"{event.subject} {event.caseversion} {event.type_name}: {rule}"
                for rule in broken_rules(trail, event)
            ]
        self._judged = len(self.log)
        return found


def delivery_of(event: CaseEvent[Any]) -> Delivery:
    subject = f"cases.{event.subject}.{event.caseversion}.{event.type_name}"
    return delivered(subject, event.model_dump_json(exclude_none=True).encode())


OLENA, PETRO, IRYNA = "Olena Example", "Petro Example", "Iryna Example"
PEOPLE = (OLENA, PETRO, IRYNA)
PLACE = {"description": "the mill of Musterdorf"}
HOUR = timedelta(hours=1)
TEAMS = ("Heron", "Stork")


class Desk:
    def __init__(self, town: Town) -> None:
        self.town = town
        self.asked = 0

    def command(self, kind: type[Command], case_id: str, by: str, **fields: Any) -> Command:
        self.asked += 1
        who: dict[str, Any] = {"command_id": f"cmd-{self.asked}", "case_id": case_id, "by": by}
        if issubclass(kind, Decision):
            who["seen_version"] = self.town.version(case_id)
        return kind.model_validate({**who, **fields})

    def tries(
        self, kind: type[Command], case_id: str, by: str, **fields: Any
    ) -> Outcome | Recorded | str:
        """What came of it: the answer, or the guard that refused."""
        try:
            return self.town.ask(self.command(kind, case_id, by, **fields))
        except RefusedError as refused:
            return refused.guard.name

    def window(self) -> dict[str, Any]:
        return {"window_from": self.town.now + HOUR, "window_to": self.town.now + 3 * HOUR}
