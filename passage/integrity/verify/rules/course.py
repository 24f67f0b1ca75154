"""Rules about a case's course: calls, who works on it, groups, links, closing and erasure."""

from collections.abc import Iterator
from typing import Any

from passage.integrity.verify.rules.trail import (
    LEEWAY,
    Lease,
    Line,
    Rules,
    Trail,
    actor_of,
    same_person,
    two_people,
)
from shared.events.base import CaseEvent
from shared.events.calls import CallEnded
from shared.events.claims import CaseClaimed, CaseReleased
from shared.events.groups import GroupFormed, GroupJoined, GroupLeft
from shared.events.intake import (
    CallerConfirmed,
    CallLinked,
    CallTriaged,
    CaseClosed,
    CaseOpened,
    CaseReopened,
    CasesLinked,
    CasesUnlinked,
    DuressCleared,
    DuressSignalled,
    EpisodeContinued,
    PersonalDataErased,
    ReturnCodeIssued,
)

TWO_PEOPLE_REASONS = frozenset({"hoax", "infiltration"})


def _opened(trail: Trail, data: CaseOpened, event: CaseEvent[Any]) -> Iterator[str]:
    if event.caseversion != 1:
        yield "opened twice"
    if data.previous_case == event.subject or (data.episode > 1) != bool(data.previous_case):
        yield "an episode that follows no other case"
    _take_call(trail, data, coded=False)


def _linked(trail: Trail, data: CallLinked, _event: CaseEvent[Any]) -> None:
    proved = data.basis == "return_code" and not data.second_fact_needed
    _take_call(trail, data, coded=proved)


def _confirmed(trail: Trail, data: CallerConfirmed, _event: CaseEvent[Any]) -> Iterator[str]:
    call = (data.channel, data.call_id)
    if call not in trail.calls:
        yield "a caller confirmed in a call that the case doesn't have"
        return
    trail.calls = {**trail.calls, call: trail.calls[call]._replace(coded=True)}


def _take_call(trail: Trail, data: CaseOpened | CallLinked, *, coded: bool) -> None:
    trail.calls = {**trail.calls, (data.channel, data.call_id): Line(coded)}


def _hung_up(trail: Trail, data: CallEnded, _event: CaseEvent[Any]) -> None:
    call = (data.channel, data.call_id)
    if call in trail.calls:
        trail.calls = {**trail.calls, call: trail.calls[call]._replace(ended=True)}


def _triaged(trail: Trail, data: CallTriaged, _event: CaseEvent[Any]) -> None:
    trail.who.life_now = data.urgency == "life_now"


def _coded(_trail: Trail, data: ReturnCodeIssued, _event: CaseEvent[Any]) -> Iterator[str]:
    if data.duress_hash == data.code_hash:
        yield "a code is its own duress twin"


def _forced(trail: Trail, _data: DuressSignalled, _event: CaseEvent[Any]) -> None:
    trail.duress = True


def _unforced(trail: Trail, _data: DuressCleared, _event: CaseEvent[Any]) -> Iterator[str]:
    if not trail.duress:
        yield "no duress was open"
    trail.duress = False


def _claimed(trail: Trail, data: CaseClaimed, event: CaseEvent[Any]) -> Iterator[str]:
    lease = trail.lease or Lease()
    his = lease.operator is not None and same_person(lease.operator, data.operator)
    runs = lease.until is not None and event.time < lease.until - LEEWAY
    expected = lease.fence if data.basis == "renewal" else lease.fence + 1
    if data.fence != expected:
        yield f"claimed with fence {data.fence} after {lease.fence}"
    if data.basis == "renewal" and not his:
        yield "renewed another's claim"
    if data.basis == "free" and runs and not his:
        yield "claimed while another was working on it"
    if not any(same_person(one, data.operator) for one in trail.who.claimants):
        trail.who.claimants = (*trail.who.claimants, data.operator)
    trail.lease = Lease(max(data.fence, lease.fence), data.operator, data.lease_until)


def _released(trail: Trail, data: CaseReleased, _event: CaseEvent[Any]) -> Iterator[str]:
    lease = trail.lease
    if lease is None or lease.operator is None or lease.fence != data.fence:
        yield "released a case that the person did not hold"
        return
    trail.lease = Lease(lease.fence)


def _formed(trail: Trail, data: GroupFormed, event: CaseEvent[Any]) -> Iterator[str]:
    if data.group_id != event.subject:
        yield "a group has another number than the case that leads it"
    if trail.group is not None:
        yield "formed a group though he was in one"
    trail.group = data.group_id


def _joined(trail: Trail, data: GroupJoined, event: CaseEvent[Any]) -> Iterator[str]:
    if data.group_id != event.subject:  # The member's own log, which follows the leader's.
        trail.group = data.group_id
        return
    if trail.group != data.group_id:
        yield "joined a group that was not formed"
    if data.member_case in trail.roll or data.member_case == event.subject:
        yield "joined a group twice"
    trail.roll |= {data.member_case}


def _left(trail: Trail, data: GroupLeft, event: CaseEvent[Any]) -> Iterator[str]:
    if data.group_id != event.subject:
        trail.group = None if trail.group == data.group_id else trail.group
        return
    if data.member_case not in trail.roll:
        yield "left a group that he did not travel with"
    trail.roll -= {data.member_case}


def _alike(trail: Trail, data: CasesLinked, event: CaseEvent[Any]) -> Iterator[str]:
    if data.other_case == event.subject:
        yield "linked with itself"
    trail.linked |= {data.other_case}


def _unalike(trail: Trail, data: CasesUnlinked, _event: CaseEvent[Any]) -> Iterator[str]:
    if data.other_case not in trail.linked:
        yield "removed a link that did not exist"
    trail.linked -= {data.other_case}


def _continued(trail: Trail, _data: EpisodeContinued, _event: CaseEvent[Any]) -> None:
    trail.continued = True


def _closed(trail: Trail, data: CaseClosed, event: CaseEvent[Any]) -> Iterator[str]:
    by = actor_of(event)
    # Who signed it, and in which role, is proved with the signatures.
    supervised = bool(event.signatures) or any(same_person(one, by) for one in trail.supervisors)
    one_person = not supervised and not two_people(by, data.second_by)
    if data.reason in TWO_PEOPLE_REASONS and one_person:
        yield f"closed as {data.reason} without a second person"
    if data.reason == "handed_over" and not trail.way.handed_over:
        yield "closed as handed over without a receipt"
    trail.closed = True


def _reopened(trail: Trail, _data: CaseReopened, _event: CaseEvent[Any]) -> Iterator[str]:
    if not trail.closed:
        yield "reopened though it was open"
    trail.closed = False


def _erased(trail: Trail, _data: PersonalDataErased, _event: CaseEvent[Any]) -> Iterator[str]:
    if trail.way.meeting is not None and not trail.closed:
        yield "erased between planned and handed over"


RULES: Rules = {
    CaseOpened: _opened,
    CallLinked: _linked,
    CallerConfirmed: _confirmed,
    CallEnded: _hung_up,
    CallTriaged: _triaged,
    ReturnCodeIssued: _coded,
    DuressSignalled: _forced,
    DuressCleared: _unforced,
    CaseClaimed: _claimed,
    CaseReleased: _released,
    GroupFormed: _formed,
    GroupJoined: _joined,
    GroupLeft: _left,
    CasesLinked: _alike,
    CasesUnlinked: _unalike,
    EpisodeContinued: _continued,
    CaseClosed: _closed,
    CaseReopened: _reopened,
    PersonalDataErased: _erased,
}
