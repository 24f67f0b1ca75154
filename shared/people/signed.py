"""Which commands need signatures, and from whom: the one table.

A second person is never just a name: whoever a command names as `second_by` signs it, too. Who may
sign a command is whoever may give it (`shared.people.roles`).
"""

from collections.abc import Callable, Collection, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from shared.commands import handover as of_handover
from shared.commands import intake as of_intake
from shared.commands import people as of_people
from shared.commands import shifts as of_shifts
from shared.commands import verification as of_verification
from shared.commands.base import Command
from shared.events import handover, intake, people, shifts, verification
from shared.events.base import Event
from shared.events.signatures import Signature
from shared.people.roles import TAKING_CALLS, Role, roles_for
from shared.people.state import PersonState

NEED_TWO = frozenset({"hoax", "infiltration"})
"""Reasons for closing a case that cut a man off."""


class Asked(NamedTuple):
    """How many people must sign."""

    people: int
    among: Role | None = None
    """A role that one of them must have."""


NOBODY = Asked(0)
ONE = Asked(1)
TWO = Asked(2)
A_SUPERVISOR = Asked(1, "supervisor")
TWO_WITH_SUPERVISOR = Asked(2, "supervisor")


class Known(Protocol):
    """People as the log has them now."""

    def person(self, account: str) -> PersonState: ...

    def several_sign(self) -> bool:
        """Whether two people ever held keys: from then on there is somebody else to agree."""
        ...


class Signed(NamedTuple):
    records: tuple[type[Event], ...]
    """What is recorded with the signatures."""
    asked: Callable[[Any, Known], Asked]
    others: frozenset[Role] = frozenset()
    """Roles of which one is enough for whoever signs second, beside those that may give it."""

    @property
    def hidden(self) -> frozenset[str]:
        """Fields that may be personal: they are signed as digests."""
        return frozenset(name for event in self.records for name in event.PERSONAL)


def _always(asked: Asked) -> Callable[[Any, Known], Asked]:
    return lambda _command, _known: asked


def _to_close(command: of_intake.CloseCase, _known: Known) -> Asked:
    if command.second_by is not None:
        return TWO
    return A_SUPERVISOR if command.reason in NEED_TWO else NOBODY


def _to_verify(command: of_verification.VerifyIdentity, _known: Known) -> Asked:
    return NOBODY if command.second_by is None else TWO


def _to_grant(command: of_people.GrantRole, _known: Known) -> Asked:
    return TWO_WITH_SUPERVISOR if command.role == "supervisor" else A_SUPERVISOR


def _to_enrol(command: of_people.OfferEnrolment, known: Known) -> Asked:
    """Whoever offers a key could use it himself, and be two people. A hotline begins with one."""
    had_keys = bool(known.person(account_of(command.case_id)).keys)
    return TWO_WITH_SUPERVISOR if had_keys or known.several_sign() else A_SUPERVISOR


def account_of(log_id: str) -> str:
    """Whose log it is."""
    return log_id.removeprefix(people.OF_PEOPLE)


SIGNED: Mapping[type[Command], Signed] = MappingProxyType(
    {
        of_handover.ApproveRendezvous: Signed((handover.RendezvousApproved,), _always(ONE)),
        of_handover.DiscloseRendezvous: Signed((handover.RendezvousDisclosed,), _always(TWO)),
        of_handover.UseEmergencyOverride: Signed((handover.EmergencyOverrideUsed,), _always(TWO)),
        of_handover.ResolveDiscrepancy: Signed(
            (handover.HandoverDiscrepancyResolved,), _always(TWO)
        ),
        of_intake.ErasePersonalData: Signed(
            (intake.PersonalDataErased, intake.ErasureRequested), _always(TWO_WITH_SUPERVISOR)
        ),
        of_intake.CloseCase: Signed((intake.CaseClosed,), _to_close),
        # Whoever clears an alarm that nobody else sees could send a team into a trap.
        of_intake.ClearDuress: Signed((intake.DuressCleared,), _always(A_SUPERVISOR)),
        of_verification.VerifyIdentity: Signed(
            (verification.IdentityVerified,), _to_verify, TAKING_CALLS
        ),
        of_shifts.RecordExport: Signed((shifts.StatisticsExported,), _always(TWO)),
        of_people.AddPerson: Signed((people.PersonAdded,), _always(A_SUPERVISOR)),
        # A hotline begins with one supervisor, who must be able to get a second.
        of_people.GrantRole: Signed((people.RoleGranted,), _to_grant, TAKING_CALLS),
        of_people.OfferEnrolment: Signed((people.EnrolmentOffered,), _to_enrol),
        of_people.ResumePerson: Signed((people.PersonResumed,), _always(A_SUPERVISOR)),
    }
)
"""Taking away is quick and needs none: RevokeKey, TakeRole, SuspendPerson, EndSessions."""


def completed(command: Command, signatures: tuple[Signature, ...]) -> Command:
    """A proposed command as the service that decides is to have it: with what both signed."""
    whole: dict[str, object] = {"signatures": signatures}
    if "second_by" in type(command).model_fields:
        whole["second_by"] = signatures[-1].person
    return command.model_copy(update=whole)


def may_sign(roles: Collection[Role], act: type[Command], *, is_first: bool) -> bool:
    """Whether somebody with these roles may sign it: as `by`, or as the second."""
    others = frozenset() if is_first else SIGNED[act].others
    return not (roles_for(act.__name__) | others).isdisjoint(roles)


@cache
def acts_recording() -> Mapping[type[Event], type[Command]]:
    """The signed command that an event answers, by the event's type."""
    return {event: command for command, row in SIGNED.items() for event in row.records}
