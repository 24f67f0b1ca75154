"""Intake, verification and handover with their own handlers, on one log in memory.

Nothing moves by itself: `deliver` takes what waits for a service, in any order and more than once,
and `pass_time` fires the timers that fall due.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from eventsourcing.persistence import OperationalError
from nacl.public import PrivateKey
from typing_extensions import override

import services.handover
import services.handover.due
import services.handover.handlers
import services.handover.main
import services.intake
import services.intake.handlers
import services.verification
import services.verification.handlers
from passage.verifying.rules.trail import Trail
from passage.verifying.transitions import broken_rules
from services.handover.reactions import Reactions
from services.handover.reactions import receive_event as handover_hears
from services.handover.state import HandoverState
from services.handover.state import evolve as evolve_handover
from services.intake import erasing, listening, others, sending
from services.intake.codes import issue_return_code
from services.intake.deadlines import KINDS, deadlines, decide_due
from services.intake.erasing import Erasure
from services.intake.guards import Rules
from services.intake.handlers import Intake
from services.intake.listening import Listening
from services.intake.routing import Index
from services.intake.sending import Post, Sending
from services.intake.state import IntakeState
from services.intake.state import evolve as evolve_intake
from services.verification.handlers import Verification, deadlines_of
from services.verification.handlers import receive_event as verification_hears
from services.verification.registry import Registry, RegistryAnswer
from services.verification.state import VerificationState
from services.verification.state import evolve as evolve_verification
from services.verification.waiting import Waits
from shared import subjects
from shared.case_log import Fold
from shared.commands import intake as asked
from shared.commands.base import Command, Recorded
from shared.commands.verification import CheckRegistry
from shared.deadlines import Deadlines
from shared.events.base import CallEnvelope, CaseEvent
from shared.events.calls import CallReceived
from shared.events.fields import Channel, Identity
from shared.outgoing import OutgoingMessage
from shared.parking import Delivery
from shared.service import Desk
from shared.settings import Settings
from shared.subjects import Durable
from shared.transact import Outcome, Writer
from tests.casework.memory import MemoryKeys, MemoryLog, Store
from tests.desks import NOW, MemoryBucket
from tests.timing import MemoryTimers

SERVICES = ("intake", "verification", "handover")
DURABLES: dict[str, Durable] = {
    "intake": services.intake.CASES,
    "verification": services.verification.CLAIMS,
    "handover": services.handover.REACTS_TO,
}
SETTINGS = Settings()
CHANNEL_KEY = PrivateKey(b"c" * 32).public_key

FOLDS: dict[str, Fold[Any]] = {
    "intake": Fold(IntakeState(), evolve_intake),
    "verification": Fold(VerificationState(), evolve_verification),
    "handover": Fold(HandoverState(), evolve_handover),
}


class Waiting(NamedTuple):
    """An event that a service hasn't heard of yet."""

    service: str
    event: CaseEvent[Any]


class FewKnow(Registry):
    """A registry that knows whom it is told to know: by surname."""

    name = "invented"

    def __init__(self, known: dict[str, RegistryAnswer]) -> None:
        self.known = known

    @override
    def look_up(self, claim: Identity) -> RegistryAnswer:
        return self.known.get(claim.surname, RegistryAnswer("none"))


class Posted(Post):
    """The messages that went out."""

    def __init__(self) -> None:
        self.messages: list[OutgoingMessage] = []

    @override
    def give(self, message: OutgoingMessage, now: datetime) -> bool:
        self.messages.append(message)
        return True


class Town:
    """The three services, their log, their timers and their clock."""

    def __init__(self, registry: dict[str, RegistryAnswer] | None = None) -> None:
        self.now = NOW
        self.store = Store()
        self.keys = MemoryKeys()
        self.post = Posted()
        self.waiting: list[Waiting] = []
        self.timers = {service: MemoryTimers() for service in SERVICES}
        self.desks = {service: self._desk(service) for service in SERVICES}
        self.registry = FewKnow(registry or {})
        self.hears: dict[str, Callable[[Delivery], Outcome]] = {}
        self.deadlines: dict[str, Deadlines[Any]] = {}
        self.carries_out: dict[type[Command], Callable[[Any], Any]] = {}
        self._wire_intake()
        self._wire_verification()
        self._wire_handover()
        self.calls = 0
        self._heard = 0
        self._judged = 0
        self._receipts: set[tuple[str, str]] = set()
        self._trails: dict[str, Trail] = {}

    def _desk(self, service: str) -> Desk:
        log = MemoryLog(FOLDS[service], self.store)
        return Desk(service, Writer(log, self.keys), lambda: self.now)

    def _wire_intake(self) -> None:
        desk, rules = self.desks["intake"], Rules()

        def is_over(case_id: str) -> bool:
            return bool(desk.writer.log.load_current(case_id).state.is_over)

        due: Deadlines[IntakeState] = Deadlines(
            desk,
            self.timers["intake"],
            KINDS,
            partial(deadlines, rules),
            lambda state, due: decide_due(rules, state, due.kind, due.due_at),
        )
        intake = Intake(desk, Index(MemoryBucket(), is_over), rules)
        channel_keys = {"phone": CHANNEL_KEY, "telegram": CHANNEL_KEY}
        sender = Sending(desk, self.post, channel_keys, timedelta(minutes=10), due.keep)
        heard = Listening(intake, Erasure(desk, timedelta(days=3650)), sender, due)
        self.intake, self.deadlines["intake"] = intake, due
        self.hears["intake"] = partial(listening.receive_event, heard)
        for kind in (*services.intake.handlers.DECISIONS, *services.intake.handlers.RULED):
            self.carries_out[kind] = partial(services.intake.handlers.carry_out, intake)
        self.carries_out |= {
            asked.ProvidePersonalData: partial(
                services.intake.handlers.provide_personal_data, intake
            ),
            asked.IssueReturnCode: partial(issue_return_code, intake),
            asked.OpenOtherCase: partial(others.open_other_case, intake),
            asked.JoinGroup: partial(others.join_group, intake),
            asked.LinkCases: partial(others.link_cases, intake),
            asked.ErasePersonalData: partial(erasing.erase, heard.erasure),
            asked.SendMessage: partial(sending.send_message, sender),
        }

    def _wire_verification(self) -> None:
        desk = self.desks["verification"]
        due = deadlines_of(desk, self.timers["verification"], Waits())
        verification = Verification(desk, self.registry, due)
        self.deadlines["verification"] = due
        self.hears["verification"] = partial(verification_hears, verification)
        for kind in services.verification.handlers.DECISIONS:
            self.carries_out[kind] = partial(services.verification.handlers.carry_out, verification)
        self.carries_out[CheckRegistry] = partial(
            services.verification.handlers.check_registry, verification
        )

    def _wire_handover(self) -> None:
        desk = self.desks["handover"]
        spans = services.handover.main.spans_of(SETTINGS)
        due: Deadlines[HandoverState] = Deadlines(
            desk,
            self.timers["handover"],
            services.handover.due.KINDS,
            partial(services.handover.due.deadlines, spans=spans),
            services.handover.due.record_due,
        )
        self.deadlines["handover"] = due
        self.hears["handover"] = partial(handover_hears, Reactions(desk, due))
        for kind in services.handover.handlers.DECISIONS:
            self.carries_out[kind] = partial(services.handover.handlers.carry_out, desk)

    @property
    def log(self) -> list[CaseEvent[Any]]:
        """Every event of every case, in the order of the log."""
        return self.store.events

    def version(self, case_id: str) -> int:
        """Gives how many events a case has."""
        return len(self.store.cases.get(case_id, []))

    def types(self, case_id: str) -> list[str]:
        """Gives the types of a case's events."""
        return [link.event.type_name for link in self.store.cases.get(case_id, [])]

    def state(self, service: str, case_id: str) -> Any:
        """Gives a case as a service sees it."""
        return self.desks[service].writer.log.load_current(case_id).state

    def call(
        self,
        address: str | None,
        code: str | None = None,
        call_id: str | None = None,
        channel: Channel = "phone",
    ) -> Outcome:
        """A channel's call comes in."""
        self.calls += 1
        call = CallReceived.model_construct(
            call_id=call_id or f"call-{self.calls}",
            channel=channel,
            caller_address=self.keys.box(address) if address else None,
            language="ru",
            started_at=self.now,
            text=None,
            return_code=self.keys.box(code) if code else None,
            recording_ref=None,
            media=(),
        )
        envelope = CallEnvelope[CallReceived].model_construct(id=call.call_id, data=call)
        return services.intake.handlers.receive_call(self.intake, envelope)

    def ask(self, command: Command) -> Outcome | Recorded:
        """An operator asks for something. Raises RefusedError."""
        answer: Outcome | Recorded = self.carries_out[type(command)](command)
        return answer

    def hear(self) -> list[Waiting]:
        """Puts what was recorded since before those who listen; gives all that waits."""
        for event in self.log[self._heard :]:
            subject = subjects.case_events(event.type_name)
            self.waiting += [
                Waiting(service, event)
                for service, durable in DURABLES.items()
                if subject in durable.filter_subjects
            ]
        self._heard = len(self.log)
        return self.waiting

    def deliver(self, position: int = 0, *, keep: bool = False) -> Outcome:
        """A service hears of what waits at a position; kept, it comes again."""
        service, event = self.waiting[position]
        outcome = self.hears[service](delivery_of(event))
        if not keep:
            del self.waiting[position]
        return outcome

    def settle(self, order: random.Random | None = None) -> None:
        """Delivers until nothing waits, in the log's order or a random one; crashes are healed."""
        while waiting := self.hear():
            try:
                self.deliver(order.randrange(len(waiting)) if order else 0)
            except OperationalError:
                continue  # It is delivered again.

    def pass_time(self, span: timedelta) -> None:
        """The clock goes on, and what falls due by then fires."""
        self.now += span
        for service, timers in self.timers.items():
            for delivery in timers.due(service, self.now):
                self._fire(service, delivery)

    def _fire(self, service: str, delivery: Delivery) -> None:
        while True:
            try:
                self.deadlines[service].receive(delivery)
            except OperationalError:
                continue
            return

    def broken(self) -> list[str]:
        """Gives the rules that what was recorded since breaks, as `passage verify` sees it."""
        found: list[str] = []
        for event in self.log[self._judged :]:
            trail = self._trails.setdefault(event.subject, Trail(receipts=self._receipts))
            found += [
                f"{event.subject} {event.caseversion} {event.type_name}: {rule}"
                for rule in broken_rules(trail, event)
            ]
        self._judged = len(self.log)
        return found


def delivery_of(event: CaseEvent[Any]) -> Delivery:
    """Gives an event as the bus delivers it."""
    subject = f"cases.{event.subject}.{event.caseversion}.{event.type_name}"
    body = event.model_dump_json(exclude_none=True).encode()
    return Delivery(stream=subjects.CASES, sequence=1, subject=subject, body=body, deliveries=1)
