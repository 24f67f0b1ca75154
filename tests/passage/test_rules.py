"""The reader's rules about what came with the whole casework: each kept once, and broken once."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from shared.events import claims, custody, groups, handover, intake, outbound, shifts, verification
from shared.events.base import Event
from shared.events.calls import CallEnded
from tests.passage.test_transitions import (
    ACCEPTED,
    APPROVED,
    CLOSED,
    CODED,
    CONTRADICTED,
    DISCLOSED,
    ERASED,
    GIVEN,
    GUIDED,
    KNOWN,
    MATCH,
    NOON,
    OFFERED,
    PLANNED,
    RECEIPT,
    SEALED,
    VERIFIED,
    broken,
)

HOUR = timedelta(hours=1)


def claimed(by: str, fence: int, basis: claims.ClaimBasis = "free") -> claims.CaseClaimed:
    return claims.CaseClaimed(operator=by, lease_until=NOON + HOUR, fence=fence, basis=basis)


def assessed(level: verification.Credibility, hours: int = 5) -> verification.CredibilityAssessed:
    until = NOON + hours * HOUR
    return verification.CredibilityAssessed(
        level=level, indicators=SEALED, expires_at=until, by="amber"
    )


def overridden(
    guard: handover.OverridableGuard, hours: int = 5, second_by: str = "birch"
) -> handover.EmergencyOverrideUsed:
    return handover.EmergencyOverrideUsed(
        guard=guard,
        reason=SEALED,
        by="amber",
        second_by=second_by,
        expires_at=NOON + hours * HOUR,
    )


def queued(minutes: int = 30) -> outbound.MessageQueued:
    return outbound.MessageQueued(
        message_id="m-1",
        channel="phone",
        to_address=SEALED,
        language="ru",
        text=SEALED,
        valid_until=NOON + timedelta(minutes=minutes),
    )


def received(*named: str) -> handover.GroupHandedOver:
    return handover.GroupHandedOver(
        group_id="CASE",
        team="lynx",
        receipt_number="R-1",
        received_at=NOON,
        head_count=2,
        received=named,
    )


REPLANNED = handover.RendezvousReplanned(
    rendezvous_id="r-2",
    replaces="r-1",
    place=SEALED,
    window_from=NOON,
    window_to=NOON,
    team="lynx",
    planned_by="birch",
    reason=SEALED,
)
FORCED = intake.DuressSignalled(call_id="call-2", channel="phone")
FREE = intake.DuressCleared(by="cedar", reason=SEALED)
REVIEW = verification.ReviewOpened(reason="operator", remark=SEALED)
RESOLVED = verification.ReviewResolved(by="cedar", outcome="decision_stands", remark=SEALED)
STEP = handover.GuidanceGiven(step=SEALED, call_id="call-2")
STEP_3 = STEP.model_copy(update={"call_id": "call-3"})
HUNG_UP = CallEnded(call_id="call-2", channel="phone", ended_at=NOON)
HUNG_UP_TOO = CallEnded(call_id="call-2", channel="telegram", ended_at=NOON)
NINTH = PLANNED.model_copy(update={"rendezvous_id": "r-9"})
DOUBTED = CODED.model_copy(update={"second_fact_needed": True})
CONFIRMED = intake.CallerConfirmed(call_id="call-2", channel="phone", second_fact="other", by="x")
CODED_TOO = CODED.model_copy(update={"channel": "telegram"})
"""Another channel gave its call the same number."""
UNCODED_TOO = CODED_TOO.model_copy(update={"basis": "caller"})
YES = intake.ContactRuleSet(rule="yes")
NEVER = intake.ContactRuleSet(rule="never")
WITHDRAWN = handover.HandoverWithdrawn(offer_id="o-1", by="amber", reason=SEALED)
CANCELLED = handover.RendezvousCancelled(rendezvous_id="r-1", by="amber", reason=SEALED)
EXPIRED = handover.RendezvousExpired(rendezvous_id="r-1")
CAPTURED = GIVEN.model_copy(update={"provenance": "after_capture"})
ANYBODY: handover.OverridableGuard = "identity_verified"
UNKNOWN = [CODED, GIVEN, MATCH, *KNOWN[4:]]
OFFER = [*GUIDED, OFFERED]
HANDED = [*OFFER, ACCEPTED, RECEIPT]
FORMED = groups.GroupFormed(group_id="CASE", declared_size=2)
JOINED = groups.GroupJoined(group_id="CASE", member_case="OTHER")
GROUP = [FORMED, JOINED, *OFFER, ACCEPTED]
WITH_GROUP = RECEIPT.model_copy(update={"group_id": "CASE"})
RAISED = handover.HandoverDiscrepancyRaised(expected=2, present=1, missing=1, extra=0)
SETTLED = handover.HandoverDiscrepancyResolved(explanation=SEALED, by="amber", second_by="birch")
SENT = [outbound.MessageDispatched(message_id="m-1")]
OUT = outbound.MessageSent(message_id="m-1", sent_at=NOON)
GIVEN_UP = outbound.MessageFailed(message_id="m-1", reason="no_report")
CONSENT = custody.ExchangeConsentGiven(language="ru", wording="1", witness="birch")
NO_CONSENT = custody.ExchangeConsentWithdrawn(witness="birch")
EXCHANGED = custody.Exchanged(exchanged_at=NOON)
CONTINUED = intake.EpisodeContinued(next_case="NEXT")
LIFE_NOW = intake.CallTriaged(
    call_id="call-2", intent="surrender", situation="serving", urgency="life_now"
)
SHIFT = shifts.ShiftStarted(operators=("amber",), started_by="amber")
NAMED = shifts.ShiftHandedOver(to=("birch",), case_ids=("A",), by="amber")
TAKEN = shifts.ShiftCaseAccepted(live_case="A", by="birch")
OVER = shifts.ShiftEnded(by="amber")
BOTH = shifts.ShiftStarted(operators=("amber", "birch"), started_by="amber")
HERS = shifts.ShiftHandedOver(to=("amber", "birch"), case_ids=("A",), by="amber")
HIS = shifts.ShiftHandedOver(to=("amber", "birch"), case_ids=("B",), by="birch")
A_BY_BIRCH = shifts.ShiftCaseAccepted(live_case="A", by="birch")
B_BY_AMBER = shifts.ShiftCaseAccepted(live_case="B", by="amber")
EXPORT = shifts.StatisticsExported(
    first_day="2026-01-01",
    last_day="2026-01-31",
    digest="0" * 64,
    rows=1,
    suppressed=0,
    by="amber",
    second_by="birch",
)


@pytest.mark.parametrize(
    "lawful",
    [
        [*GUIDED, REPLANNED, APPROVED.model_copy(update={"rendezvous_id": "r-2", "by": "amber"})],
        [*UNKNOWN, overridden(ANYBODY), PLANNED, APPROVED],
        [*KNOWN, assessed("doubtful"), PLANNED, overridden("credibility_allows"), APPROVED],
        [*UNKNOWN, overridden(ANYBODY, 1), overridden(ANYBODY), PLANNED, APPROVED],
        [*KNOWN, REVIEW, RESOLVED, PLANNED],
        [*KNOWN, REVIEW, overridden("no_hold", 24), PLANNED],
        [*KNOWN, FORCED, FREE, PLANNED, APPROVED, DISCLOSED],
        [*KNOWN, PLANNED, APPROVED, CODED_TOO, HUNG_UP, DISCLOSED],
        [DOUBTED, CONFIRMED, *KNOWN[1:], PLANNED, APPROVED, DISCLOSED],
        [*GUIDED, HUNG_UP, CODED_TOO.model_copy(update={"call_id": "call-3"}), STEP_3],
        [*GUIDED, STEP, assessed("hostile"), overridden("credibility_allows"), STEP],
        [*OFFER, WITHDRAWN, OFFERED, ACCEPTED, RECEIPT],
        [*GROUP, received("CASE", "OTHER"), WITH_GROUP],
        [*OFFER, ACCEPTED, RECEIPT, RAISED, SETTLED],
        [*HANDED, CAPTURED, CONSENT, EXCHANGED],
        [*KNOWN, PLANNED, CANCELLED, ERASED],
        [*KNOWN, PLANNED, EXPIRED, ERASED],
        [YES, queued(), *SENT, OUT],
        [YES, queued(), *SENT, GIVEN_UP, OUT],
        [YES, queued(), NEVER, outbound.MessageRefused(message_id="m-1", reason="contact_rule")],
        [claimed("amber", 1), claimed("amber", 1, "renewal"), claimed("birch", 2, "takeover")],
        [claimed("amber", 1), LIFE_NOW, GIVEN, MATCH, VERIFIED],
        [claimed("amber", 1), claimed("birch", 2, "takeover"), GIVEN, MATCH, VERIFIED],
        [KNOWN[1], MATCH, VERIFIED, CAPTURED, *KNOWN[4:], PLANNED, APPROVED],
    ],
)
def test_what_the_guards_allow_breaks_no_rule(lawful: Sequence[Event]) -> None:
    assert broken(lawful) == []


@pytest.mark.parametrize(
    ("unlawful", "rule"),
    [
        ([*KNOWN[:4], PLANNED], "before he had arrived"),
        ([*KNOWN[4:], PLANNED], "not known who he is"),
        ([*KNOWN, assessed("hostile"), PLANNED], "for a hostile man"),
        ([*KNOWN, REVIEW, PLANNED], "while a review was open"),
        ([*KNOWN, PLANNED, assessed("doubtful"), APPROVED], "not believed"),
        ([*KNOWN, PLANNED, FORCED, APPROVED], "forcing him"),
        (
            [*UNKNOWN, overridden(ANYBODY), overridden(ANYBODY, -1), PLANNED, APPROVED],
            "approved before the identity was verified",
        ),
        ([*KNOWN, PLANNED, APPROVED, FORCED, DISCLOSED], "forcing him"),
        ([*GUIDED, FORCED, STEP], "guided while somebody might be forcing him"),
        ([*KNOWN, PLANNED, APPROVED, STEP], "guided to no place"),
        ([*GUIDED, CANCELLED, STEP], "guided to no place"),
        ([*GUIDED, GIVEN, STEP], "guided before the identity was verified"),
        ([*GUIDED, CONTRADICTED, overridden("identity_verified"), STEP], "that he is another"),
        ([*GUIDED, assessed("hostile"), STEP], "guided though he was not believed"),
        ([*KNOWN, PLANNED, APPROVED, HUNG_UP, DISCLOSED], "in no call"),
        ([DOUBTED, *KNOWN[1:], PLANNED, APPROVED, DISCLOSED], "in no call"),
        (
            [CONFIRMED.model_copy(update={"call_id": "call-9"})],
            "in a call that the case doesn't have",
        ),
        ([*KNOWN, PLANNED, APPROVED, UNCODED_TOO, DISCLOSED], "in no call"),
        ([*GUIDED, CODED_TOO, HUNG_UP, HUNG_UP_TOO, STEP], "in no call"),
        ([STEP], "in no call with the case's return code"),
        ([overridden("no_hold", second_by="AMBER")], "by one person"),
        ([overridden("no_hold", 25)], "more than a day"),
        ([*GUIDED, REPLANNED, REPLANNED], "not the present one"),
        ([*GUIDED, PLANNED], "while one was disclosed"),
        ([*GUIDED, FORCED, OFFERED], "offered while somebody might be forcing him"),
        ([*OFFER, FORCED, ACCEPTED], "accepted while somebody might be forcing him"),
        ([*KNOWN, PLANNED, OFFERED], "before a rendezvous was disclosed"),
        ([*OFFER, ACCEPTED, OFFERED], "another offer was open"),
        ([*OFFER, WITHDRAWN, ACCEPTED], "not open"),
        ([*OFFER, ACCEPTED, WITHDRAWN], "not open"),
        ([*GROUP, received("CASE")], "than the group's roll"),
        ([*GROUP, received("CASE", "CASE", "OTHER")], "somebody twice"),
        ([*GROUP, WITH_GROUP], "does not name him"),
        ([*OFFER, ACCEPTED, RECEIPT, RECEIPT], "handed over twice"),
        ([RAISED, SETTLED.model_copy(update={"second_by": " AMBER"})], "by one person"),
        ([SETTLED], "no discrepancy was open"),
        ([*HANDED, NINTH], "after he was handed over"),
        ([*HANDED, CONSENT.model_copy(update={"witness": "Amber"})], "witnessed by the person who"),
        ([CONSENT], "before he was handed over"),
        ([*HANDED, EXCHANGED], "without his consent"),
        ([*HANDED, CONSENT, NO_CONSENT, EXCHANGED], "without his consent"),
        ([queued()], "contact rule did not allow"),
        ([YES, queued(), *SENT, *SENT], "sent twice"),
        ([YES, queued(), NEVER, *SENT], "contact rule did not allow"),
        ([YES, queued(-30), *SENT], "too late"),
        (SENT, "that nobody queued"),
        ([YES, queued(), FORCED, *SENT], "sent while somebody might be forcing him"),
        ([YES, queued(), OUT], "doesn't follow"),
        ([YES, queued(), *SENT, OUT, OUT], "ended twice"),
        ([claimed("amber", 1), claimed("birch", 1, "takeover")], "with fence 1 after 1"),
        ([claimed("amber", 2)], "with fence 2 after 0"),
        ([claimed("amber", 1), claimed("birch", 2)], "while another was working"),
        ([claimed("amber", 1), claimed("birch", 1, "renewal")], "another's claim"),
        ([claimed("amber", 1), GIVEN, MATCH, VERIFIED], "only operator who claimed"),
        ([GIVEN, VERIFIED], "a registry that doesn't know him"),
        ([assessed("credible", -1)], "a time that had passed"),
        ([RESOLVED], "no review was open"),
        ([FREE], "no duress was open"),
        ([JOINED], "not formed"),
        ([FORMED, JOINED, JOINED], "twice"),
        ([CONTINUED, CLOSED], "that another case continues"),
        ([*KNOWN, CLOSED, PLANNED], "on a closed case"),
        ([intake.CaseClosed(reason="handed_over")], "without a receipt"),
        ([intake.CaseReopened(reason=SEALED)], "though it was open"),
    ],
)
def test_what_no_guard_would_allow_is_found(unlawful: Sequence[Event], rule: str) -> None:
    assert any(rule in one for one in broken(unlawful))
    assert not any(rule in one for one in broken(unlawful[:-1]))


@pytest.mark.parametrize(
    ("log", "rule"),
    [
        ([SHIFT, NAMED, TAKEN, OVER], ""),
        ([SHIFT, OVER], ""),
        ([SHIFT, NAMED, OVER], "nobody accepted"),
        ([SHIFT, TAKEN], "no shift handed over"),
        ([SHIFT, NAMED.model_copy(update={"by": "birch"})], "by somebody else"),
        ([SHIFT, NAMED, TAKEN.model_copy(update={"by": "cedar"})], "who doesn't follow"),
        (
            [
                SHIFT,
                NAMED.model_copy(update={"to": ("amber",)}),
                TAKEN.model_copy(update={"by": "amber"}),
            ],
            "by the person who handed it over",
        ),
        ([BOTH, HERS, HIS, A_BY_BIRCH, B_BY_AMBER, OVER], ""),
        (
            [BOTH, HERS, HIS, A_BY_BIRCH.model_copy(update={"by": "amber"})],
            "by the person who handed it",
        ),
        ([EXPORT], ""),
        ([EXPORT.model_copy(update={"second_by": "AMBER"})], "by one person"),
        ([EXPORT, EXPORT], "that has begun"),
    ],
)
def test_the_logs_of_shifts_and_exports(log: Sequence[Event], rule: str) -> None:
    found = broken(log, case_id="SHIFT-1", first_version=1)
    assert found == [] if not rule else any(rule in one for one in found)


def test_a_supervisor_alone_closes_as_hoax_if_the_reader_knows_him() -> None:
    hoax = [intake.CaseClosed(reason="hoax")]
    assert broken(hoax, supervisors=("Amber",)) == []
    assert len(broken(hoax, supervisors=("cedar",))) == 1
