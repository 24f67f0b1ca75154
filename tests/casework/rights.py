"""What must hold of who is told a place or isn't, who is sent to him, and what has to follow."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shared.events import handover, intake, verification
from shared.events.base import CaseEvent
from shared.events.calls import CallEnded
from shared.events.groups import GroupJoined, GroupLeft
from shared.events.intake import CallLinked, CaseOpened, DuressSignalled, PersonalDataProvided
from shared.events.verification import (
    IdentityContradicted,
    IdentityRejected,
    IdentityVerified,
    ReviewOpened,
)
from tests.casework.town import Town


@dataclass
class _Man:
    verified: bool = False
    disbelieved_until: datetime | None = None
    forced: bool = False
    coded: set[str] = field(default_factory=set)
    channels: set[str] = field(default_factory=set)
    """Those that he called on for certain."""
    reachable: bool = False
    said_at: datetime | None = None
    overrides: dict[str, datetime] = field(default_factory=dict)
    planners: dict[str, str] = field(default_factory=dict)
    approvers: dict[str, str] = field(default_factory=dict)
    told: str = ""
    """The rendezvous that he knows of, while it stands."""
    roll: set[str] = field(default_factory=set)

    def is_believed(self, at: datetime) -> bool:
        return self.disbelieved_until is None or at >= self.disbelieved_until

    def set_aside(self, guard: str, at: datetime) -> bool:
        return guard in self.overrides and at < self.overrides[guard]


def wrongly_told(log: Iterable[CaseEvent[Any]]) -> list[str]:
    """Each disclosure, guidance and asking of a team that nobody had a right to, and why."""
    men: dict[str, _Man] = {}
    found: list[str] = []
    for event in log:
        man = men.setdefault(event.subject, _Man())
        if isinstance(event.data, handover.RendezvousDisclosed | handover.GuidanceGiven):
            reasons = _reasons(men, man, event.data, event.time)
            found += [f"{event.subject} {event.caseversion}: {one}" for one in reasons]
        if isinstance(event.data, handover.HandoverOffered) and _is_forced(men, man):
            found.append(f"{event.subject} {event.caseversion}: a team asked to come to an ambush")
        _note_who(man, event.data)
        _note_line(man, event.data)
        _note_how(man, event.data, event.subject)
        _note_rule(man, event)
        _note_meeting(man, event.data)
    return found


def _reasons(
    men: dict[str, _Man],
    man: _Man,
    told: handover.RendezvousDisclosed | handover.GuidanceGiven,
    at: datetime,
) -> Iterable[str]:
    meeting = told.rendezvous_id if isinstance(told, handover.RendezvousDisclosed) else man.told
    planner, approver = man.planners.get(meeting), man.approvers.get(meeting)
    if not (man.verified or man.set_aside("identity_verified", at)):
        yield "neither verified nor overridden"
    if not (man.is_believed(at) or man.set_aside("credibility_allows", at)):
        yield "not believed"
    if planner is None or approver is None or planner.lower() == approver.lower():
        yield "not two people"
    if not (told.call_id in man.coded if told.call_id else man.reachable):
        yield "told to whoever was there"
    group = [men.get(one, _Man()) for one in man.roll]
    if _is_forced(men, man):
        yield "somebody is forced"
    clear = all(one.verified and one.is_believed(at) for one in group)
    if not (clear or man.set_aside("group_cleared", at)):
        yield "somebody of his group is not cleared"


def _is_forced(men: dict[str, _Man], man: _Man) -> bool:
    return man.forced or any(men.get(one, _Man()).forced for one in man.roll)


def _note_who(man: _Man, data: Any) -> None:
    match data:
        case intake.PersonalDataProvided() if data.provenance != "after_capture":
            man.verified = False
        case verification.IdentityContradicted() | verification.IdentityRejected():
            man.verified = False
        case verification.IdentityVerified():
            man.verified = True
        case verification.CredibilityAssessed():
            doubted = data.level in {"doubtful", "hostile"}
            man.disbelieved_until = data.expires_at if doubted else None
        case intake.DuressSignalled() | intake.DuressCleared():
            man.forced = isinstance(data, intake.DuressSignalled)
        case _:
            pass


def _note_line(man: _Man, data: Any) -> None:
    match data:
        case intake.CaseOpened():
            man.channels.add(data.channel)
        case intake.CallLinked() if data.basis == "return_code" and not data.second_fact_needed:
            if data.channel in man.channels:
                man.coded.add(data.call_id)
        case intake.CallerConfirmed():
            man.coded.add(data.call_id)
            man.channels.add(data.channel)
        case CallEnded():
            man.coded.discard(data.call_id)
        case _:
            pass


def _note_how(man: _Man, data: Any, case_id: str) -> None:
    match data:
        case handover.EmergencyOverrideUsed() if data.by.lower() != data.second_by.lower():
            man.overrides[data.guard] = data.expires_at
        case GroupJoined() if data.group_id == case_id:
            man.roll.add(data.member_case)
        case GroupLeft() if data.group_id == case_id:
            man.roll.discard(data.member_case)
        case _:
            pass


def _note_rule(man: _Man, event: CaseEvent[Any]) -> None:
    if isinstance(event.data, intake.ContactRuleSet) and event.time >= (man.said_at or event.time):
        man.reachable, man.said_at = event.data.rule != "never", event.time


def _note_meeting(man: _Man, data: Any) -> None:
    match data:
        case handover.RendezvousPlanned() | handover.RendezvousReplanned():
            man.planners, man.told = {data.rendezvous_id: data.planned_by}, ""
        case handover.RendezvousApproved():
            man.approvers[data.rendezvous_id] = data.by
        case handover.RendezvousDisclosed():
            man.told = data.rendezvous_id
        case (
            handover.RendezvousMissed()
            | handover.RendezvousCancelled()
            | handover.RendezvousExpired()
        ):
            man.told = "" if data.rendezvous_id == man.told else man.told
        case _:
            pass


OF_A_VERIFICATION = {"answer_after_verified", "late_fact"}
"""Why a verification that stands is looked at again."""


def wrong_in(town: Town) -> list[str]:
    """What shouldn't have been recorded in a town, and what should and wasn't."""
    log = town.log
    return [*wrongly_told(log), *silent_alarms(log, town.forced_calls), *wrongly_reviewed(log)]


def silent_alarms(log: Iterable[CaseEvent[Any]], forced_calls: Iterable[str]) -> list[str]:
    """The calls with a duress code that rang no alarm in the case that they came to."""
    came_to: dict[str, str] = {}
    rang_in: dict[str, str] = {}
    for event in log:
        match event.data:
            case CaseOpened() | CallLinked():
                came_to[event.data.call_id] = event.subject
            case DuressSignalled():
                rang_in[event.data.call_id] = event.subject
            case _:
                pass
    silent = [one for one in forced_calls if rang_in.get(one) != came_to[one]]
    return [f"{came_to[one]}: no alarm after {one}" for one in silent]


def wrongly_reviewed(log: Iterable[CaseEvent[Any]]) -> list[str]:
    """Each review of a verification where none stands: what is known so late is news."""
    verified: set[str] = set()
    found: list[str] = []
    for event in log:
        match event.data:
            case ReviewOpened() if event.data.reason in OF_A_VERIFICATION:
                if event.subject not in verified:
                    found.append(f"{event.subject} {event.caseversion}: a review of nothing")
            case _:
                _note(verified, event)
    return found


def verified_in(log: Iterable[CaseEvent[Any]]) -> set[str]:
    """The cases whose man is verified by the data that he gave last."""
    verified: set[str] = set()
    for event in log:
        _note(verified, event)
    return verified


def _note(verified: set[str], event: CaseEvent[Any]) -> None:
    match event.data:
        case IdentityVerified():
            verified.add(event.subject)
        case PersonalDataProvided() if event.data.provenance == "after_capture":
            pass
        case PersonalDataProvided() | IdentityContradicted() | IdentityRejected():
            verified.discard(event.subject)
        case _:
            pass
