"""The ten steps from a first call to a disclosed rendezvous, by the services' own functions.

Nobody here exists. What services look up beside the case (an index, a registry) is given.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

from services.handover import state as handover
from services.handover.contact import decide_arrival
from services.handover.disclosure import decide_disclose
from services.handover.rendezvous import decide_approve, decide_plan
from services.intake.call_linking import decide_call
from services.intake.casework import decide_triage
from services.intake.incoming import IncomingCall, Route
from services.intake.state import IntakeState
from services.intake.state import evolve as evolve_intake
from services.intake.statements import decide_personal_data
from services.verification import state as verification
from services.verification.identity import decide_verify
from services.verification.registry_checks import decide_registry_answer
from shared.commands.base import Command, Decision
from shared.commands.catalogue import ANSWERED_BY
from shared.commands.handover import (
    ApproveRendezvous,
    DiscloseRendezvous,
    PlanRendezvous,
    RecordArrival,
)
from shared.commands.intake import ProvidePersonalData, TriageCall
from shared.commands.verification import VerifyIdentity
from shared.events.base import Event
from shared.events.fields import Identity, Place, Plain
from shared.events.verification import RegistryChecked
from shared.log.case_log import Fold
from shared.log.transact import Cause, Outcome, Seen, Writer, transact

STEPS = 10
CALLER_KEY = "c0ffee00" * 8
OLENA, PETRO = "Olena Example", "Petro Example"
WHO = Identity(surname="Beispiel", first_names="Max", service_number="AB-000123")
WHERE = Place(description="the mill of Musterdorf")
TRIAGE = {"intent": "surrender", "situation": "serving", "urgency": "today"}

FOLDS: dict[str, Fold[Any]] = {
    "intake": Fold(IntakeState(), evolve_intake),
    "verification": Fold(verification.VerificationState(), verification.evolve),
    "handover": Fold(handover.HandoverState(), handover.evolve),
}

Writers = Mapping[str, Writer]
Side = tuple[Writers, Callable[[int], None]]
"""What to write with, and what waits until the read model has a sequence."""


@dataclass
class Story:
    """One man's case; each step is decided by one service, and appended by `transact`."""

    writers: Writers
    case_id: str
    version: int = 0
    last: Outcome | None = None

    def play(self) -> Outcome:
        first, second = f"call-{uuid4().hex}", f"call-{uuid4().hex}"
        self.call(first, "caller")
        self._decide(_timeless(decide_triage), TriageCall, call_id=first, **TRIAGE)
        self._decide(_timeless(decide_personal_data), ProvidePersonalData, identity=WHO)
        self._registry_answers()
        self._decide(decide_verify, VerifyIdentity, basis="registry_and_operator")
        self.call(second, "return_code")
        self._decide(decide_arrival, RecordArrival, place=WHERE)
        window: dict[str, Any] = {"window_from": _in_hours(1), "window_to": _in_hours(3)}
        meeting = self._decide(decide_plan, PlanRendezvous, place=WHERE, team="Heron", **window)
        self._decide(decide_approve, ApproveRendezvous, by=PETRO, rendezvous_id=meeting)
        told: dict[str, Any] = {"to_whom": "the caller", "call_id": second}
        self._decide(decide_disclose, DiscloseRendezvous, rendezvous_id=meeting, **told)
        if self.last is None or self.version != STEPS:
            raise RuntimeError(f"case {self.case_id} has {self.version} events")
        return self.last

    def call(self, call_id: str, basis: Any) -> None:
        call = IncomingCall(
            call_id=call_id,
            channel="phone",
            caller_keys=(CALLER_KEY,),
            caller_address=Plain("+380 44 000 00 00"),
            language="ru",
            started_at=datetime.now(UTC),
            text=Plain("I want to live. (Invented.)"),
            code_hashes=(),
            recording_ref=None,
            media=(),
        )
        route = Route(self.case_id, basis)
        decide = partial(decide_call, call=call, route=route)
        self._transact("intake", decide, call_id, "channel:phone")

    def _registry_answers(self) -> None:
        def decide(state: verification.VerificationState) -> list[Event]:
            statement = state.statement
            if statement is None:
                raise RuntimeError("nobody to look up")
            answer = RegistryChecked(
                registry="invented registry",
                about_event=statement.event_id,
                outcome="match",
                score=97,
            )
            return decide_registry_answer(state, answer)

        self._transact("verification", decide, uuid4().hex, "service:verification")

    def _decide(
        self,
        decide: Callable[[Any, Any, datetime], list[Event]],
        kind: type[Command],
        by: str = OLENA,
        **fields: Any,
    ) -> str:
        """The command's id, which is the id of what it creates."""
        who: dict[str, Any] = {"command_id": uuid4().hex, "case_id": self.case_id, "by": by}
        if issubclass(kind, Decision):
            who["seen_version"] = self.version
        command = kind.model_validate({**who, **fields})

        def decided(state: Any) -> list[Event]:
            return decide(state, command, datetime.now(UTC))

        actor, seen = f"operator:{by}", Seen.by(command)
        self._transact(ANSWERED_BY[kind], decided, command.cause_id, actor, seen)
        return command.command_id

    def _transact(
        self,
        service: str,
        decide: Callable[[Any], list[Event]],
        message_id: str,
        actor: str,
        seen: Seen | None = None,
    ) -> None:
        cause = Cause(
            causation_id=message_id,
            correlation_id=message_id,
            actor=actor,
            source=f"/services/{service}",
            happened_at=datetime.now(UTC),
            seen=seen,
            opens_case=self.version == 0,  # As intake says of a case that it has just numbered.
        )
        self.last = transact(self.writers[service], self.case_id, cause, decide)
        self.version = self.last.version


def _in_hours(hours: float) -> datetime:
    return datetime.now(UTC) + timedelta(hours=hours)


def _timeless(decide: Callable[[Any, Any], list[Event]]) -> Callable[..., list[Event]]:
    return lambda state, command, _now: decide(state, command)
