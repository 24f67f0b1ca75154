"""Rules about offers, receipts, groups received together, and what happened to him afterwards."""

from collections.abc import Iterator
from typing import Any

from passage.integrity.verify.rules.trail import (
    LEEWAY,
    Custody,
    OpenOffer,
    Rules,
    Trail,
    actor_of,
    two_people,
    why_forced,
)
from shared.events.base import CaseEvent
from shared.events.custody import (
    CustodyChanged,
    ExchangeConsentGiven,
    ExchangeConsentWithdrawn,
    Exchanged,
    ExchangeOffered,
    PublicityConsentGiven,
)
from shared.events.handover import (
    GroupHandedOver,
    HandedOver,
    HandoverAccepted,
    HandoverDiscrepancyRaised,
    HandoverDiscrepancyResolved,
    HandoverOffered,
    HandoverRefused,
    HandoverWithdrawn,
)


def _offered(trail: Trail, data: HandoverOffered, event: CaseEvent[Any]) -> Iterator[str]:
    way = trail.way
    if way.meeting is None or not way.meeting.disclosed:
        yield "offered before a rendezvous was disclosed"
    yield from why_forced(trail, "offered")
    waits = way.offer is not None and event.time < way.offer.deadline_at - LEEWAY
    if waits or way.accepted_by is not None:
        yield "offered while another offer was open"
    way.offer = OpenOffer(data.offer_id, data.team, data.deadline_at)
    way.accepted_by = None


def _answered(
    trail: Trail, data: HandoverAccepted | HandoverRefused, event: CaseEvent[Any]
) -> Iterator[str]:
    way = trail.way
    offer = way.offer
    if offer is None or (offer.offer_id, offer.team) != (data.offer_id, data.team):
        yield "answered an offer that is not open for this team"
    elif event.time > offer.deadline_at + LEEWAY:
        yield "answered an offer after its deadline"
    if isinstance(data, HandoverAccepted):
        yield from why_forced(trail, "accepted")
    way.offer = None
    way.accepted_by = data.team if isinstance(data, HandoverAccepted) else None


def _withdrawn(trail: Trail, data: HandoverWithdrawn, _event: CaseEvent[Any]) -> Iterator[str]:
    way = trail.way
    if way.offer is None or way.offer.offer_id != data.offer_id:
        yield "withdrew an offer that is not open"
        return
    way.offer = None


def _group_received(trail: Trail, data: GroupHandedOver, event: CaseEvent[Any]) -> Iterator[str]:
    way = trail.way
    named = (*data.received, *data.missing, *data.refused)
    awaited = {*trail.roll, event.subject} - way.received
    if way.accepted_by != data.team:
        yield "handed over to a team that had not accepted"
    if data.group_id != event.subject or trail.group != event.subject:
        yield "a group was received on a case that does not lead it"
    if len(named) != len({*named}) or {*named} != awaited:
        yield "a receipt names others than the group's roll, or somebody twice"
    way.received |= {*data.received}
    way.accepted_by = None  # Missing men are offered again.
    if trail.receipts is not None:
        trail.receipts.update((data.group_id, one) for one in data.received)


def _handed_over(trail: Trail, data: HandedOver, event: CaseEvent[Any]) -> Iterator[str]:
    way = trail.way
    if way.handed_over:
        yield "handed over twice"
    if data.group_id is None:
        if way.accepted_by != data.team:
            yield "handed over to a team that had not accepted"
    elif not _is_on_receipt(trail, data.group_id, event.subject):
        yield "handed over with a group whose receipt does not name him"
    way.handed_over, way.meeting = True, None


def _is_on_receipt(trail: Trail, group_id: str, case_id: str) -> bool:
    if group_id == case_id:
        return case_id in trail.way.received
    return trail.receipts is None or (group_id, case_id) in trail.receipts


def _raised(trail: Trail, _data: HandoverDiscrepancyRaised, _event: CaseEvent[Any]) -> None:
    trail.way.discrepancy = True


def _settled(
    trail: Trail, data: HandoverDiscrepancyResolved, _event: CaseEvent[Any]
) -> Iterator[str]:
    if not trail.way.discrepancy:
        yield "no discrepancy was open"
    if not two_people(data.by, data.second_by):
        yield "a discrepancy was resolved by one person"
    trail.way.discrepancy = False


def _custody(trail: Trail) -> Custody:
    if trail.custody is None:
        trail.custody = Custody()
    return trail.custody


def _moved(trail: Trail, _data: CustodyChanged, _event: CaseEvent[Any]) -> None:
    _custody(trail).held = True


def _asked(
    trail: Trail,
    data: ExchangeOffered | ExchangeConsentGiven | PublicityConsentGiven,
    event: CaseEvent[Any],
) -> Iterator[str]:
    custody = _custody(trail)
    exchange = not isinstance(data, PublicityConsentGiven)
    if exchange and not (trail.way.handed_over or custody.held):
        yield "asked about an exchange before he was handed over"
    if exchange and custody.exchanged:
        yield "asked about an exchange after it"
    if not isinstance(data, ExchangeOffered) and not two_people(actor_of(event), data.witness):
        yield "a consent was witnessed by the person who recorded it"
    if isinstance(data, ExchangeConsentGiven):
        custody.consent = True


def _unasked(trail: Trail, _data: ExchangeConsentWithdrawn, _event: CaseEvent[Any]) -> None:
    _custody(trail).consent = False


def _exchanged(trail: Trail, _data: Exchanged, _event: CaseEvent[Any]) -> Iterator[str]:
    custody = _custody(trail)
    if not custody.consent:
        yield "exchanged without his consent"
    if custody.exchanged:
        yield "exchanged twice"
    custody.exchanged, custody.consent = True, False


RULES: Rules = {
    HandoverOffered: _offered,
    HandoverAccepted: _answered,
    HandoverRefused: _answered,
    HandoverWithdrawn: _withdrawn,
    GroupHandedOver: _group_received,
    HandedOver: _handed_over,
    HandoverDiscrepancyRaised: _raised,
    HandoverDiscrepancyResolved: _settled,
    CustodyChanged: _moved,
    ExchangeOffered: _asked,
    ExchangeConsentGiven: _asked,
    PublicityConsentGiven: _asked,
    ExchangeConsentWithdrawn: _unasked,
    Exchanged: _exchanged,
}
