"""What `passage verify` judges of what was decided, apart from the services' own guards."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from passage.integrity.verify.rules.trail import Trail
from passage.integrity.verify.transitions import broken_rules
from shared.events import handover, intake
from shared.events.base import FIRST_PREVHASH, Event, type_of
from shared.events.catalogue import envelope_of
from shared.events.fields import Sealed
from shared.events.intake import CaseClosed
from shared.events.verification import (
    IdentityContradicted,
    IdentityRejected,
    IdentityVerified,
    RegistryChecked,
    RegistryOutcome,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SEALED = Sealed("1." + "A" * 60)

CODED = intake.CallLinked(
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
GIVEN = intake.PersonalDataProvided(identity=SEALED, provenance="caller")
VERIFIED = IdentityVerified(basis="registry_and_operator", by="amber")
VERIFIED_BY_TWO = IdentityVerified(basis="two_sources", by="amber", second_by="birch")
REJECTED = IdentityRejected(reason=SEALED, by="birch")
CONTRADICTED = IdentityContradicted(fields=("date_of_birth",), reason=SEALED)
BY_REGISTRY = CONTRADICTED.model_copy(update={"registry": "local"})
ALONE_PAST_IT = VERIFIED.model_copy(update={"reason": SEALED})
PAST_IT = VERIFIED_BY_TWO.model_copy(update={"reason": SEALED})
PLANNED = handover.RendezvousPlanned(
    rendezvous_id="r-1",
    place=SEALED,
    window_from=NOON,
    window_to=NOON,
    team="lynx",
    planned_by="amber",
)
APPROVED = handover.RendezvousApproved(rendezvous_id="r-1", by="birch")
DISCLOSED = handover.RendezvousDisclosed(rendezvous_id="r-1", to_whom=SEALED, call_id="call-2")
MISSED = handover.RendezvousMissed(rendezvous_id="r-1", who="team", reason=SEALED)
OFFERED = handover.HandoverOffered(offer_id="o-1", team="lynx", deadline_at=NOON)
ACCEPTED = handover.HandoverAccepted(offer_id="o-1", team="lynx")
REFUSED = handover.HandoverRefused(offer_id="o-1", team="lynx", reason=SEALED)
RECEIPT = handover.HandedOver(
    team="lynx", receipt_number="R-1", received_at=NOON, head_count=1, condition="ok"
)
OTHERS = RECEIPT.model_copy(update={"team": "heron"})
CLOSED = intake.CaseClosed(reason="withdrew")
REOPENED = intake.CaseReopened(reason=SEALED)
ERASED = intake.PersonalDataErased(classes=("identity",), legal_basis="court_order", by="amber")
ARRIVED = handover.ArrivedInUkraine(place=SEALED, companions=0, condition="ok")
MATCH = RegistryChecked(registry="local", about_event="last", outcome="match", score=100)
"""The registry's answer about the personal data given last."""
KNOWN: list[Event] = [CODED, GIVEN, MATCH, VERIFIED, ARRIVED]
GUIDED = [*KNOWN, PLANNED, APPROVED, DISCLOSED]


def answer(about: int, outcome: RegistryOutcome = "match") -> RegistryChecked:
    """The registry's answer about the event at a position of a list, counted from 0."""
    return RegistryChecked(
        registry="local", about_event=f"e-{about + 2}", outcome=outcome, score=100
    )


def broken(
    events: Sequence[Event],
    actor: str = "operator:amber",
    case_id: str = "CASE",
    first_version: int = 2,
    **around: Any,
) -> list[str]:
    """The rules that a case's events break; `around`: what its trail knows of the log."""
    trail = Trail(**around)
    found: list[str] = []
    claim = ""
    for version, said in enumerate(events, start=first_version):
        data = said
        if isinstance(data, RegistryChecked) and data.about_event == "last":
            data = data.model_copy(update={"about_event": claim})
        if isinstance(data, intake.PersonalDataProvided):
            claim = f"e-{version}"
        event = envelope_of(data)(
            id=f"e-{version}",
            source="/services/intake",
            type=type_of(type(data)),
            subject=case_id,
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
        [GIVEN, CONTRADICTED, PAST_IT, ARRIVED, PLANNED, APPROVED],
        [GIVEN, BY_REGISTRY, answer(0), VERIFIED],
        [GIVEN, REJECTED, GIVEN, MATCH, VERIFIED],
        [GIVEN, REJECTED, VERIFIED_BY_TWO],
        [GIVEN, MATCH, REJECTED, VERIFIED_BY_TWO, VERIFIED],
        [*KNOWN, PLANNED, APPROVED.model_copy(update={"by": "amber b"})],
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
        ([*KNOWN, PLANNED, APPROVED.model_copy(update={"by": "amber"})], "approved by one"),
        (
            [*KNOWN, PLANNED, APPROVED.model_copy(update={"by": " AMBER "})],
            "approved by one",
        ),
        ([*KNOWN, APPROVED], "not planned"),
        ([CONTRADICTED, GIVEN, VERIFIED_BY_TWO], "verified while contradicted"),
        ([CONTRADICTED, VERIFIED_BY_TWO], "verified while contradicted"),
        ([GIVEN, MATCH, CONTRADICTED, ALONE_PAST_IT], "while contradicted"),
        ([GIVEN, BY_REGISTRY, CONTRADICTED, answer(0), VERIFIED], "while contradicted"),
        ([GIVEN, BY_REGISTRY, answer(0, "partial"), VERIFIED_BY_TWO], "while contradicted"),
        ([GIVEN, CONTRADICTED, answer(0), VERIFIED], "verified while contradicted"),
        ([CONTRADICTED, GIVEN, GIVEN, answer(1), VERIFIED_BY_TWO], "verified while contradicted"),
        ([CONTRADICTED, GIVEN, answer(1, "partial"), VERIFIED_BY_TWO], "while contradicted"),
        ([GIVEN, CONTRADICTED, GIVEN, CONTRADICTED, answer(2), VERIFIED], "while contradicted"),
        ([GIVEN, REJECTED, VERIFIED], "after a rejection"),
        (
            [GIVEN, REJECTED, VERIFIED_BY_TWO.model_copy(update={"second_by": " Amber"})],
            "after a rejection",
        ),
        ([VERIFIED_BY_TWO.model_copy(update={"second_by": None})], "without a second person"),
        ([*KNOWN, PLANNED, DISCLOSED], "before it was approved"),
        ([CODED, GIVEN, MATCH, ARRIVED, PLANNED, APPROVED], "before the identity was verified"),
        ([*KNOWN, PLANNED, APPROVED, CONTRADICTED, DISCLOSED], "he is another"),
        ([*KNOWN, PLANNED, APPROVED, GIVEN, DISCLOSED], "before the identity"),
        (
            [UNCODED, *KNOWN[1:], PLANNED, APPROVED, DISCLOSED],
            "in no call with the case's return code",
        ),
        (
            [EARLIER, *KNOWN[1:], PLANNED, APPROVED, DISCLOSED],
            "in no call with the case's return code",
        ),
        ([ACCEPTED], "not open"),
        ([*GUIDED, OFFERED, ACCEPTED, ACCEPTED], "not open"),
        ([*GUIDED, OFFERED, REFUSED.model_copy(update={"team": "heron"})], "not open for this"),
        ([*GUIDED, OFFERED, MISSED, ACCEPTED], "not open"),
        ([*GUIDED, OFFERED, RECEIPT], "had not accepted"),
        ([*GUIDED, OFFERED, ACCEPTED, OTHERS], "had not accepted"),
        ([*GUIDED, ERASED], "between planned and handed over"),
        ([*KNOWN, PLANNED, ERASED], "between planned and handed over"),
        ([*KNOWN, PLANNED, MISSED, PLANNED, ERASED], "between planned and handed over"),
        (
            [*KNOWN, PLANNED, MISSED.model_copy(update={"rendezvous_id": "r-0"}), ERASED],
            "between planned and handed over",
        ),
        ([*KNOWN, PLANNED, CLOSED, REOPENED, ERASED], "between planned and handed over"),
        ([CaseClosed(reason="hoax")], "without a second person"),
        ([CaseClosed(reason="infiltration", second_by="amber")], "without a second person"),
        ([CaseClosed(reason="hoax", second_by="AMBER ")], "without a second person"),
    ],
)
def test_what_no_guard_would_allow_is_found(unlawful: list[Event], rule: str) -> None:
    assert len(broken(unlawful)) == 1
    assert rule in broken(unlawful)[0]
