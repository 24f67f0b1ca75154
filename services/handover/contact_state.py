"""Contact with him: the last one, a loss, the calls in which he gave his code."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple

from shared.events.base import CaseEvent
from shared.events.calls import CallEnded
from shared.events.fields import Channel
from shared.events.handover import ArrivedInUkraine, ContactLost, ContactRegained, GuidanceGiven
from shared.events.intake import CallerConfirmed, CallLinked, CaseOpened
from shared.log.grown import Grown


class Call(NamedTuple):
    """`call_id` is the channel's own number; another channel may use the same one."""

    channel: Channel
    call_id: str


@dataclass(frozen=True, slots=True)
class Contact:
    last_at: datetime | None = None
    """Independent of the order in which contacts were recorded."""
    lost_at_version: int | None = None
    """The version of the open loss; ended by ContactRegained, or by his words in a later call."""
    calls: Grown[Call, bool] = field(default_factory=Grown)
    """Each call, and whether it is proved that this case's man is on the line: by his return
    code, and a second fact where the code needs one."""
    ended: Grown[Call, None] = field(default_factory=Grown)
    """A call counts as under way until its end is recorded."""

    @property
    def is_lost(self) -> bool:
        return self.lost_at_version is not None

    def is_coded(self, call_id: str | None) -> bool:
        """Whether he is on a call with this id, and gave his code in every call that has it."""
        calls = {call: coded for call, coded in self.calls.items() if call.call_id == call_id}
        return all(calls.values()) and not calls.keys() <= self.ended.keys()


ReadByContact = (
    ContactLost
    | ContactRegained
    | CaseOpened
    | CallLinked
    | CallerConfirmed
    | CallEnded
    | GuidanceGiven
    | ArrivedInUkraine
)


def evolve_contact(contact: Contact, event: CaseEvent[Any], data: ReadByContact) -> Contact:
    """What happened before the last contact changes nothing."""
    match data:
        case ContactLost():
            return replace(contact, lost_at_version=event.caseversion)
        case ContactRegained():
            return replace(_heard(contact, event.time), lost_at_version=None)
        case CaseOpened() | CallLinked():
            coded = isinstance(data, CallLinked) and proves_himself(data)
            calls = contact.calls.with_entry(Call(data.channel, data.call_id), coded)
            return replace(_heard(contact, event.time), calls=calls)
        case CallerConfirmed():
            # It is recorded of a call with his code alone, whatever other calls share its id.
            call = Call(data.channel, data.call_id)
            return replace(contact, calls=contact.calls.with_entry(call, True))
        case CallEnded():
            ended = contact.ended.with_entry(Call(data.channel, data.call_id), None)
            return replace(contact, ended=ended)
        case GuidanceGiven() if data.call_id is None:
            return contact  # A message went to him; he hasn't answered.
        case ArrivedInUkraine() | GuidanceGiven():
            lost_at = contact.lost_at_version if data.call_id is None else None
            return replace(_heard(contact, event.time), lost_at_version=lost_at)


def proves_himself(call: CallLinked) -> bool:
    return call.basis == "return_code" and not call.second_fact_needed


def _heard(contact: Contact, at: datetime) -> Contact:
    return replace(contact, last_at=max(at, contact.last_at or at))
