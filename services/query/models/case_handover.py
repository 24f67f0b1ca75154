"""handover's events on a case's row: rendezvous, offer, receipt, contact, custody."""

from datetime import datetime

from services.query.models.case_messages import told, told_no_more
from services.query.models.case_row import (
    RANK,
    RECEIVED,
    CaseRow,
    ContactState,
    OfferState,
    RendezvousState,
    Stage,
    heard_of,
    later,
    moved_to,
    reached,
)
from shared.events import custody, handover
from shared.events.catalogue import HandoverEvent

_OfMeeting = (
    handover.RendezvousApproved
    | handover.RendezvousDisclosed
    | handover.DisclosureWithdrawn
    | handover.RendezvousMissed
    | handover.RendezvousCancelled
    | handover.RendezvousExpired
)
ENDED: dict[type[_OfMeeting], RendezvousState] = {
    handover.RendezvousMissed: "missed",
    handover.RendezvousCancelled: "cancelled",
    handover.RendezvousExpired: "expired",
}
CONTACT_BY_RULE: dict[handover.FollowUpRule, ContactState] = {
    "arrived_contact_due": "due",
    "arrived_silent": "silent",
    "decide_whether_lost": "silent",
}
WORSE_THAN: dict[ContactState, frozenset[ContactState]] = {
    "due": frozenset({"in_touch"}),
    "silent": frozenset({"in_touch", "due"}),
}


def after_handover(row: CaseRow, event: HandoverEvent, at: datetime) -> CaseRow:
    """`at` is when the event happened."""
    if isinstance(event, _OfMeeting):
        # Another rendezvous may have been planned meanwhile.
        return _after_meeting(row, event) if event.rendezvous_id == row.rendezvous_id else row
    match event:
        case handover.ArrivedInUkraine():
            return _told(reached(row, "arrived"), at, in_call=event.call_id is not None)
        case handover.ContactLost():
            return row._replace(contact="lost")
        case handover.ContactRegained():
            return _regained(row, at)
        case handover.GuidanceGiven():
            # A message alone only writes to him; it isn't contact.
            return _told(row, at, in_call=True) if event.call_id is not None else row
        case handover.FollowUpOverdue():
            return _silent(row, event.rule)
        case handover.RendezvousPlanned() | handover.RendezvousReplanned():
            return _planned(row, event)
        case handover.HandoverOffered():
            return _offered(row, event)
        case handover.HandoverAccepted():
            return _answered(row, event.offer_id, "accepted", at)
        case handover.HandoverRefused():
            return _answered(row, event.offer_id, "refused", at)
        case handover.HandoverWithdrawn():
            return _answered(row, event.offer_id, "withdrawn", at)
        case handover.HandedOver():
            received = reached(row, "handed_over")._replace(team=event.team, claim_expired=False)
            return _held(received, received.custody)
        case handover.GroupHandedOver():
            # His own receipt says whether he himself was received.
            return row if row.offer == "none" else _without_offer(row, "received")
        case handover.HandoverDiscrepancyRaised():
            return row._replace(discrepancy=True)
        case handover.HandoverDiscrepancyResolved():
            return row._replace(discrepancy=False)
        case _:
            return _after_receipt(row, event)


def _silent(row: CaseRow, rule: handover.FollowUpRule) -> CaseRow:
    after = CONTACT_BY_RULE.get(rule)
    if after is None or row.contact not in WORSE_THAN[after]:
        return row
    return row._replace(contact=after)


def _told(row: CaseRow, at: datetime, *, in_call: bool) -> CaseRow:
    """Being on a call ends a loss; others' word of him doesn't."""
    if row.contact != "lost":
        return heard_of(row, at)
    return _regained(row, at)._replace(contact="in_touch" if in_call else "lost")


def _regained(row: CaseRow, at: datetime) -> CaseRow:
    return row._replace(contact="in_touch", last_contact_at=later(row.last_contact_at, at))


def _planned(
    row: CaseRow, event: handover.RendezvousPlanned | handover.RendezvousReplanned
) -> CaseRow:
    # A team that was to wait at the previous one is no longer bound: it must be asked again.
    return moved_to(_unbound(row), "planned")._replace(
        rendezvous="planned" if isinstance(event, handover.RendezvousPlanned) else "replanned",
        rendezvous_id=event.rendezvous_id,
        rendezvous_window_from=event.window_from,
        rendezvous_window_to=event.window_to,
        team=event.team,
        told_by=None,
        perhaps_told_by=None,
    )


def _after_meeting(row: CaseRow, event: _OfMeeting) -> CaseRow:
    match event:
        case handover.RendezvousApproved():
            return row._replace(rendezvous="approved")
        case handover.RendezvousDisclosed():
            return told(row, event)
        case handover.DisclosureWithdrawn():
            return told_no_more(row, event)
        case _:
            after = moved_to(_unbound(row), "arrived")
            how = ENDED[type(event)]
            return after._replace(rendezvous=how, told_by=None, perhaps_told_by=None)


def _unbound(row: CaseRow) -> CaseRow:
    return row._replace(offer="none" if row.offer == "none" else "void")


def _offered(row: CaseRow, event: handover.HandoverOffered) -> CaseRow:
    return moved_to(row, "offered")._replace(
        offer="open",
        offer_id=event.offer_id,
        offer_deadline_at=event.deadline_at,
        offer_answered_at=None,
        team=event.team,
    )


def _answered(row: CaseRow, offer_id: str, how: OfferState, at: datetime) -> CaseRow:
    if offer_id != row.offer_id or row.offer != "open":
        return row  # Exactly one of accept, refuse and withdraw wins.
    row = row._replace(offer_answered_at=at)
    return row._replace(offer=how) if how == "accepted" else _without_offer(row, how)


def _without_offer(row: CaseRow, how: OfferState) -> CaseRow:
    if row.rendezvous == "disclosed":
        stage: Stage = "guided"
    else:
        stage = "planned" if row.rendezvous in {"planned", "replanned", "approved"} else "arrived"
    return moved_to(row, stage)._replace(offer=how)


def _after_receipt(row: CaseRow, event: HandoverEvent) -> CaseRow:
    match event:
        case custody.CustodyChanged():
            after = _held(row, event.custody)
            if row.custody_at is not None and event.changed_at < row.custody_at:
                return after  # A report that came late.
            return after._replace(custody=event.custody, custody_at=event.changed_at)
        case custody.Exchanged():
            return reached(row, "exchanged")
        case custody.ExchangeOffered():
            standing = row.exchange_consent
            return row._replace(exchange_consent="asked" if standing == "none" else standing)
        case custody.ExchangeConsentGiven():
            return row._replace(exchange_consent="given")
        case custody.ExchangeConsentWithdrawn():
            return row._replace(exchange_consent="withdrawn")
        case custody.PublicityConsentGiven():
            return row._replace(publicity_consent="given")
        case custody.PublicityConsentWithdrawn():
            return row._replace(publicity_consent="withdrawn")
        case _:
            return row


def _held(row: CaseRow, known: custody.Custody | None) -> CaseRow:
    """Moves a received man on while he is held; release, escape and death lead nowhere."""
    is_held = known in custody.IN_CUSTODY and RANK[row.stage] >= RECEIVED
    return reached(row, "in_custody") if is_held else row
