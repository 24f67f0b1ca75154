"""Cases at each step of the way, and the commands that are tried on them."""

from collections.abc import Iterable
from datetime import timedelta
from functools import reduce
from typing import Any

from services.handover.guards import Members
from services.handover.handlers import DECIDERS
from services.handover.state import HandoverState, evolve
from shared.commands import handover as commands
from shared.commands.base import Command
from shared.events.base import Event
from shared.events.groups import GroupFormed, GroupJoined, GroupLeft, HeadsCounted
from shared.events.handover import EmergencyOverrideUsed, OverridableGuard
from shared.events.intake import ContactRuleSet, DuressCleared, DuressSignalled, EpisodeContinued
from shared.events.verification import (
    Credibility,
    CredibilityAssessed,
    RegistryChecked,
    ReviewOpened,
    ReviewResolved,
)
from tests import examples as e
from tests.contexts import OLENA, PETRO, ask, refused_by
from tests.rarer_examples import QUEUED

HOUR, MINUTE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)
PLACE = {"description": "the mill of Musterdorf"}
THIRD_CASE = "9ZZT4KMB2QXE"

ARRIVED = (e.case_opened(), e.personal_data_provided(), e.call_linked(), e.arrived_in_ukraine())
VERIFIED = (*ARRIVED, e.identity_verified())
PLANNED = (*VERIFIED, e.rendezvous_planned())
APPROVED = (*PLANNED, e.rendezvous_approved())
DISCLOSED = (*APPROVED, e.rendezvous_disclosed())
OFFERED = (*DISCLOSED, e.handover_offered())
ACCEPTED = (*OFFERED, e.handover_accepted())

DURESS = DuressSignalled(call_id="call-2", channel="telegram")
CLEARED = DuressCleared(by=PETRO, reason=e.sealed("he is alone"))
REVIEW = ReviewOpened(reason="late_fact", fields=("unit",))
REVIEWED = ReviewResolved(by=PETRO, outcome="decision_stands", remark=e.sealed("an error"))
CONTINUED = EpisodeContinued(next_case=e.OTHER_CASE)
SAFE = ContactRuleSet(rule="yes")
LED = (
    GroupFormed(group_id=e.CASE, declared_size=2),
    GroupJoined(group_id=e.CASE, member_case=e.OTHER_CASE),
)
TELLS = QUEUED.model_copy(update={"valid_until": e.NOON + DAY, "rendezvous_id": "meet-1"})
"""A message that tells him of the place, and waits until that is recorded."""
LEFT = GroupLeft(group_id=e.CASE, member_case=e.OTHER_CASE, reason="not_cleared")

WINDOW: dict[str, Any] = {
    "window_from": e.NOON + HOUR,
    "window_to": e.NOON + 2 * HOUR,
    "team": "Heron",
}
PLAN = ask(commands.PlanRendezvous, place=PLACE, **WINDOW)
REPLAN = ask(commands.ReplanRendezvous, replaces="meet-1", place=PLACE, reason="shelling", **WINDOW)
APPROVE = ask(commands.ApproveRendezvous, by=PETRO, rendezvous_id="meet-1")
CANCEL = ask(commands.CancelRendezvous, rendezvous_id="meet-1", reason="mined")
MISSED = ask(commands.RecordMissed, rendezvous_id="meet-1", who="team", reason="the battery")
DISCLOSE = ask(
    commands.DiscloseRendezvous, rendezvous_id="meet-1", to_whom="the caller", call_id="call-2"
)
GUIDE = ask(commands.GiveGuidance, step=PLACE, call_id="call-2")
OFFER = ask(commands.OfferHandover, team="Heron", deadline_at=e.NOON + HOUR)
ACCEPT = ask(commands.AcceptHandover, offer_id="offer-1", team="Heron")
REFUSE = ask(commands.RefuseHandover, offer_id="offer-1", team="Heron", reason="another way")
WITHDRAW = ask(commands.WithdrawHandover, offer_id="offer-1", reason="too far")
RECEIPT = ask(
    commands.RecordHandover,
    team="Heron",
    receipt_number="R-0001",
    received_at=e.NOON,
    head_count=1,
)
GROUP_RECEIPT = ask(
    commands.RecordGroupHandover,
    team="Heron",
    receipt_number="R-0002",
    received_at=e.NOON,
    head_count=2,
    received=(e.CASE, e.OTHER_CASE),
)
RESOLVE = ask(commands.ResolveDiscrepancy, explanation="he came later", second_by=PETRO)
OVERRIDE = ask(
    commands.UseEmergencyOverride,
    guard="identity_verified",
    reason="wounded, can't speak",
    second_by=PETRO,
    expires_at=e.NOON + DAY,
)
OFFER_EXCHANGE = ask(commands.OfferExchange, language="ru", wording="exchange-3")
CONSENT = ask(commands.GiveExchangeConsent, language="ru", wording="exchange-3", witness=PETRO)
EXCHANGE = ask(commands.RecordExchange, exchanged_at=e.NOON)
PUBLICITY = ask(commands.GivePublicityConsent, language="ru", wording="public-1", witness=PETRO)

UNTIL_HANDED_OVER = (
    *(PLAN, REPLAN, APPROVE, CANCEL, DISCLOSE, GUIDE, OVERRIDE),
    *(OFFER, ACCEPT, REFUSE, WITHDRAW, RECEIPT, GROUP_RECEIPT),
)
"""Decisions of the hotline's part."""
UNTIL_EXCHANGED = (RESOLVE, OFFER_EXCHANGE, CONSENT, EXCHANGE)
DECIDED = (*UNTIL_HANDED_OVER, *UNTIL_EXCHANGED, PUBLICITY)
"""One of each decision; all other commands are facts."""


def folded(events: Iterable[Event], case_id: str = e.CASE) -> HandoverState:
    """A case in which this happened, an event a minute from noon."""
    return reduce(evolve, e.CaseBook(case_id).add_all(events), HandoverState())


def given(*events: Event) -> HandoverState:
    return folded(events)


def answered(outcome: str) -> RegistryChecked:
    """The claim is version 2 of the case in these tests."""
    return RegistryChecked.model_validate(
        {"registry": "invented", "about_event": f"{e.CASE}-2", "outcome": outcome, "score": 50}
    )


def assessed(level: Credibility, *, hours: int = 30) -> CredibilityAssessed:
    return CredibilityAssessed(
        level=level, indicators=e.sealed("his voice"), expires_at=e.NOON + hours * HOUR, by=OLENA
    )


def overridden(guard: OverridableGuard, *, hours: int = 20) -> EmergencyOverrideUsed:
    return EmergencyOverrideUsed(
        guard=guard,
        reason=e.sealed("he bleeds"),
        by=OLENA,
        second_by=PETRO,
        expires_at=e.NOON + hours * HOUR,
    )


def counted(count: int, kind: str = "observed") -> HeadsCounted:
    return HeadsCounted.model_validate(
        {"group_id": e.CASE, "kind": kind, "count": count, "source": "drone"}
    )


def member(*events: Event) -> Members:
    """The other case of the group, in which this happened."""
    return {e.OTHER_CASE: folded(events, e.OTHER_CASE)}


def changed(command: Command, **fields: Any) -> Command:
    """The command with other fields, checked."""
    return type(command).model_validate({**command.model_dump(), **fields})


def decide(
    state: HandoverState, command: Command, at: timedelta = timedelta(0), **more: Any
) -> list[Event]:
    """Decides a command at so long after noon."""
    return DECIDERS[type(command)](state, command, e.NOON + at, **more)


def names(events: Iterable[Event]) -> list[str]:
    return [type(event).__name__ for event in events]


def refuses(
    guard: str,
    state: HandoverState,
    command: Command,
    at: timedelta = timedelta(0),
    **more: Any,
) -> None:
    refused_by(guard, lambda: decide(state, command, at, **more))
