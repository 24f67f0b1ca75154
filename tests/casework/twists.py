"""What comes in between on a man's way: doubts, force, and guards set aside until a while ago.

Each is something that may happen at any time; whoever goes on with him afterwards, as if nothing
had, has to be refused where a guard asks about it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from shared.commands import handover as h
from shared.commands import intake as i
from shared.commands import verification as v
from shared.commands.base import Command
from tests.casework.asking import OLENA, PETRO
from tests.casework.way import ADDRESSES, COURSE, GOOD_WAY, WAY, WHO, Fields, Machine, fixed, until

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
