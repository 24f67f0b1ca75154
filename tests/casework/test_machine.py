"""Random people give random commands, on what they saw then or now, while messages wait.

Hypothesis looks for a history that breaks a rule: `passage verify` must find nothing in any that
decisions made, nobody is told a place who mustn't, a duress code rings an alarm, new data leave
nobody verified, and the same again stores nothing new.
"""

from datetime import timedelta
from functools import partial
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from typing_extensions import override

from shared.commands import intake as i
from shared.commands.base import Command, Recorded
from shared.commands.verification import VerifyIdentity
from shared.refusals import RefusedError
from tests.casework.callers import REGISTRY
from tests.casework.rights import verified_in, wrong_in
from tests.casework.town import OLENA, PEOPLE, Desk, Town
from tests.casework.way import (
    ADDRESSES,
    COURSE,
    GOOD_WAY,
    MEMBERS_ADDRESS,
    TWISTS,
    WAY,
    WHO,
    Fields,
    brings,
    fixed,
    goes_on,
)

FORCE = ("he is forced",) * 3 + ("a man with him is forced",) * 3
"""Comes up more often than the rest: it has to be met at every step, not just somewhere."""


def _asked_of(table: dict[type[Command], tuple[Fields, ...]]) -> st.SearchStrategy[Any]:
    return st.sampled_from([(kind, one) for kind, many in table.items() for one in many])


class Casework(RuleBasedStateMachine):
    """The three services, three people, two phones, and whatever comes to their minds."""

    def __init__(self) -> None:
        super().__init__()
        self.town = Town(REGISTRY)
        self.desk = Desk(self.town)
        self.codes: list[str] = []
        self.seen: Command | None = None
        """A command made on what the case was a while ago."""

    def cases(self) -> list[str]:
        return list(self.town.store.cases)

    def meeting(self, case_id: str) -> str:
        rendezvous = self.town.state("handover", case_id).meeting.rendezvous
        return rendezvous.rendezvous_id if rendezvous is not None else "meet-none"

    def offer(self, case_id: str) -> str:
        offer = self.town.state("handover", case_id).meeting.offer
        return offer.offer_id if offer is not None else "offer-none"

    def by_call(self) -> dict[str, str]:
        return {"call_id": f"call-{self.town.calls}"}

    @rule(address=st.sampled_from(ADDRESSES), code=st.integers(0, 5))
    def he_calls(self, address: str, code: int) -> None:
        self.town.call(address, self.codes[code] if code < len(self.codes) else None)

    @initialize(
        as_far_as=st.integers(4, len(GOOD_WAY)),
        skipped=st.integers(0, 2 * len(GOOD_WAY)),
        twist=st.sampled_from(("none", *TWISTS, *FORCE)),
        at=st.integers(2, 8),
        member=st.sampled_from(("none", "cleared", "unknown")),
    )
    def a_man_goes_his_way(
        self, as_far_as: int, skipped: int, twist: str, at: int, member: str
    ) -> None:
        """Long random histories rarely get far: each begins on a good way, with a step left out
        or a thing that comes in between."""
        case_id = self.town.call(ADDRESSES[0]).case_id
        self.ask(i.IssueReturnCode, fixed(), case_id, OLENA)
        self.town.call(ADDRESSES[1], self.codes[0])
        if member != "none":
            brings(self, case_id, MEMBERS_ADDRESS, is_cleared=member == "cleared")
        for number, (kind, fields, by) in enumerate(GOOD_WAY[:as_far_as]):
            if number == at and twist in TWISTS:
                TWISTS[twist](self, case_id)
                self.town.settle()
            if number != skipped:
                self.ask(kind, fields, case_id, by)
            self.town.settle()

    @rule(twist=st.sampled_from((*TWISTS, *FORCE)), heard=st.booleans())
    def somebody_goes_on_whatever_comes_in_between(self, twist: str, heard: bool) -> None:
        TWISTS[twist](self, self.cases()[0])
        if heard:
            self.town.settle()
        goes_on(self, self.cases()[0])

    @rule(step=st.integers(0, len(GOOD_WAY) - 1), by=st.sampled_from(PEOPLE))
    def somebody_goes_on(self, step: int, by: str) -> None:
        kind, fields, _ = GOOD_WAY[step]
        self.ask(kind, fields, self.cases()[0], by)
        self.town.settle()

    @rule(
        asked=st.one_of(_asked_of(WHO), _asked_of(WAY), _asked_of(WAY), _asked_of(COURSE)),
        by=st.sampled_from(PEOPLE),
        case=st.sampled_from((0, 0, 0, 1, 2)),
        crash=st.sampled_from(("none", "none", "before", "after")),
    )
    def somebody_asks(self, asked: Any, by: str, case: int, crash: str) -> None:
        kind, fields = asked
        self.ask(kind, fields, self.cases()[case % len(self.cases())], by, crash)

    def ask(
        self, kind: type[Command], fields: Fields, case_id: str, by: str, crash: str = "none"
    ) -> None:
        command = self.desk.command(kind, case_id, by, **fields(self, case_id))
        self.seen = self.seen or command
        self.town.store.crashes[:] = [crash]
        self._carry_out(command)
        self.town.store.crashes.clear()
        recorded = len(self.town.log)
        self._carry_out(command)
        assert len(self.town.log) == recorded, "the same command again stored something"

    def _carry_out(self, command: Command) -> None:
        try:
            answer = self.town.until_done(partial(self.town.ask, command))
        except RefusedError:
            return
        if isinstance(command, VerifyIdentity):
            assert command.case_id in verified_in(self.town.log), "taken for verified, and isn't"
        if isinstance(answer, Recorded) and answer.return_code not in self.codes:
            self.codes += [str(answer.return_code), str(answer.duress_code)]

    @precondition(lambda self: self.seen is not None)
    @rule()
    def somebody_decides_on_what_he_saw_a_while_ago(self) -> None:
        assert self.seen is not None
        later = self.seen.model_copy(update={"command_id": f"late-{self.desk.asked}"})
        self.seen = None
        self._carry_out(later)

    @precondition(lambda self: self.town.hear())
    @rule(position=st.integers(0, 9), again=st.booleans())
    def a_service_hears_of_something(self, position: int, again: bool) -> None:
        self.town.deliver(position % len(self.town.waiting), keep=again)

    @rule(minutes=st.sampled_from((1, 6, 31, 200, 1500)))
    def time_passes(self, minutes: int) -> None:
        self.town.pass_time(timedelta(minutes=minutes))

    @rule()
    def a_service_starts_anew(self) -> None:
        self.town.forget()

    @invariant()
    def no_rule_is_broken(self) -> None:
        assert self.town.broken() == []

    @override
    def teardown(self) -> None:
        self.town.settle()
        assert self.town.broken() == []
        assert wrong_in(self.town) == []
        settled = len(self.town.log)
        for event in self.town.log[-12:]:
            self.town.hear_again(event)
        self.town.settle()
        assert len(self.town.log) == settled, "a message that came again stored something"


TestCasework = Casework.TestCase
TestCasework.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
