"""Invented histories as `passage verify` reads them, and the rules that they break."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from passage.integrity.verify.rules.trail import Trail
from passage.integrity.verify.transitions import broken_rules
from shared.events import handover, intake
from shared.events.base import FIRST_PREVHASH, Event, type_of
from shared.events.catalogue import envelope_of
from shared.events.fields import Sealed
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
