"""What happens in the cases of a hotline, as templates: one event as stored, placeholders in it.

Everything in it that is sealed opens with no key, but for who the man is: that is put in.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from benchmarks.story import CALLER_KEY
from shared.events import handover, intake, verification
from shared.events.base import Event, type_of
from shared.events.catalogue import OWNER, envelope_of
from shared.events.fields import Sealed

DAY = datetime(2026, 3, 1, 9, tzinfo=UTC)
SOMETHING = Sealed("1." + "c29tZXRoaW5n" * 20)
WHO_HE_IS = Sealed("1." + "d2hvaGVpcw" * 20)
CASE, VERSION = "CASECASECASE", 987654321
NUMBER_KEY, CODE_KEY, PREVIOUS = "1" * 64, "2" * 64, "3" * 64
"""What stands in a template in place of a case's own."""


def _call(number: int) -> intake.CallLinked:
    return intake.CallLinked(
        call_id=f"{CASE}-call-{number}",
        channel="phone",
        caller_key=CALLER_KEY,
        caller_address=SOMETHING,
        language="ru",
        started_at=DAY,
        basis="return_code",
        confidence=1.0,
        text=SOMETHING,
    )


def _triage(number: int) -> intake.CallTriaged:
    call_id = f"{CASE}-call-{number}"
    return intake.CallTriaged(
        call_id=call_id, intent="surrender", situation="serving", urgency="today"
    )


NOTE = intake.NoteAdded(text=SOMETHING)
WAITING: list[Event] = [
    intake.CaseOpened(
        call_id=f"{CASE}-call-1",
        channel="phone",
        caller_key=CALLER_KEY,
        caller_address=SOMETHING,
        language="ru",
        started_at=DAY,
        text=SOMETHING,
    ),
    _triage(1),
    intake.SurrenderDeclared(party="alone", declared_size=1),
    intake.PersonalDataProvided(
        identity=WHO_HE_IS, provenance="caller", service_number_key=NUMBER_KEY
    ),
    verification.RegistryChecked(
        registry="invented registry", about_event=f"{CASE}-4", outcome="match", score=97
    ),
    intake.ReturnCodeIssued(code_hash=CODE_KEY),
    verification.IdentityVerified(basis="registry_and_operator", by="Olena Example"),
    intake.ContactRuleSet(rule="never"),
    _call(2),
    _triage(2),
]
ON_THE_WAY: list[Event] = [
    handover.ArrivedInUkraine(
        call_id=f"{CASE}-call-2", place=SOMETHING, companions=0, condition="ok"
    ),
    handover.RendezvousPlanned(
        rendezvous_id=f"{CASE}-meeting",
        place=SOMETHING,
        window_from=DAY + timedelta(hours=3),
        window_to=DAY + timedelta(hours=5),
        team="Heron",
        planned_by="Olena Example",
    ),
    handover.RendezvousApproved(rendezvous_id=f"{CASE}-meeting", by="Petro Example"),
    handover.RendezvousDisclosed(
        rendezvous_id=f"{CASE}-meeting", to_whom=SOMETHING, call_id=f"{CASE}-call-2"
    ),
    handover.HandoverOffered(
        offer_id=f"{CASE}-offer", team="Heron", deadline_at=DAY + timedelta(hours=6)
    ),
    handover.HandoverAccepted(offer_id=f"{CASE}-offer", team="Heron"),
    handover.HandedOver(
        team="Heron",
        receipt_number="R-0001",
        received_at=DAY + timedelta(hours=5),
        head_count=1,
        condition="ok",
    ),
]


class Template(NamedTuple):
    """One event as stored, with placeholders for what is the case's own."""

    type_name: str
    body: str

    @classmethod
    def of(cls, event: Event) -> Template:
        envelope = envelope_of(event)(
            id=f"{CASE}-{VERSION}",
            source=f"/services/{OWNER[type(event)]}",
            type=type_of(type(event)),
            subject=CASE,
            time=DAY,
            data=event,
            caseversion=VERSION,
            correlationid=f"{CASE}-{VERSION}",
            causationid=f"{CASE}-{VERSION}",
            actor="operator:Olena Example",
            prevhash=PREVIOUS,
        )
        return cls(type(event).__name__, envelope.model_dump_json(exclude_none=True))


KINDS: dict[str, list[Event]] = {
    "waiting": WAITING,
    "on the way": ON_THE_WAY,
    "note": [NOTE],
    "closed": [intake.CaseClosed(reason="unreachable")],
    "ended": [intake.CaseClosed(reason="handed_over")],
}
TEMPLATES = {name: [Template.of(event) for event in events] for name, events in KINDS.items()}
