"""What can be asked of handover."""

from typing import Annotated

from pydantic import Field

from shared.commands.base import Decision, Fact
from shared.commands.case_numbers import CaseNumbers
from shared.events.custody import Custody
from shared.events.fields import At, HeadCount, Id, Language, Person, Place, Text, Word
from shared.events.handover import Condition, Missed, OverridableGuard


class RecordArrival(Fact):
    """Record that he is on Ukrainian territory."""

    place: Place
    companions: HeadCount = 0
    condition: Condition = "unknown"
    call_id: Id | None = None


class PlanRendezvous(Decision):
    """Propose where and when he meets which team."""

    place: Place
    window_from: At
    window_to: At
    team: Word


class ApproveRendezvous(Decision):
    """Agree to a rendezvous that another person planned."""

    rendezvous_id: Id


class DiscloseRendezvous(Decision):
    """Tell the caller the place: in the call he is on, or by a message to him.

    `call_id` of a call in which he gave his code and which hasn't ended; or, if the contact rule
    allows it, `message_id` of a SendMessage with this `rendezvous_id`, which goes once this is
    recorded.
    """

    rendezvous_id: Id
    to_whom: Word
    call_id: Id | None = None
    message_id: Id | None = None


class GiveGuidance(Decision):
    """Tell him a step of his way to the place he was told, in a call or by a message.

    `message_id` of a SendMessage with the `rendezvous_id`, which goes once this is recorded.
    """

    step: Place
    call_id: Id | None = None
    message_id: Id | None = None


class ReplanRendezvous(Decision):
    """Propose another place or window to replace the rendezvous planned last."""

    replaces: Id
    place: Place
    window_from: At
    window_to: At
    team: Word
    reason: Text


class CancelRendezvous(Decision):
    """Cancel the rendezvous."""

    rendezvous_id: Id
    reason: Text


class UseEmergencyOverride(Decision):
    """Set one guard aside, with another person, until `expires_at`: at most 24 hours ahead."""

    guard: OverridableGuard
    reason: Text
    second_by: Person
    expires_at: At


class RecordMissed(Fact):
    """Record that a rendezvous was missed, and by whom."""

    rendezvous_id: Id
    who: Missed
    reason: Word


class OfferHandover(Decision):
    """Ask a receiving team to take him."""

    team: Word
    deadline_at: At


class AcceptHandover(Decision):
    """The team asked will take him."""

    offer_id: Id
    team: Word


class RefuseHandover(Decision):
    """The team asked won't take him."""

    offer_id: Id
    team: Word
    reason: Word


class RecordHandover(Decision):
    """Record the receiving team's receipt."""

    team: Word
    receipt_number: Word
    received_at: At
    head_count: HeadCount
    condition: Condition = "unknown"


class RecordContactLost(Fact):
    """Record that the man no longer answers."""

    since: At


class WithdrawHandover(Decision):
    """Withdraw an offer that the team hasn't answered."""

    offer_id: Id
    reason: Text


class RecordGroupHandover(Decision):
    """Record one receipt for a group, on the case that leads it.

    `received`, `missing` and `refused` are case numbers; `extra` counts those without a case.
    """

    team: Word
    receipt_number: Word
    received_at: At
    head_count: HeadCount
    received: Annotated[CaseNumbers, Field(min_length=1)]
    missing: CaseNumbers = ()
    refused: CaseNumbers = ()
    extra: HeadCount = 0
    condition: Condition = "unknown"


class ResolveDiscrepancy(Decision):
    """Say, with another person, what became of the difference between counts."""

    explanation: Text
    second_by: Person


class RecordContactRegained(Fact):
    """Record that a lost man was heard of again."""

    call_id: Id | None = None


class SetFollowUp(Fact):
    """Set a reminder of a case at `due_at`; without it, clear the reminder."""

    due_at: At | None = None
    remark: Text | None = None


class RecordCustody(Fact):
    """Record where he is held, or that he no longer is."""

    custody: Custody
    changed_at: At
    place: Place | None = None


class ConfirmCaptureCard(Fact):
    """Record that his capture card was sent."""

    reference: Word
    sent_at: At


class OfferExchange(Decision):
    """Ask him whether he wants to be exchanged."""

    language: Language
    wording: Word


class GiveExchangeConsent(Decision):
    """Record that he wants to be exchanged, what was read to him, and before whom."""

    language: Language
    wording: Word
    witness: Person


class WithdrawExchangeConsent(Fact):
    """Record that he doesn't want to be exchanged; never refused for its reason or its time."""

    witness: Person
    remark: Text | None = None


class RecordExchange(Decision):
    """Record that he was exchanged; his consent must stand."""

    exchanged_at: At


class GivePublicityConsent(Decision):
    """Record that he may be shown in public, as far as the wording says."""

    language: Language
    wording: Word
    witness: Person


class WithdrawPublicityConsent(Fact):
    """Record that he may no longer be shown in public."""

    witness: Person
    remark: Text | None = None
