"""Random people give random commands, on what they saw then or now, while messages wait.

Hypothesis looks for a history that breaks a rule: `passage verify` must find nothing in any that
decisions made, nobody is told a place who mustn't, and the same again stores nothing new.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from shared.commands import handover as h
from shared.commands import intake as i
from shared.commands import verification as v
from shared.commands.base import Command, Recorded
from shared.refusals import RefusedError
from tests.casework.asking import HOUR, OLENA, PEOPLE, PETRO, PLACE, TEAMS, Desk
from tests.casework.callers import REGISTRY
from tests.casework.rights import wrongly_told
from tests.casework.town import Town

Fields = Callable[["Casework", str], dict[str, Any]]
ADDRESSES = ("+380440000001", "+380440000002")
GUARDS = ("identity_verified", "credibility_allows", "group_cleared", "no_hold")
HIS_CALL = {"call_id": "call-2"}
"""His second call, in which he gave his code."""
IN_GROUP = {"party": "group", "declared_size": 2}


def _fixed(**fields: Any) -> Fields:
    return lambda _machine, _case_id: fields


def _planned(machine: Casework, _case_id: str) -> dict[str, Any]:
    return {"place": PLACE, "team": TEAMS[0], **machine.desk.window()}


def _replanned(machine: Casework, case_id: str) -> dict[str, Any]:
    replaces = machine.meeting(case_id)
    return {**_planned(machine, case_id), "replaces": replaces, "reason": "fog"}


def _meeting(**fields: Any) -> Fields:
    return lambda machine, case_id: {"rendezvous_id": machine.meeting(case_id), **fields}


def _told(machine: Casework, case_id: str) -> dict[str, Any]:
    return {"rendezvous_id": machine.meeting(case_id), "to_whom": "him", **machine.by_call()}


def _offer(machine: Casework, _case_id: str) -> dict[str, Any]:
    return {"team": TEAMS[0], "deadline_at": machine.town.now + HOUR}


def _answer(**fields: Any) -> Fields:
    return lambda machine, case_id: {"offer_id": machine.offer(case_id), **fields}


def _receipt(machine: Casework, _case_id: str) -> dict[str, Any]:
    receipt = {"receipt_number": "R-1", "received_at": machine.town.now}
    return {"team": TEAMS[0], "head_count": 2, **receipt}


def _group_receipt(machine: Casework, case_id: str) -> dict[str, Any]:
    awaited = machine.town.state("handover", case_id).party.awaited - {""}
    return {**_receipt(machine, case_id), "received": sorted(awaited) or [case_id]}


def _until(hours: int, **fields: Any) -> Fields:
    return lambda machine, _case_id: {
        "expires_at": machine.town.now + hours * HOUR,
        **fields,
    }


def _other(name: str, **fields: Any) -> Fields:
    return lambda machine, _case_id: {name: machine.cases()[0], **fields}


WHO: dict[type[Command], tuple[Fields, ...]] = {
    i.ProvidePersonalData: tuple(
        _fixed(identity={"surname": name, "service_number": "AB-1"}) for name in REGISTRY
    ),
    v.VerifyIdentity: (
        _fixed(basis="registry_and_operator"),
        _fixed(basis="two_sources", second_by=PETRO),
    ),
    v.ContradictIdentity: (_fixed(fields=["rank"], reason="doubt"),),
    v.RejectIdentity: (_fixed(reason="doubt"),),
    v.AssessCredibility: tuple(
        _until(5, level=one, indicators="calm") for one in ("credible", "doubtful", "hostile")
    ),
    v.OpenReview: (_fixed(remark="another voice"),),
    v.ResolveReview: (
        _fixed(outcome="decision_stands", remark="it is he"),
        _fixed(outcome="decision_withdrawn", remark="it isn't"),
    ),
    h.UseEmergencyOverride: tuple(
        _until(hours, guard=one, reason="wounded", second_by=PETRO)
        for one in GUARDS
        for hours in (2, 25)
    ),
}
WAY: dict[type[Command], tuple[Fields, ...]] = {
    h.RecordArrival: (_fixed(place=PLACE, companions=1),),
    h.PlanRendezvous: (_planned,),
    h.ReplanRendezvous: (_replanned,),
    h.ApproveRendezvous: (_meeting(),),
    h.CancelRendezvous: (_meeting(reason="fog"),),
    h.RecordMissed: (_meeting(who="team", reason="fog"),),
    h.DiscloseRendezvous: (_told,),
    h.GiveGuidance: (lambda machine, _case_id: {"step": PLACE, **machine.by_call()},),
    h.OfferHandover: (_offer,),
    h.AcceptHandover: (_answer(team=TEAMS[0]), _answer(team=TEAMS[1])),
    h.RefuseHandover: (_answer(team=TEAMS[0], reason="no car"),),
    h.WithdrawHandover: (_answer(reason="fog"),),
    h.RecordHandover: (_receipt,),
    h.RecordGroupHandover: (_group_receipt,),
    h.ResolveDiscrepancy: (_fixed(explanation="counted twice", second_by=PETRO),),
    h.RecordCustody: (
        lambda machine, _case_id: {"custody": "arrived_at_camp", "changed_at": machine.town.now},
    ),
    h.GiveExchangeConsent: (_fixed(language="ru", wording="1", witness=PETRO),),
    h.WithdrawExchangeConsent: (_fixed(witness=PETRO),),
    h.RecordExchange: (lambda machine, _case_id: {"exchanged_at": machine.town.now},),
}
COURSE: dict[type[Command], tuple[Fields, ...]] = {
    i.ClaimCase: (_fixed(),),
    i.TakeOverCase: (_fixed(reason="gone"),),
    i.ReleaseCase: (_fixed(),),
    i.IssueReturnCode: (_fixed(),),
    i.ClearDuress: (_fixed(reason="he is alone"),),
    i.SetContactRule: (_fixed(rule="yes"), _fixed(rule="never")),
    i.SendMessage: (_fixed(channel="phone", text="call us"),),
    i.DeclareSurrender: (_fixed(**IN_GROUP),),
    i.FormGroup: (_fixed(declared_size=2),),
    i.JoinGroup: (_other("member_case"),),
    i.LeaveGroup: (_other("member_case", reason="separated"),),
    i.LinkCases: (_other("other_case", basis="name", reason="alike"),),
    i.UnlinkCases: (_other("other_case", reason="not alike"),),
    i.CloseCase: (_fixed(reason="withdrew"), _fixed(reason="hoax", second_by=PETRO)),
    i.ReopenCase: (_fixed(reason="mistake"),),
    i.ErasePersonalData: (_fixed(legal_basis="request_of_person", reference="letter"),),
}


GOOD_WAY: tuple[tuple[type[Command], Fields, str], ...] = (
    (i.ProvidePersonalData, WHO[i.ProvidePersonalData][0], OLENA),
    (v.VerifyIdentity, _fixed(basis="registry_and_operator"), PETRO),
    (h.RecordArrival, WAY[h.RecordArrival][0], OLENA),
    (h.PlanRendezvous, _planned, OLENA),
    (h.ApproveRendezvous, _meeting(), PETRO),
    (h.DiscloseRendezvous, lambda m, c: {**_meeting(to_whom="him")(m, c), **HIS_CALL}, OLENA),
    (h.OfferHandover, _offer, OLENA),
    (h.AcceptHandover, _answer(team=TEAMS[0]), OLENA),
    (h.RecordGroupHandover, _group_receipt, OLENA),
    (h.RecordHandover, _receipt, OLENA),
    (h.RecordCustody, WAY[h.RecordCustody][0], OLENA),
    (h.GiveExchangeConsent, WAY[h.GiveExchangeConsent][0], OLENA),
    (h.RecordExchange, WAY[h.RecordExchange][0], OLENA),
)
"""From his personal data to his exchange; a single man's steps and a group's."""


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

    @initialize(as_far_as=st.integers(0, len(GOOD_WAY)), in_group=st.booleans())
    def a_man_goes_his_way(self, as_far_as: int, in_group: bool) -> None:
        """Long random histories rarely get far, so each begins somewhere on a good way."""
        case_id = self.town.call(ADDRESSES[0]).case_id
        self._ask(i.IssueReturnCode, _fixed(), case_id, OLENA)
        self.town.call(ADDRESSES[1], self.codes[0])
        if in_group:
            member = self.town.call("+380440000003").case_id
            self._ask(i.FormGroup, _fixed(declared_size=2), case_id, OLENA)
            self._ask(i.JoinGroup, _fixed(member_case=member), case_id, OLENA)
            for kind, fields, by in GOOD_WAY[:2]:
                self._ask(kind, fields, member, by)
                self.town.settle()
        for kind, fields, by in GOOD_WAY[:as_far_as]:
            self._ask(kind, fields, case_id, by)
            self.town.settle()

    @rule(step=st.integers(0, len(GOOD_WAY) - 1), by=st.sampled_from(PEOPLE))
    def somebody_goes_on(self, step: int, by: str) -> None:
        kind, fields, _ = GOOD_WAY[step]
        self._ask(kind, fields, self.cases()[0], by)
        self.town.settle()

    @rule(
        asked=st.one_of(_asked_of(WHO), _asked_of(WAY), _asked_of(WAY), _asked_of(COURSE)),
        by=st.sampled_from(PEOPLE),
        case=st.sampled_from((0, 0, 0, 1, 2)),
        crash=st.sampled_from(("none", "none", "before", "after")),
    )
    def somebody_asks(self, asked: Any, by: str, case: int, crash: str) -> None:
        kind, fields = asked
        self._ask(kind, fields, self.cases()[case % len(self.cases())], by, crash)

    def _ask(
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

    def teardown(self) -> None:
        self.town.settle()
        assert self.town.broken() == []
        assert wrongly_told(self.town.log) == []
        settled = len(self.town.log)
        for event in self.town.log[-12:]:
            self.town.hear_again(event)
        self.town.settle()
        assert len(self.town.log) == settled, "a message that came again stored something"


TestCasework = Casework.TestCase
TestCasework.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
