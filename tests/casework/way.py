"""What people ask about a man: who he is, his way, the case's course; and a good way through it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Protocol

from shared.commands import handover as h
from shared.commands import intake as i
from shared.commands import verification as v
from shared.commands.base import Command
from tests.casework.callers import REGISTRY
from tests.casework.town import HOUR, OLENA, PETRO, PLACE, TEAMS, Desk, Town


class Machine(Protocol):
    """What the fields of a command are made from."""

    town: Town
    desk: Desk
    codes: list[str]
    """The codes that were issued, each followed by its duress twin."""

    def ask(
        self, kind: type[Command], fields: "Fields", case_id: str, by: str, crash: str = "none"
    ) -> None:
        """Somebody asks for something, and once more for the very same."""

    def cases(self) -> list[str]:
        """The case numbers."""

    def meeting(self, case_id: str) -> str:
        """The rendezvous planned last."""

    def offer(self, case_id: str) -> str:
        """The offer made last."""

    def by_call(self) -> dict[str, str]:
        """The last call."""


Fields = Callable[[Machine, str], dict[str, Any]]
ADDRESSES = ("+380440000001", "+380440000002")
GUARDS = ("identity_verified", "credibility_allows", "group_cleared", "no_hold")
HIS_CALL = {"call_id": "call-2"}
"""His second call, in which he gave his code."""
IN_GROUP = {"party": "group", "declared_size": 2}


def fixed(**fields: Any) -> Fields:
    """The same fields whenever it is asked."""
    return lambda _machine, _case_id: fields


def _planned(machine: Machine, _case_id: str) -> dict[str, Any]:
    return {"place": PLACE, "team": TEAMS[0], **machine.desk.window()}


def _replanned(machine: Machine, case_id: str) -> dict[str, Any]:
    replaces = machine.meeting(case_id)
    return {**_planned(machine, case_id), "replaces": replaces, "reason": "fog"}


def _meeting(**fields: Any) -> Fields:
    return lambda machine, case_id: {"rendezvous_id": machine.meeting(case_id), **fields}


def _told(machine: Machine, case_id: str) -> dict[str, Any]:
    return {"rendezvous_id": machine.meeting(case_id), "to_whom": "him", **machine.by_call()}


def _offer(machine: Machine, _case_id: str) -> dict[str, Any]:
    return {"team": TEAMS[0], "deadline_at": machine.town.now + HOUR}


def _answer(**fields: Any) -> Fields:
    return lambda machine, case_id: {"offer_id": machine.offer(case_id), **fields}


def _receipt(machine: Machine, _case_id: str) -> dict[str, Any]:
    receipt = {"receipt_number": "R-1", "received_at": machine.town.now}
    return {"team": TEAMS[0], "head_count": 2, **receipt}


def _group_receipt(machine: Machine, case_id: str) -> dict[str, Any]:
    awaited = machine.town.state("handover", case_id).party.awaited - {""}
    return {**_receipt(machine, case_id), "received": sorted(awaited) or [case_id]}


def until(hours: int, **fields: Any) -> Fields:
    """The fields, with an end that many hours ahead."""
    return lambda machine, _case_id: {
        "expires_at": machine.town.now + hours * HOUR,
        **fields,
    }


def _other(name: str, **fields: Any) -> Fields:
    return lambda machine, _case_id: {name: machine.cases()[0], **fields}


WHO: dict[type[Command], tuple[Fields, ...]] = {
    i.ProvidePersonalData: tuple(
        fixed(identity={"surname": name, "service_number": "AB-1"}) for name in REGISTRY
    ),
    v.VerifyIdentity: (
        fixed(basis="registry_and_operator"),
        fixed(basis="two_sources", second_by=PETRO),
    ),
    v.ContradictIdentity: (fixed(fields=["rank"], reason="doubt"),),
    v.RejectIdentity: (fixed(reason="doubt"),),
    v.AssessCredibility: tuple(
        until(5, level=one, indicators="calm") for one in ("credible", "doubtful", "hostile")
    ),
    v.OpenReview: (fixed(remark="another voice"),),
    v.ResolveReview: (
        fixed(outcome="decision_stands", remark="it is he"),
        fixed(outcome="decision_withdrawn", remark="it isn't"),
    ),
    h.UseEmergencyOverride: tuple(
        until(hours, guard=one, reason="wounded", second_by=PETRO)
        for one in GUARDS
        for hours in (2, 25)
    ),
}
WAY: dict[type[Command], tuple[Fields, ...]] = {
    h.RecordArrival: (fixed(place=PLACE, companions=1),),
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
    h.ResolveDiscrepancy: (fixed(explanation="counted twice", second_by=PETRO),),
    h.RecordCustody: (
        lambda machine, _case_id: {"custody": "arrived_at_camp", "changed_at": machine.town.now},
    ),
    h.GiveExchangeConsent: (fixed(language="ru", wording="1", witness=PETRO),),
    h.WithdrawExchangeConsent: (fixed(witness=PETRO),),
    h.RecordExchange: (lambda machine, _case_id: {"exchanged_at": machine.town.now},),
}
COURSE: dict[type[Command], tuple[Fields, ...]] = {
    i.ClaimCase: (fixed(),),
    i.TakeOverCase: (fixed(reason="gone"),),
    i.ReleaseCase: (fixed(),),
    i.IssueReturnCode: (fixed(),),
    i.ClearDuress: (fixed(reason="he is alone"),),
    i.SetContactRule: (fixed(rule="yes"), fixed(rule="never")),
    i.SendMessage: (fixed(channel="phone", text="call us"),),
    i.DeclareSurrender: (fixed(**IN_GROUP),),
    i.FormGroup: (fixed(declared_size=2),),
    i.JoinGroup: (_other("member_case"),),
    i.LeaveGroup: (_other("member_case", reason="separated"),),
    i.LinkCases: (_other("other_case", basis="name", reason="alike"),),
    i.UnlinkCases: (_other("other_case", reason="not alike"),),
    i.CloseCase: (fixed(reason="withdrew"), fixed(reason="hoax", second_by=PETRO)),
    i.ReopenCase: (fixed(reason="mistake"),),
    i.ErasePersonalData: (fixed(legal_basis="request_of_person", reference="letter"),),
}


GOOD_WAY: tuple[tuple[type[Command], Fields, str], ...] = (
    (i.ProvidePersonalData, WHO[i.ProvidePersonalData][0], OLENA),
    (v.VerifyIdentity, fixed(basis="registry_and_operator"), PETRO),
    (h.RecordArrival, WAY[h.RecordArrival][0], OLENA),
    (h.PlanRendezvous, _planned, OLENA),
    (h.ApproveRendezvous, _meeting(), PETRO),
    (h.DiscloseRendezvous, lambda m, c: {**_meeting(to_whom="him")(m, c), **HIS_CALL}, OLENA),
    (h.GiveGuidance, fixed(step=PLACE, **HIS_CALL), OLENA),
    (h.OfferHandover, _offer, OLENA),
    (h.AcceptHandover, _answer(team=TEAMS[0]), OLENA),
    (h.RecordGroupHandover, _group_receipt, OLENA),
    (h.RecordHandover, _receipt, OLENA),
    (h.RecordCustody, WAY[h.RecordCustody][0], OLENA),
    (h.GiveExchangeConsent, WAY[h.GiveExchangeConsent][0], OLENA),
    (h.RecordExchange, WAY[h.RecordExchange][0], OLENA),
)
"""From his personal data to his exchange; a single man's steps and a group's."""


Twist = Callable[[Machine, str], None]
TELLING = GOOD_WAY[4:8]
"""To approve, to disclose, to guide, and to ask a team to come."""
MEMBERS_ADDRESS, STRANGERS_ADDRESS = "+380440000003", "+380440000004"
A_WHILE = timedelta(minutes=90)
"""Longer than an override of an hour, shorter than until a window of now has ended."""


def brings(machine: Machine, case_id: str, address: str, *, is_cleared: bool) -> str:
    """Another man is with him, on the roll of his group; gives that man's case."""
    member = machine.town.call(address).case_id
    machine.ask(i.FormGroup, fixed(declared_size=2), case_id, OLENA)
    machine.ask(i.JoinGroup, fixed(member_case=member), case_id, OLENA)
    for kind, fields, by in GOOD_WAY[:2] if is_cleared else ():
        machine.ask(kind, fields, member, by)
        machine.town.settle()
    return member


def goes_on(machine: Machine, case_id: str) -> None:
    """Somebody tells him what there is to tell, in the call of his code, and sends a team; then
    of a new place."""
    for kind, fields, by in (*TELLING, *GOOD_WAY[3:4], *TELLING):
        machine.ask(kind, fields, case_id, by)


def _recorded(kind: type[Command], fields: Fields) -> Twist:
    def happens(machine: Machine, case_id: str) -> None:
        machine.ask(kind, fields, case_id, PETRO)

    return happens


def _says_he_is(surname: str) -> Twist:
    said = fixed(identity={"surname": surname, "service_number": "AB-1"})
    return _recorded(i.ProvidePersonalData, said)


def _is_forced(machine: Machine, _case_id: str) -> None:
    machine.town.call(ADDRESSES[1], machine.codes[1])


def _is_forced_with_him(machine: Machine, case_id: str) -> None:
    member = brings(machine, case_id, STRANGERS_ADDRESS, is_cleared=True)
    issued = len(machine.codes)
    machine.ask(i.IssueReturnCode, fixed(), member, OLENA)
    if len(machine.codes) > issued:
        machine.town.call(STRANGERS_ADDRESS, machine.codes[-1])


def _brings_a_stranger(machine: Machine, case_id: str) -> None:
    brings(machine, case_id, STRANGERS_ADDRESS, is_cleared=False)


def _was_set_aside(guard: str, doubt: Twist) -> Twist:
    """Two people answered for it for an hour, and that is over."""
    agreed = until(1, guard=guard, reason="wounded", second_by=PETRO)

    def happens(machine: Machine, case_id: str) -> None:
        machine.ask(h.UseEmergencyOverride, agreed, case_id, OLENA)
        doubt(machine, case_id)
        machine.town.settle()
        machine.town.pass_time(A_WHILE)

    return happens


_IS_DOUBTED = _recorded(v.AssessCredibility, until(5, level="doubtful", indicators="x"))
_IS_HOSTILE = _recorded(v.AssessCredibility, until(5, level="hostile", indicators="x"))
_IS_LOOKED_AT = _recorded(v.OpenReview, WHO[v.OpenReview][0])

TWISTS: dict[str, Twist] = {
    "he gives the same data anew": _says_he_is("Beispiel"),
    "he gives data that agree in part": _says_he_is("Vzorov"),
    "he gives data that nobody knows": _says_he_is("Nikto"),
    "he is contradicted": _recorded(v.ContradictIdentity, WHO[v.ContradictIdentity][0]),
    "he is doubted": _IS_DOUBTED,
    "he is looked at again": _IS_LOOKED_AT,
    "he wants it erased": _recorded(i.ErasePersonalData, COURSE[i.ErasePersonalData][0]),
    "he wants no exchange": _recorded(h.WithdrawExchangeConsent, WAY[h.WithdrawExchangeConsent][0]),
    "he is forced": _is_forced,
    "a man with him is forced": _is_forced_with_him,
    "who he is was set aside": _was_set_aside("identity_verified", _says_he_is("Nikto")),
    "hostility was set aside": _was_set_aside("credibility_allows", _IS_HOSTILE),
    "a stranger was set aside": _was_set_aside("group_cleared", _brings_a_stranger),
    "a review was set aside": _was_set_aside("no_hold", _IS_LOOKED_AT),
}
