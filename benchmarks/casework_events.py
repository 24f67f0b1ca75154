"""What happens in the cases of a hotline, by events whose sealed values open with no key.

What names a case or is its own stands in them as a placeholder.
"""

from datetime import UTC, datetime, timedelta

from benchmarks.story import CALLER_KEY
from shared.events import handover, intake, verification
from shared.events.base import Event
from shared.events.fields import Sealed

DAY = datetime(2026, 3, 1, 9, tzinfo=UTC)
SOMETHING = Sealed("1." + "c29tZXRoaW5n" * 20)
WHO_HE_IS = Sealed("1." + "d2hvaGVpcw" * 20)
CASE = "CASECASECASE"
NUMBER_KEY, CODE_KEY = "1" * 64, "2" * 64

CALLED = intake.CallLinked(
    call_id=f"{CASE}-call-2",
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
KNOWN: list[Event] = [
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
    intake.PersonalDataProvided(
        identity=WHO_HE_IS, provenance="caller", service_number_key=NUMBER_KEY
    ),
    verification.RegistryChecked(
        registry="invented registry", about_event=f"{CASE}-3", outcome="match", score=97
    ),
    verification.IdentityVerified(basis="registry_and_operator", by="Olena Example"),
]
WAITING: list[Event] = [
    *KNOWN,
    intake.SurrenderDeclared(party="alone", declared_size=1),
    intake.ReturnCodeIssued(code_hash=CODE_KEY),
    intake.ContactRuleSet(rule="never"),
    CALLED,
    _triage(2),
]
GUIDED: list[Event] = [
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
]
LIFECYCLE: list[Event] = [*KNOWN, CALLED, *GUIDED]
"""The ten steps that `benchmarks.story` plays."""
HANDED_OVER: tuple[Event, ...] = (
    *GUIDED,
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
    intake.CaseClosed(reason="handed_over"),
)
CLOSED: tuple[Event, ...] = (intake.CaseClosed(reason="unreachable"),)
