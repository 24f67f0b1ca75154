"""Rules about the rendezvous: who planned and approved it, who was told, and how."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from passage.integrity.verify.rules.trail import (
    LEEWAY,
    Meeting,
    Rules,
    Trail,
    same_person,
    two_people,
    why_forced,
)
from shared.events.base import CaseEvent
from shared.events.handover import (
    ArrivedInUkraine,
    DisclosureWithdrawn,
    EmergencyOverrideUsed,
    GuidanceGiven,
    RendezvousApproved,
    RendezvousCancelled,
    RendezvousDisclosed,
    RendezvousExpired,
    RendezvousMissed,
    RendezvousPlanned,
    RendezvousReplanned,
)

OVERRIDE_MAX = timedelta(hours=24)


def _arrived(trail: Trail, _data: ArrivedInUkraine, _event: CaseEvent[Any]) -> None:
    trail.way.arrived = True


def _overridden(trail: Trail, data: EmergencyOverrideUsed, event: CaseEvent[Any]) -> Iterator[str]:
    if not two_people(data.by, data.second_by):
        yield "a guard was set aside by one person"
    if data.expires_at > event.time + OVERRIDE_MAX + LEEWAY:
        yield "a guard was set aside for more than a day"
    trail.way.overrides = {**trail.way.overrides, data.guard: data.expires_at}


def _planned(
    trail: Trail, data: RendezvousPlanned | RendezvousReplanned, event: CaseEvent[Any]
) -> Iterator[str]:
    yield from _why_not_planned(trail, event.time)
    way = trail.way
    if isinstance(data, RendezvousReplanned):
        if way.meeting is None or way.meeting.rendezvous_id != data.replaces:
            yield "replaced a rendezvous that is not the present one"
    elif way.meeting is not None and (way.meeting.disclosed or way.meeting.perhaps_told_by):
        yield "planned another rendezvous while one was disclosed"
    way.meeting = Meeting(data.rendezvous_id, data.planned_by)
    way.offer = way.accepted_by = None  # A team that was to wait elsewhere must be asked again.


def _why_not_planned(trail: Trail, at: datetime) -> Iterator[str]:
    who = trail.who
    known = who.partial or who.verified or trail.overrides("identity_verified", at)
    if not trail.way.arrived:
        yield "planned before he had arrived"
    if not known or who.contradicted_at or who.rejected:
        yield "planned though it is not known who he is"
    if _is_judged(trail, {"hostile"}, at) and not trail.overrides("credibility_allows", at):
        yield "planned for a hostile man"
    if who.review_open and not trail.overrides("no_hold", at):
        yield "planned while a review was open"


def _is_judged(trail: Trail, levels: set[str], at: datetime) -> bool:
    who = trail.who
    stands = who.level_until is not None and at < who.level_until - LEEWAY
    return stands and who.level in levels


def _approved(trail: Trail, data: RendezvousApproved, event: CaseEvent[Any]) -> Iterator[str]:
    meeting = trail.way.meeting
    yield from _why_not_trusted(trail, "approved", event.time)
    if meeting is None or meeting.rendezvous_id != data.rendezvous_id:
        yield "approved a rendezvous that was not planned"
        return
    if same_person(meeting.planned_by, data.by):
        yield "planned and approved by one person"
    trail.way.meeting = meeting._replace(approved=True)


def _why_not_trusted(trail: Trail, done: str, at: datetime) -> Iterator[str]:
    if trail.who.contradicted_at or trail.who.rejected:
        yield f"{done} though somebody found that he is another"
    elif not trail.who.verified and not trail.overrides("identity_verified", at):
        yield f"{done} before the identity was verified"
    doubted = _is_judged(trail, {"doubtful", "hostile"}, at)
    if doubted and not trail.overrides("credibility_allows", at):
        yield f"{done} though he was not believed"
    yield from why_forced(trail, done)
    yield from _why_not_with_group(trail, done, at)


def _why_not_with_group(trail: Trail, done: str, at: datetime) -> Iterator[str]:
    """Members have logs of their own, which may change just as the leader's is decided on."""
    clear = all(
        one.who.verified and not _is_judged(one, {"doubtful", "hostile"}, at)
        for one in trail.awaited
    )
    if not clear and not trail.overrides("group_cleared", at):
        yield f"{done} while one of his group was not cleared"


def _disclosed(trail: Trail, data: RendezvousDisclosed, event: CaseEvent[Any]) -> Iterator[str]:
    meeting = trail.way.meeting
    yield from _why_not_trusted(trail, "disclosed", event.time)
    yield from _why_not_told(trail, "disclosed", data, event.time)
    if meeting is None or meeting.rendezvous_id != data.rendezvous_id or not meeting.approved:
        yield "disclosed before it was approved"
        return
    told_by = data.message_id if data.call_id is None else None
    trail.way.meeting = meeting._replace(disclosed=True, told_by=told_by)


def _undisclosed(trail: Trail, data: DisclosureWithdrawn, _event: CaseEvent[Any]) -> Iterator[str]:
    meeting, message = trail.way.meeting, trail.messages.get(data.message_id)
    if trail.way.handed_over:
        return  # Earlier versions recorded it of a man who had been received; nothing follows.
    if meeting is None or not meeting.disclosed or meeting.told_by != data.message_id:
        yield "withdrew a disclosure that was not made by that message"
        return
    if message is None or not message.failed:
        yield "withdrew a disclosure by a message that had not failed"
    perhaps = frozenset({data.message_id} if data.reason == "no_report" else ())
    trail.way.meeting = meeting._replace(
        disclosed=False, told_by=None, perhaps_told_by=meeting.perhaps_told_by | perhaps
    )


def _guided(trail: Trail, data: GuidanceGiven, event: CaseEvent[Any]) -> Iterator[str]:
    meeting = trail.way.meeting
    yield from _why_not_trusted(trail, "guided", event.time)
    yield from _why_not_told(trail, "guided", data, event.time)
    if meeting is None or not meeting.disclosed:
        yield "guided to no place that he was told"


def _why_not_told(
    trail: Trail, done: str, data: RendezvousDisclosed | GuidanceGiven, at: datetime
) -> Iterator[str]:
    if data.call_id is not None:
        if not trail.is_on_coded_call(data.call_id):
            yield f"{done} in no call with the case's return code that had not ended"
    elif data.message_id is None:
        yield f"{done} in no call and by no message"
    elif not trail.may_be_contacted(at):
        yield f"{done} by a message that the contact rule did not allow"
    if data.message_id is not None:
        yield from _why_not_by_message(trail, done, data.message_id, at)


def _why_not_by_message(trail: Trail, done: str, message_id: str, at: datetime) -> Iterator[str]:
    meeting, message = trail.way.meeting, trail.messages.get(message_id)
    if message is None:
        yield f"{done} by a message that this case doesn't have"
        return
    if meeting is None or message.rendezvous_id != meeting.rendezvous_id:
        yield f"{done} by a message that doesn't tell of the rendezvous"
    if message.told or message.dispatched or message.ended or at > message.valid_until + LEEWAY:
        yield f"{done} by a message that had gone, failed or was too late"
    trail.messages = {**trail.messages, message_id: message._replace(told=True)}


def _ended(
    trail: Trail,
    data: RendezvousMissed | RendezvousCancelled | RendezvousExpired,
    _event: CaseEvent[Any],
) -> Iterator[str]:
    way = trail.way
    current = way.meeting is not None and way.meeting.rendezvous_id == data.rendezvous_id
    if current:
        way.meeting = way.offer = way.accepted_by = None
    elif isinstance(data, RendezvousCancelled):
        yield "cancelled a rendezvous that is not the present one"


RULES: Rules = {
    ArrivedInUkraine: _arrived,
    EmergencyOverrideUsed: _overridden,
    RendezvousPlanned: _planned,
    RendezvousReplanned: _planned,
    RendezvousApproved: _approved,
    RendezvousDisclosed: _disclosed,
    DisclosureWithdrawn: _undisclosed,
    GuidanceGiven: _guided,
    RendezvousMissed: _ended,
    RendezvousCancelled: _ended,
    RendezvousExpired: _ended,
}
