"""handover's handlers on a log in memory: groups, lost men, timers; each once, however often."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pytest

from services.handover import CASES, handlers
from services.handover.deadlines import Spans
from services.handover.main import deadlines_of
from services.handover.reactions import REACTIONS, Handover
from services.handover.state import HandoverState, evolve
from shared.commands.base import Command, Decision
from shared.events.base import Event
from shared.log.case_log import Fold
from shared.log.transact import Outcome
from shared.refusals import RefusedError
from shared.settings import Settings
from shared.skeleton.due import spans_of
from shared.skeleton.reactions import react
from tests import examples as e
from tests.contexts import NOW, MemoryTimers, context_for, events_of, record
from tests.handover.cases import (
    ACCEPTED,
    APPROVE,
    ARRIVED,
    DISCLOSED,
    GROUP_RECEIPT,
    HOUR,
    LED,
    OFFER,
    PLANNED,
    counted,
)


@dataclass
class Hotline:
    """handover's handlers on a log in memory, its timers, and a clock that a test sets."""

    now: datetime = NOW
    timers: MemoryTimers = field(default_factory=MemoryTimers)

    def __post_init__(self) -> None:
        context = context_for("handover", Fold(HandoverState(), evolve))
        self.context = replace(context, now=lambda: self.now)
        self.deadlines = deadlines_of(self.context, self.timers, spans_of(Spans, Settings()))
        self.handover = Handover(self.context, self.deadlines)

    def record(self, *events: Event, case_id: str = e.CASE) -> None:
        record(self.context.writer, *events, case_id=case_id, at=self.now)

    def carry_out(self, command: Command, **fields: Any) -> Outcome:
        seen = {"seen_version": len(self.types())} if isinstance(command, Decision) else {}
        return handlers.carry_out(self.context, command.model_copy(update={**seen, **fields}))

    def receive(self, type_name: str = "", case_id: str = e.CASE) -> Outcome:
        """Hands the last event, or the last of a type, to handover as CASES does."""
        events = events_of(self.context.writer.log, case_id)
        found = [one for one in events if one.subject.endswith(type_name)]
        return react(REACTIONS, self.handover, found[-1])

    def fire(self) -> list[Outcome]:
        return [self.deadlines.receive(one) for one in self.timers.due("handover", self.now)]

    def types(self, case_id: str = e.CASE) -> list[str]:
        return list(self.context.writer.log.load(case_id).types_after(0))


@pytest.fixture
def hotline() -> Hotline:
    return Hotline()


def test_the_same_command_twice_stores_nothing_new(hotline: Hotline) -> None:
    hotline.record(*DISCLOSED)
    command = OFFER.model_copy(update={"seen_version": len(DISCLOSED)})
    for expected in ("recorded", "repeated"):
        assert handlers.carry_out(hotline.context, command).result == expected
    assert hotline.types().count("HandoverOffered") == 1


def test_a_group_receipt_reaches_each_log_once_even_when_redelivered(hotline: Hotline) -> None:
    hotline.record(e.case_opened(), case_id=e.OTHER_CASE)
    hotline.record(*ACCEPTED, *LED)
    assert hotline.carry_out(GROUP_RECEIPT).events == ("GroupHandedOver",)
    assert [hotline.receive("GroupHandedOver").result for _ in range(2)] == ["recorded", "repeated"]
    assert hotline.types(e.OTHER_CASE) == ["CaseOpened", "HandedOver"]
    assert hotline.types()[-2:] == ["GroupHandedOver", "HandedOver"]


def test_a_crash_between_two_members_is_healed_by_the_redelivery(hotline: Hotline) -> None:
    hotline.record(*ACCEPTED, *LED)
    hotline.carry_out(GROUP_RECEIPT)
    hotline.receive("GroupHandedOver")  # The other case isn't known here yet: nothing for it.
    hotline.record(e.case_opened(), case_id=e.OTHER_CASE)
    hotline.receive("GroupHandedOver")
    assert hotline.types(e.OTHER_CASE) == ["CaseOpened", "HandedOver"]
    assert hotline.types().count("HandedOver") == 1


def test_the_receipt_and_its_discrepancy_are_one_append(hotline: Hotline) -> None:
    hotline.record(*ACCEPTED, *LED, counted(12))
    done = hotline.carry_out(GROUP_RECEIPT)
    assert done.events == ("GroupHandedOver", "HandoverDiscrepancyRaised")


def test_a_group_is_cleared_by_the_logs_of_its_cases(hotline: Hotline) -> None:
    hotline.record(*PLANNED, *LED)
    hotline.record(e.case_opened(), e.personal_data_provided(), case_id=e.OTHER_CASE)
    with pytest.raises(RefusedError, match="group_cleared"):
        hotline.carry_out(APPROVE)
    hotline.record(e.identity_verified(), case_id=e.OTHER_CASE)
    assert hotline.carry_out(APPROVE).events == ("RendezvousApproved",)


def test_each_attempt_reads_the_group_s_cases_anew(hotline: Hotline) -> None:
    hotline.record(*PLANNED, *LED)
    hotline.record(e.case_opened(), e.personal_data_provided(), case_id=e.OTHER_CASE)
    attempts = []

    def verified_between_two_attempts() -> datetime:
        """The clock is read once for the cause, then in each attempt, after the members."""
        attempts.append(hotline.types(e.OTHER_CASE))
        if len(attempts) == 2:
            hotline.record(e.identity_verified(), case_id=e.OTHER_CASE)
        return NOW

    context = replace(hotline.context, now=verified_between_two_attempts)
    command = APPROVE.model_copy(update={"seen_version": len(hotline.types())})
    assert handlers.carry_out(context, command).events == ("RendezvousApproved",)
    assert len(attempts) == 3


def test_a_call_from_a_lost_man_regains_him_once(hotline: Hotline) -> None:
    hotline.record(*ARRIVED, e.contact_lost(), e.call_linked("call-3"))
    assert [hotline.receive("CallLinked").result for _ in range(2)] == ["recorded", "repeated"]
    assert hotline.types()[-1] == "ContactRegained"
    assert hotline.types().count("ContactRegained") == 1


def test_a_call_from_a_man_who_is_not_lost_is_only_a_call(hotline: Hotline) -> None:
    hotline.record(*ARRIVED)
    assert hotline.receive("CallLinked").result == "ignored"


def test_silence_is_said_three_times_and_starts_anew_with_a_call(hotline: Hotline) -> None:
    hotline.record(*ARRIVED)
    hotline.receive("ArrivedInUkraine")
    for hours in (7, 13, 73):
        hotline.now = NOW + hours * HOUR
        assert [one.events for one in hotline.fire()] == [("FollowUpOverdue",)]
    assert hotline.fire() == []
    hotline.record(e.call_linked("call-3"))
    hotline.receive("CallLinked")
    hotline.now += 7 * HOUR
    assert [one.events for one in hotline.fire()] == [("FollowUpOverdue",)]


def test_late_by_days_each_deadline_is_recorded_once(hotline: Hotline) -> None:
    hotline.record(*ARRIVED)
    hotline.deadlines.set_anew()
    hotline.now += 100 * HOUR
    assert [one.events for one in hotline.fire()] == [("FollowUpOverdue",)] * 3
    hotline.timers.set_now.clear()
    hotline.deadlines.set_anew()
    assert hotline.fire() == []


def test_a_deadline_that_was_met_records_nothing(hotline: Hotline) -> None:
    hotline.record(*DISCLOSED, e.handover_offered())
    hotline.receive("HandoverOffered")
    hotline.record(e.handed_over())
    hotline.now += 100 * HOUR
    assert {one.result for one in hotline.fire()} == {"ignored"}


def test_all_that_makes_a_deadline_is_consumed() -> None:
    consumed = {one.rpartition(".")[2] for one in CASES.filter_subjects}
    sets = {"ArrivedInUkraine", "RendezvousPlanned", "HandoverOffered", "CustodyChanged"}
    assert sets <= consumed
    assert type(e.rendezvous_disclosed()).__name__ not in consumed
