"""Invented events that few cases have; with those of `tests.examples`, one of every type."""

import json
from datetime import timedelta

from shared.events import (
    claims,
    custody,
    groups,
    handover,
    intake,
    outbound,
    people,
    shifts,
    verification,
)
from shared.events.base import Event
from shared.events.calls import CallEnded
from shared.events.fields import ContactWindow
from shared.events.signatures import Signature
from tests import examples as e

OLENA, PETRO = "Olena Example", "Petro Example"
GROUP = e.CASE
"""A group has the number of the case that leads it."""


AT = e.NOON + timedelta(hours=11)
QUEUED = outbound.MessageQueued(
    message_id="message-1",
    channel="telegram",
    to_address=e.sealed("@beispiel"),
    language="ru",
    text=e.sealed("wait where you are"),
    valid_until=AT,
)
REPLANNED = handover.RendezvousReplanned(
    rendezvous_id="meet-2",
    replaces="meet-1",
    place=e.sealed("the bridge of Musterdorf"),
    window_from=AT,
    window_to=AT + timedelta(hours=2),
    team="Heron",
    planned_by=OLENA,
    reason=e.sealed("shelling"),
)
CANCELLED = handover.RendezvousCancelled(rendezvous_id="meet-1", by=OLENA, reason=e.sealed("mined"))
EXPIRED = handover.RendezvousExpired(rendezvous_id="meet-1")
RESOLVED = handover.HandoverDiscrepancyResolved(
    explanation=e.sealed("he came later"), by=OLENA, second_by=PETRO
)


def of_intake() -> list[Event]:
    """One of each of intake's rarer events about the man."""
    return [
        CallEnded(call_id="call-1", channel="phone", ended_at=e.NOON + timedelta(minutes=4)),
        intake.DuressSignalled(call_id="call-2", channel="telegram"),
        intake.CallerConfirmed(
            call_id="call-2",
            channel="telegram",
            second_fact="personal_data",
            by=OLENA,
            remark=e.sealed("he named his brother"),
        ),
        intake.DuressCleared(by=PETRO, reason=e.sealed("he is alone")),
        intake.AdviceGiven(text=e.sealed("told what to do"), call_id="call-1"),
        intake.ContactRuleSet(
            rule="window", windows=(ContactWindow(from_time="22:00", to_time="02:00"),)
        ),
        intake.DeadlinePassed(rule="life_now_unanswered", due_at=e.NOON + timedelta(minutes=1)),
        intake.CasesLinked(
            other_case=e.OTHER_CASE, basis="name", reason=e.sealed("the same voice")
        ),
        intake.CasesUnlinked(other_case=e.OTHER_CASE, reason=e.sealed("two brothers")),
        intake.EpisodeContinued(next_case=e.OTHER_CASE),
    ]


def of_the_desk() -> list[Event]:
    """One of each event about claims, groups and messages that go out."""
    return [
        claims.CaseClaimed(
            operator=OLENA, lease_until=e.NOON + timedelta(minutes=5), fence=1, basis="free"
        ),
        claims.CaseReleased(operator=OLENA, fence=1, reason="done"),
        groups.GroupFormed(group_id=GROUP, declared_size=10),
        groups.GroupJoined(group_id=GROUP, member_case=e.OTHER_CASE),
        groups.GroupLeft(group_id=GROUP, member_case=e.OTHER_CASE, reason="separated"),
        groups.HeadsCounted(group_id=GROUP, kind="observed", count=12, source="team Heron"),
        QUEUED,
        outbound.MessageDispatched(message_id="message-1"),
        outbound.MessageSent(message_id="message-1", sent_at=AT),
        outbound.MessageFailed(message_id="message-1", reason="no_such_user"),
        outbound.MessageRefused(message_id="message-1", reason="contact_rule"),
    ]


def of_shifts() -> list[Event]:
    return [
        shifts.ShiftStarted(operators=(OLENA, PETRO), started_by=OLENA),
        shifts.ShiftHandedOver(to=("Ivan Example",), case_ids=(e.CASE,), by=OLENA),
        shifts.ShiftCaseAccepted(live_case=e.CASE, by="Ivan Example"),
        shifts.ShiftEnded(by=OLENA),
        shifts.StatisticsExported(
            first_day="2026-03-01",
            last_day="2026-03-14",
            digest=e.digest("the file"),
            rows=14,
            suppressed=2,
            by=OLENA,
            second_by=PETRO,
        ),
    ]


def signature(person: str, nonce: str = "nonce-1") -> Signature:
    """As far as its form goes; no key made it."""
    signed = {"act": "CancelRendezvous", "case_id": e.CASE, "nonce": nonce, "person": person}
    return Signature(
        person=person,
        key_id="a2V5LTE",
        kind="key_file",
        canonical=json.dumps(signed, separators=(",", ":"), sort_keys=True),
        signature="c2lnbmVk",
    )


def of_people() -> list[people.PersonEvent]:
    link, token = e.digest("the link"), e.digest("the token")
    return [
        people.PersonAdded(name="Olena Example", by="petro"),
        people.RoleGranted(role="supervisor", by="petro"),
        people.EnrolmentOffered(token_hash=link, expires_at=AT, by="petro"),
        people.KeyRegistered(
            kind="passkey",
            key_id="a2V5LTE",
            public_key="cHVibGlj",
            label="blue key",
            sign_count=1,
            rp_id="localhost",
            token_hash=link,
        ),
        people.BreakGlassSet(
            password_hash=e.sealed("$argon2id$"), totp_secret=e.sealed("the secret")
        ),
        people.BreakGlassUsed(step=59_123_456),
        people.TokenIssued(token_hash=token, label="figures", expires_at=AT, by="petro"),
        people.TokenRevoked(token_hash=token, by="petro"),
        people.AttemptsRefused(kind="passkey", why="wrong_origin", count=1),
        people.EnrolmentOffered(token_hash=e.digest("another link"), expires_at=AT, by="petro"),
        people.EnrolmentExpired(token_hash=e.digest("another link")),
        people.KeyRevoked(key_id="a2V5LTE", by="petro"),
        people.SessionsEnded(by="olena"),
        people.SignaturesSeen(through=7, by="olena"),
        people.RoleTaken(role="supervisor", by="petro"),
        people.PersonSuspended(reason=e.sealed("lost the key"), by="petro"),
        people.PersonResumed(by="petro"),
    ]


def of_decisions() -> list[shifts.DeskEvent]:
    return [
        people.DecisionProposed(
            act="CancelRendezvous",
            about=e.CASE,
            command=e.sealed("the command"),
            signature=signature("olena"),
            expires_at=AT,
        ),
        people.DecisionAgreed(signature=signature("petro", "nonce-2")),
        people.DecisionWithdrawn(by="olena"),
        people.DecisionExpired(),
        people.DecisionCarriedOut(),
        people.DecisionNotCarriedOut(why="seen_version"),
        shifts.WordsErased(erased_case=e.CASE),
    ]


def of_verification() -> list[Event]:
    return [
        verification.CredibilityAssessed(
            level="credible", indicators=e.sealed("knows his unit"), expires_at=AT, by=OLENA
        ),
        verification.ReviewOpened(reason="late_fact", fields=("unit",), about_event=f"{e.CASE}-5"),
        verification.ReviewResolved(
            by=PETRO, outcome="decision_stands", remark=e.sealed("an error")
        ),
    ]


def of_the_way() -> list[Event]:
    return [
        handover.GuidanceGiven(step=e.sealed("follow the river"), call_id="call-2"),
        REPLANNED,
        CANCELLED,
        EXPIRED,
        handover.DisclosureWithdrawn(
            rendezvous_id="meet-1", message_id="message-1", reason="no_report"
        ),
        handover.HandoverWithdrawn(offer_id="offer-1", by=OLENA, reason=e.sealed("too far")),
    ]


def of_the_receipt() -> list[Event]:
    """One of each of handover's rarer events about counts, contact and follow-up."""
    return [
        handover.GroupHandedOver(
            group_id=GROUP,
            team="Heron",
            receipt_number="R-0002",
            received_at=AT,
            head_count=2,
            received=(e.CASE,),
            missing=(e.OTHER_CASE,),
            extra=1,
        ),
        handover.HandoverDiscrepancyRaised(expected=2, present=2, missing=1, extra=1),
        RESOLVED,
        handover.EmergencyOverrideUsed(
            guard="identity_verified",
            reason=e.sealed("wounded, can't speak"),
            by=OLENA,
            second_by=PETRO,
            expires_at=AT,
        ),
        handover.ContactRegained(by=OLENA, call_id="call-2"),
        handover.FollowUpSet(due_at=AT),
        handover.FollowUpOverdue(rule="arrived_silent", due_at=AT),
    ]


def of_custody() -> list[Event]:
    return [
        custody.CustodyChanged(custody="arrived_at_camp", changed_at=AT),
        custody.CaptureCardDue(due_at=AT + timedelta(days=7)),
        custody.CaptureCardConfirmed(reference="CC-0001", sent_at=AT),
        custody.ExchangeOffered(language="ru", wording="exchange-3"),
        custody.ExchangeConsentGiven(language="ru", wording="exchange-3", witness=PETRO),
        custody.ExchangeConsentWithdrawn(witness=PETRO),
        custody.Exchanged(exchanged_at=AT),
        custody.PublicityConsentGiven(language="ru", wording="publicity-1", witness=PETRO),
        custody.PublicityConsentWithdrawn(witness=PETRO),
    ]


def every_event() -> list[Event]:
    return [
        *{type(event): event for event in e.whole_way()}.values(),
        e.note_added(),
        e.case_reopened(),
        e.verification_escalated(),
        e.identity_contradicted(),
        e.identity_rejected(),
        e.rendezvous_missed(),
        e.handover_refused(),
        e.contact_lost(),
        e.erasure_requested(),
        e.personal_data_erased(),
        *of_intake(),
        *of_the_desk(),
        *of_shifts(),
        *{type(event): event for event in of_people()}.values(),
        *of_decisions(),
        *of_verification(),
        *of_the_way(),
        *of_the_receipt(),
        *of_custody(),
    ]
