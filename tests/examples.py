"""Invented events, recognisably so, and case logs made of them; for everybody's tests.

Nobody here exists: surnames are Beispiel, Vzorov and Primerenko, places are Musterdorf, teams are
named after birds. Sealed tokens are made up and open with no key.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.events import handover, intake, verification
from shared.events.base import FIRST_PREVHASH, CaseEvent, Event, chain_hash, type_of
from shared.events.catalogue import OWNER, envelope_of
from shared.events.fields import Channel, PersonalClass, Sealed
from shared.events.signatures import Signature

CASE = "7KQ2M9XW4TRD"
OTHER_CASE = "3FHN8VZP6AJC"
NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
"""When every example begins."""


def sealed(about: str = "Beispiel") -> Sealed:
    """A token that looks sealed; no key opens it."""
    return Sealed("1." + hashlib.sha256(about.encode()).hexdigest())


def digest(about: str) -> str:
    """A keyed hash as far as its form goes."""
    return hashlib.sha256(about.encode()).hexdigest()


def case_opened(
    call_id: str = "call-1", channel: Channel = "phone", at: datetime = NOON
) -> intake.CaseOpened:
    return intake.CaseOpened(
        call_id=call_id,
        channel=channel,
        caller_key=digest("caller of Musterdorf"),
        caller_address=sealed("+380 00 000 00 00"),
        language="ru",
        started_at=at,
        text=sealed("I want to live"),
    )


def call_linked(
    call_id: str = "call-2", channel: Channel = "telegram", at: datetime = NOON
) -> intake.CallLinked:
    return intake.CallLinked(
        call_id=call_id,
        channel=channel,
        caller_key=digest("caller of Musterdorf"),
        caller_address=sealed("@beispiel"),
        language="uk",
        started_at=at,
        basis="return_code",
        confidence=1.0,
        text=sealed("it is me again"),
    )


def call_triaged(
    call_id: str = "call-1", intent: intake.Intent = "surrender", urgency: intake.Urgency = "today"
) -> intake.CallTriaged:
    return intake.CallTriaged(call_id=call_id, intent=intent, situation="serving", urgency=urgency)


def surrender_declared() -> intake.SurrenderDeclared:
    return intake.SurrenderDeclared(party="alone", declared_size=1)


def personal_data_provided() -> intake.PersonalDataProvided:
    return intake.PersonalDataProvided(
        identity=sealed("Vzorov"),
        provenance="caller",
        unit=sealed("1st invented brigade"),
        service_number_key=f"1-{digest('AB000123')}",
    )


def return_code_issued(code: str = "000 111 2222") -> intake.ReturnCodeIssued:
    return intake.ReturnCodeIssued(code_hash=digest(code))


def note_added() -> intake.NoteAdded:
    return intake.NoteAdded(text=sealed("sounded calm"))


def case_closed(reason: intake.ClosingReason = "handed_over") -> intake.CaseClosed:
    return intake.CaseClosed(reason=reason)


def case_reopened() -> intake.CaseReopened:
    return intake.CaseReopened(reason=sealed("closed by mistake"))


ALL_CLASSES: tuple[PersonalClass, ...] = ("identity", "location", "narrative")


def erasure_requested(*classes: PersonalClass) -> intake.ErasureRequested:
    return intake.ErasureRequested(
        classes=classes or ALL_CLASSES,
        legal_basis="request_of_person",
        by="Olena Example",
        reference=sealed("letter 17"),
    )


def personal_data_erased(
    *classes: PersonalClass, legal_basis: intake.LegalBasis = "request_of_person"
) -> intake.PersonalDataErased:
    return intake.PersonalDataErased(
        classes=classes or ALL_CLASSES, legal_basis=legal_basis, by="Olena Example"
    )


def registry_checked(
    outcome: verification.RegistryOutcome = "match", about_event: str = f"{CASE}-4"
) -> verification.RegistryChecked:
    """A registry's answer; in a CaseBook, version n of a case has the id `<case_id>-<n>`."""
    return verification.RegistryChecked(
        registry="invented registry",
        about_event=about_event,
        outcome=outcome,
        score=97,
        fields_agreeing=("surname", "service_number"),
    )


def verification_escalated() -> verification.VerificationEscalated:
    return verification.VerificationEscalated(reason="partial")


def identity_verified() -> verification.IdentityVerified:
    return verification.IdentityVerified(basis="registry_and_operator", by="Olena Example")


def identity_contradicted() -> verification.IdentityContradicted:
    return verification.IdentityContradicted(
        fields=("date_of_birth",), reason=sealed("another year in the registry")
    )


def identity_rejected() -> verification.IdentityRejected:
    return verification.IdentityRejected(
        fields=("surname",), reason=sealed("nobody of that name"), by="Olena Example"
    )


def arrived_in_ukraine() -> handover.ArrivedInUkraine:
    return handover.ArrivedInUkraine(
        place=sealed("Musterdorf"), companions=0, condition="ok", call_id="call-2"
    )


def rendezvous_planned(rendezvous_id: str = "meet-1") -> handover.RendezvousPlanned:
    return handover.RendezvousPlanned(
        rendezvous_id=rendezvous_id,
        place=sealed("the mill of Musterdorf"),
        window_from=NOON + timedelta(hours=6),
        window_to=NOON + timedelta(hours=8),
        team="Heron",
        planned_by="Olena Example",
    )


def rendezvous_approved(rendezvous_id: str = "meet-1") -> handover.RendezvousApproved:
    return handover.RendezvousApproved(rendezvous_id=rendezvous_id, by="Petro Example")


def rendezvous_disclosed(rendezvous_id: str = "meet-1") -> handover.RendezvousDisclosed:
    return handover.RendezvousDisclosed(
        rendezvous_id=rendezvous_id, to_whom=sealed("the caller"), call_id="call-2"
    )


def rendezvous_missed(rendezvous_id: str = "meet-1") -> handover.RendezvousMissed:
    return handover.RendezvousMissed(
        rendezvous_id=rendezvous_id, who="team", reason=sealed("the drone's battery")
    )


def handover_offered(offer_id: str = "offer-1", team: str = "Heron") -> handover.HandoverOffered:
    return handover.HandoverOffered(
        offer_id=offer_id, team=team, deadline_at=NOON + timedelta(hours=9)
    )


def handover_accepted(offer_id: str = "offer-1", team: str = "Heron") -> handover.HandoverAccepted:
    return handover.HandoverAccepted(offer_id=offer_id, team=team)


def handover_refused(offer_id: str = "offer-1", team: str = "Heron") -> handover.HandoverRefused:
    return handover.HandoverRefused(offer_id=offer_id, team=team, reason=sealed("on another way"))


def handed_over() -> handover.HandedOver:
    return handover.HandedOver(
        team="Heron",
        receipt_number="R-0001",
        received_at=NOON + timedelta(hours=10),
        head_count=1,
        condition="ok",
    )


def contact_lost() -> handover.ContactLost:
    return handover.ContactLost(since=NOON + timedelta(hours=3), by="Olena Example")


def group_handed_over(
    received: tuple[str, ...], missing: tuple[str, ...] = ()
) -> handover.GroupHandedOver:
    return handover.GroupHandedOver(
        group_id=CASE,
        team="Heron",
        receipt_number="R-0002",
        received_at=NOON,
        head_count=len(received),
        received=received,
        missing=missing,
    )


def whole_way(case_id: str = CASE) -> list[Event]:
    """What happens to a man who is handed over: every event in its usual order."""
    return [
        case_opened(),
        call_triaged(),
        surrender_declared(),
        personal_data_provided(),
        registry_checked(about_event=f"{case_id}-4"),
        return_code_issued(),
        identity_verified(),
        call_linked(),
        call_triaged("call-2", urgency="life_now"),
        arrived_in_ukraine(),
        rendezvous_planned(),
        rendezvous_approved(),
        rendezvous_disclosed(),
        handover_offered(),
        handover_accepted(),
        handed_over(),
        case_closed(),
    ]


@dataclass
class CaseBook:
    """One case's log while it grows: versions from 1, each event chained to the stored bytes."""

    case_id: str = CASE
    at: datetime = NOON
    version: int = 0
    last_hash: str = FIRST_PREVHASH
    stored: list[tuple[str, bytes]] = field(default_factory=list)
    """Type name and stored bytes of every event, in order."""
    written: int = 0
    """How many of them a test has put into a log."""

    def add(self, event: Event, *signatures: Signature) -> CaseEvent[Any]:
        """Records one event a minute after the one before."""
        self.version += 1
        envelope = envelope_of(event)(
            id=f"{self.case_id}-{self.version}",
            source=f"/services/{OWNER[type(event)]}",
            type=type_of(type(event)),
            subject=self.case_id,
            time=self.at + timedelta(minutes=self.version - 1),
            data=event,
            caseversion=self.version,
            correlationid=f"correlation-{self.version}",
            causationid=f"cause-{self.version}",
            actor="operator:Olena Example",
            prevhash=self.last_hash,
            signatures=signatures or None,
        )
        body = envelope.model_dump_json(exclude_none=True).encode()
        self.last_hash = chain_hash(body)
        self.stored.append((type(event).__name__, body))
        return envelope

    def add_all(self, events: Iterable[Event]) -> list[CaseEvent[Any]]:
        return [self.add(event) for event in events]
