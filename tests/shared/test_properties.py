"""Random people give random commands to all services: what must never be in a case's log isn't."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

import services.handover.handlers
import services.intake.handlers
import services.verification.handlers
from services.handover import state as handover
from services.intake import decisions as intake
from services.intake.guards import Rules
from services.intake.state import IntakeState
from services.intake.state import evolve as evolve_intake
from services.verification import decisions as verification
from services.verification import state as verification_state
from shared.case_log import Fold
from shared.commands.base import Command, Decision
from shared.commands.handover import (
    AcceptHandover,
    ApproveRendezvous,
    DiscloseRendezvous,
    OfferHandover,
    PlanRendezvous,
    RecordArrival,
    RecordHandover,
    RecordMissed,
)
from shared.commands.intake import CloseCase, ProvidePersonalData, ReopenCase
from shared.commands.verification import ContradictIdentity, RejectIdentity, VerifyIdentity
from shared.events.base import CaseEvent, Event
from shared.events.fields import Plain
from shared.events.handover import (
    HandedOver,
    HandoverAccepted,
    RendezvousApproved,
    RendezvousDisclosed,
    RendezvousPlanned,
)
from shared.events.intake import PersonalDataProvided
from shared.events.reading import read_case_event
from shared.events.verification import (
    IdentityContradicted,
    IdentityRejected,
    IdentityVerified,
    RegistryChecked,
)
from shared.refusals import RefusedError
from shared.service import Desk
from shared.transact import Cause, Outcome, transact
from tests.desks import NOW, desk_for
from tests.examples import CASE, digest

HOUR = timedelta(hours=1)
PEOPLE = ("Olena Example", "Petro Example")
PLACE = {"description": "the mill of Musterdorf"}
MEETINGS = ("meet-1", "meet-2")
OFFERS = ("offer-1", "offer-2")
OUTCOMES = ("match", "partial", "none", "unavailable")

Decide = Callable[[Any, Any], Sequence[Event]]
Step = tuple[type[Command] | str, dict[str, Any]]


def step(command_type: type[Command], **choices: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
    chosen = st.fixed_dictionaries({"by": st.sampled_from(PEOPLE), **choices})
    return st.tuples(st.just(command_type), chosen)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("call"), st.fixed_dictionaries({"coded": st.booleans()})),
        st.tuples(
            st.just("registry"), st.fixed_dictionaries({"outcome": st.sampled_from(OUTCOMES)})
        ),
        step(ProvidePersonalData, identity=st.just({"surname": "Beispiel"})),
        step(VerifyIdentity, basis=st.sampled_from(["registry_and_operator"])),
        step(VerifyIdentity, basis=st.just("two_sources"), second_by=st.sampled_from(PEOPLE)),
        step(ContradictIdentity, fields=st.just(["rank"]), reason=st.just("doubt")),
        step(RejectIdentity, reason=st.just("doubt")),
        step(RecordArrival, place=st.just(PLACE)),
        step(
            PlanRendezvous,
            command_id=st.sampled_from(MEETINGS),
            place=st.just(PLACE),
            window_from=st.just(NOW),
            window_to=st.sampled_from([NOW - HOUR, NOW + HOUR]),
            team=st.just("Heron"),
        ),
        step(ApproveRendezvous, rendezvous_id=st.sampled_from(MEETINGS)),
        step(
            DiscloseRendezvous,
            rendezvous_id=st.sampled_from(MEETINGS),
            to_whom=st.just("him"),
            call_id=st.sampled_from(["call-0", "call-1", "call-2"]),
        ),
        step(
            RecordMissed,
            rendezvous_id=st.sampled_from(MEETINGS),
            who=st.just("team"),
            reason=st.just("fog"),
        ),
        step(
            OfferHandover,
            command_id=st.sampled_from(OFFERS),
            team=st.sampled_from(["Heron", "Stork"]),
            deadline_at=st.just(NOW + HOUR),
        ),
        step(
            AcceptHandover,
            offer_id=st.sampled_from(OFFERS),
            team=st.sampled_from(["Heron", "Stork"]),
        ),
        step(
            RecordHandover,
            team=st.sampled_from(["Heron", "Stork"]),
            receipt_number=st.just("R-1"),
            received_at=st.just(NOW),
            head_count=st.integers(0, 2),
        ),
        step(CloseCase, reason=st.sampled_from(["hoax", "withdrew", "handed_over"])),
        step(ReopenCase, reason=st.just("mistake")),
    ),
    max_size=40,
)

# Long random histories rarely get far, so each begins somewhere on a good way.
GOOD_WAY: tuple[Step, ...] = (
    ("call", {"coded": False}),
    (ProvidePersonalData, {"by": PEOPLE[0], "identity": {"surname": "Beispiel"}}),
    ("registry", {"outcome": "match"}),
    (VerifyIdentity, {"by": PEOPLE[0], "basis": "registry_and_operator"}),
    ("call", {"coded": True}),
    (RecordArrival, {"by": PEOPLE[0], "place": PLACE}),
    (
        PlanRendezvous,
        {
            "by": PEOPLE[0],
            "command_id": "meet-1",
            "place": PLACE,
            "window_from": NOW,
            "window_to": NOW + HOUR,
            "team": "Heron",
        },
    ),
    (ApproveRendezvous, {"by": PEOPLE[1], "rendezvous_id": "meet-1"}),
    (
        DiscloseRendezvous,
        {"by": PEOPLE[0], "rendezvous_id": "meet-1", "to_whom": "him", "call_id": "call-4"},
    ),
)


class Town:
    """The three services on one log in memory."""

    def __init__(self) -> None:
        self.intake = desk_for("intake", Fold(IntakeState(), evolve_intake))
        self.verification = desk_for(
            "verification", Fold(verification_state.VerificationState(), verification_state.evolve)
        )
        self.handover = desk_for("handover", Fold(handover.HandoverState(), handover.evolve))
        self._seen: dict[int, int] = {}
        for desk in (self.verification, self.handover):
            desk.writer.log.recorder = self.intake.writer.log.recorder

    def take(self, number: int, what: type[Command] | str, fields: dict[str, Any]) -> None:
        """Takes one step twice, as a redelivery would; the second time nothing is stored."""
        for again in (False, True):
            before = len(self.log())
            try:
                outcome = self._take_once(number, what, dict(fields))
            except RefusedError:
                outcome = None
            if again or outcome is None:
                assert len(self.log()) == before
            if outcome is None:
                return

    def _take_once(
        self, number: int, what: type[Command] | str, fields: dict[str, Any]
    ) -> Outcome | None:
        if what == "call":
            return self._call(number, fields["coded"])
        if what == "registry":
            return self._registry(number, fields["outcome"])
        assert not isinstance(what, str)
        who = {"command_id": f"cmd-{number}", "case_id": CASE}
        if issubclass(what, Decision):
            # A repeated command says what its first copy said, so this is fixed for the step.
            fields.setdefault("seen_version", self._seen.setdefault(number, len(self.log())))
        command = what.model_validate({**who, **fields})
        return self._carry_out(command)

    def _carry_out(self, command: Command) -> Outcome:
        if command.SERVICE == "handover":
            return services.handover.handlers.carry_out(self.handover, command)
        if command.SERVICE == "verification":
            desk = self.verification
            timed = services.verification.handlers.DECISIONS[type(command)]
            decide: Decide = partial(_at_noon, timed)
        else:
            desk = self.intake
            decisions: dict[type[Command], Decide] = {**services.intake.handlers.DECISIONS}
            decisions[ProvidePersonalData] = intake.decide_personal_data
            decisions[CloseCase] = partial(intake.decide_close, _now=NOW, rules=Rules())
            decide = decisions[type(command)]
        return transact(
            desk.writer,
            command.case_id,
            desk.cause_of(command),
            lambda state: decide(state, command),
        )

    def _call(self, number: int, coded: bool) -> Outcome:
        call = intake.IncomingCall(
            message_id=f"message-{number}",
            call_id=f"call-{number}",
            channel="phone",
            caller_keys=(digest("caller"),),
            caller_address=Plain("+380440000000"),
            language="ru",
            started_at=NOW,
            text=None,
            code_hashes=(),
            recording_ref=None,
            media=(),
        )
        route = intake.Route(CASE, "return_code" if coded else "caller")
        decide = partial(intake.decide_call, call=call, route=route)
        return transact(self.intake.writer, CASE, self._cause(self.intake, number), decide)

    def _registry(self, number: int, outcome: str) -> Outcome | None:
        claim = self.verification.writer.log.load(CASE).state.claim
        if claim is None:
            return None
        answer = RegistryChecked.model_validate(
            {"registry": "x", "about_event": claim.event_id, "outcome": outcome, "score": 1}
        )
        decide = partial(verification.decide_registry_answer, answer=answer)
        cause = self._cause(self.verification, number)
        return transact(self.verification.writer, CASE, cause, decide)

    @staticmethod
    def _cause(desk: Desk, number: int) -> Cause:
        return Cause(f"message-{number}", "story", "service:test", desk.source, NOW)

    def log(self) -> list[CaseEvent[Any]]:
        stored = self.intake.writer.log.recorder.select_events(CASE)
        return [read_case_event(one.state) for one in stored]


def _at_noon(
    decide: Callable[[Any, Any, datetime], Sequence[Event]], state: Any, command: Command
) -> Sequence[Event]:
    return decide(state, command, NOW)


def who_is_verified(log: Sequence[CaseEvent[Any]]) -> bool:
    """Says, in the words of the guard table and not of the folds, whether he is verified."""
    verified = False
    for event in log:
        match event.data:
            case IdentityVerified():
                verified = True
            case PersonalDataProvided() | IdentityContradicted() | IdentityRejected():
                verified = False
            case _:
                pass
    return verified


@settings(max_examples=400, deadline=None)
@given(st.integers(0, len(GOOD_WAY)), STEPS)
def test_no_way_leads_to_a_place_or_a_receipt_past_the_guards(
    begun: int, steps: list[Step]
) -> None:
    town = Town()
    for number, (what, fields) in enumerate((*GOOD_WAY[:begun], *steps)):
        town.take(number, what, fields)
    log = town.log()
    assert [event.caseversion for event in log] == list(range(1, len(log) + 1))
    for position, event in enumerate(log):
        before = log[:position]
        if isinstance(event.data, RendezvousDisclosed):
            meeting = event.data.rendezvous_id
            plans = [one.data for one in before if isinstance(one.data, RendezvousPlanned)]
            approvals = [one.data for one in before if isinstance(one.data, RendezvousApproved)]
            assert who_is_verified(before)
            assert plans[-1].rendezvous_id == meeting
            people = {plans[-1].planned_by, *(one.by for one in approvals)}
            assert any(one.rendezvous_id == meeting for one in approvals)
            assert len(people) == 2
        if isinstance(event.data, HandedOver):
            assert any(isinstance(one.data, HandoverAccepted) for one in before)
            assert event.data.head_count >= 1
            assert not any(isinstance(one.data, HandedOver) for one in before)


def test_the_good_way_does_reach_disclosure() -> None:
    town = Town()
    for number, (what, fields) in enumerate(GOOD_WAY):
        town.take(number, what, fields)
    assert isinstance(town.log()[-1].data, RendezvousDisclosed)
