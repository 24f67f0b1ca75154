"""The rules by which `passage verify` judges what was decided, apart from the services' own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from passage.verifying.transitions import Trail, broken_rules
from shared.events.base import FIRST_PREVHASH, Event, type_of
from shared.events.catalogue import envelope_of
from shared.events.fields import Sealed
from shared.events.handover import (
    HandedOver,
    HandoverAccepted,
    HandoverOffered,
    HandoverRefused,
    RendezvousApproved,
    RendezvousDisclosed,
    RendezvousMissed,
    RendezvousPlanned,
)
from shared.events.intake import (
    CallLinked,
    CaseClosed,
    CaseReopened,
    PersonalDataErased,
    PersonalDataProvided,
)
from shared.events.verification import (
    IdentityContradicted,
    IdentityRejected,
    IdentityVerified,
    RegistryChecked,
    RegistryOutcome,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SEALED = Sealed("1." + "A" * 60)

CODED = CallLinked(
    call_id="call-2",
    channel="phone",
    caller_key="a" * 64,
    caller_address=SEALED,
    language="ru",
    started_at=NOON,
    basis="return_code",
    confidence=1.0,
)
UNCODED = CODED.model_copy(update={"basis": "caller"})
EARLIER = CODED.model_copy(update={"basis": "earlier_code"})
GIVEN = PersonalDataProvided(identity=SEALED, provenance="caller")
VERIFIED = IdentityVerified(basis="registry_and_operator", by="amber")
VERIFIED_BY_TWO = IdentityVerified(basis="two_sources", by="amber", second_by="birch")
REJECTED = IdentityRejected(reason=SEALED, by="birch")
CONTRADICTED = IdentityContradicted(fields=("date_of_birth",), reason=SEALED)
PLANNED = RendezvousPlanned(
    rendezvous_id="r-1",
    place=SEALED,
    window_from=NOON,
    window_to=NOON,
    team="lynx",
    planned_by="amber",
)
APPROVED = RendezvousApproved(rendezvous_id="r-1", by="birch")
DISCLOSED = RendezvousDisclosed(rendezvous_id="r-1", to_whom=SEALED, call_id="call-2")
MISSED = RendezvousMissed(rendezvous_id="r-1", who="team", reason=SEALED)
OFFERED = HandoverOffered(offer_id="o-1", team="lynx", deadline_at=NOON)
ACCEPTED = HandoverAccepted(offer_id="o-1", team="lynx")
REFUSED = HandoverRefused(offer_id="o-1", team="lynx", reason=SEALED)
RECEIPT = HandedOver(
    team="lynx", receipt_number="R-1", received_at=NOON, head_count=1, condition="ok"
)
CLOSED = CaseClosed(reason="withdrew")
REOPENED = CaseReopened(reason=SEALED)
ERASED = PersonalDataErased(classes=("identity",), legal_basis="court_order", by="amber")
GUIDED = [CODED, GIVEN, VERIFIED, PLANNED, APPROVED, DISCLOSED]


def answer(about: int, outcome: RegistryOutcome = "match") -> RegistryChecked:
    """The registry's answer about the event at a position of a list, counted from 0."""
    return RegistryChecked(
        registry="local", about_event=f"e-{about + 2}", outcome=outcome, score=100
    )


def broken(events: Sequence[Event], actor: str = "operator:amber") -> list[str]:
    trail = Trail()
    found: list[str] = []
    for version, data in enumerate(events, start=2):
        event = envelope_of(data)(
            id=f"e-{version}",
            source="/services/intake",
            type=type_of(type(data)),
            subject="CASE",
            time=NOON,
            data=data,
            caseversion=version,
            correlationid="c",
            causationid="c",
            actor=actor,
            prevhash=FIRST_PREVHASH,
        )
        found += broken_rules(trail, event)
    return found


@pytest.mark.parametrize(
    "lawful",
    [
        GUIDED,
        [*GUIDED, OFFERED, ACCEPTED, RECEIPT],
        [*GUIDED, OFFERED, REFUSED, OFFERED, ACCEPTED, RECEIPT],
        [*GUIDED, MISSED, PLANNED, APPROVED, DISCLOSED],
        [CaseClosed(reason="hoax", second_by="birch")],
        [CaseClosed(reason="withdrew")],
        [CONTRADICTED, GIVEN, answer(1), VERIFIED],
        [GIVEN, answer(0), CONTRADICTED, GIVEN, answer(3, "partial"), answer(3), VERIFIED],
        [GIVEN, REJECTED, GIVEN, VERIFIED],
        [GIVEN, REJECTED, VERIFIED_BY_TWO],
        [GIVEN, REJECTED, VERIFIED_BY_TWO, VERIFIED],
        [PLANNED, APPROVED.model_copy(update={"by": "amber b"})],
        [ERASED, ERASED],
        [*GUIDED, OFFERED, ACCEPTED, RECEIPT, ERASED],
        [*GUIDED, MISSED, ERASED],
        [*GUIDED, CLOSED, ERASED],
    ],
)
def test_what_the_guards_allow_breaks_no_rule(lawful: list[Event]) -> None:
    assert broken(lawful) == []


@pytest.mark.parametrize(
    ("unlawful", "rule"),
    [
        ([PLANNED, APPROVED.model_copy(update={"by": "amber"})], "planned and approved by one"),
        ([PLANNED, APPROVED.model_copy(update={"by": " AMBER "})], "planned and approved by one"),
        ([APPROVED], "not planned"),
        ([CONTRADICTED, GIVEN, VERIFIED], "verified while contradicted"),
        ([CONTRADICTED, VERIFIED_BY_TWO], "verified while contradicted"),
        ([GIVEN, CONTRADICTED, answer(0), VERIFIED], "verified while contradicted"),
        ([CONTRADICTED, GIVEN, GIVEN, answer(1), VERIFIED], "verified while contradicted"),
        ([CONTRADICTED, GIVEN, answer(1, "partial"), VERIFIED], "verified while contradicted"),
        ([GIVEN, CONTRADICTED, GIVEN, CONTRADICTED, answer(2), VERIFIED], "while contradicted"),
        ([GIVEN, REJECTED, VERIFIED], "after a rejection"),
        (
            [GIVEN, REJECTED, VERIFIED_BY_TWO.model_copy(update={"second_by": " Amber"})],
            "after a rejection",
        ),
        ([VERIFIED_BY_TWO.model_copy(update={"second_by": None})], "without a second person"),
        ([CODED, VERIFIED, PLANNED, DISCLOSED], "before it was approved"),
        ([CODED, PLANNED, APPROVED, DISCLOSED], "before the identity was verified"),
        ([CODED, VERIFIED, CONTRADICTED, PLANNED, APPROVED, DISCLOSED], "before the identity"),
        ([CODED, VERIFIED, GIVEN, PLANNED, APPROVED, DISCLOSED], "before the identity"),
        ([UNCODED, VERIFIED, PLANNED, APPROVED, DISCLOSED], "without the case's return code"),
        ([EARLIER, VERIFIED, PLANNED, APPROVED, DISCLOSED], "without the case's return code"),
        ([ACCEPTED], "not open"),
        ([OFFERED, ACCEPTED, ACCEPTED], "not open"),
        ([OFFERED, REFUSED.model_copy(update={"team": "heron"})], "not open for this team"),
        ([OFFERED, MISSED, ACCEPTED], "not open"),
        ([OFFERED, RECEIPT], "had not accepted"),
        ([OFFERED, ACCEPTED, RECEIPT.model_copy(update={"team": "heron"})], "had not accepted"),
        ([*GUIDED, ERASED], "between planned and handed over"),
        ([PLANNED, ERASED], "between planned and handed over"),
        ([PLANNED, MISSED, PLANNED, ERASED], "between planned and handed over"),
        (
            [PLANNED, MISSED.model_copy(update={"rendezvous_id": "r-0"}), ERASED],
            "between planned and handed over",
        ),
        ([PLANNED, CLOSED, REOPENED, ERASED], "between planned and handed over"),
        ([CaseClosed(reason="hoax")], "without a second person"),
        ([CaseClosed(reason="infiltration", second_by="amber")], "without a second person"),
        ([CaseClosed(reason="hoax", second_by="AMBER ")], "without a second person"),
    ],
)
def test_what_no_guard_would_allow_is_found(unlawful: list[Event], rule: str) -> None:
    assert len(broken(unlawful)) == 1
    assert rule in broken(unlawful)[0]
