"""What intake records: calls becoming cases, and what callers say."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from shared.events.base import Event
from shared.events.calls import Change
from shared.events.fields import (
    At,
    Channel,
    ContactWindows,
    HeadCount,
    Id,
    KeyedHash,
    Language,
    Person,
    PersonalClasses,
    PersonalIdentity,
    PersonalNarrative,
    Word,
)

Intent = Literal[
    "surrender", "advice", "relative", "journalist", "hoax", "abusive", "silent", "other"
]
Situation = Literal["serving", "mobilised", "not_mobilised", "on_ukrainian_territory", "unknown"]
Urgency = Literal["life_now", "today", "later"]
LinkBasis = Literal["return_code", "earlier_code", "caller", "operator"]
Provenance = Literal["caller", "relative", "after_capture"]
ContactRule = Literal["never", "window", "yes"]
CaseLinkBasis = Literal[
    "return_code", "caller", "service_number", "name", "told_by_caller", "other"
]
IntakeDeadline = Literal["life_now_unanswered", "second_call_review"]
SecondFact = Literal["personal_data", "called_back", "known_to_operator", "other"]
LegalBasis = Literal["request_of_person", "retention_passed", "court_order", "location_retention"]
ClosingReason = Literal[
    "handed_over",
    "advice_given",
    "withdrew",
    "unreachable",
    "hoax",
    "infiltration",
    "died",
    "duplicate",
    "other",
]


class CaseOpened(Event):
    """A call that belongs to no open case began a new one; always the case's first event.

    `caller_key` is a keyed hash of channel and address; both are missing if the number is
    withheld. `unmatched_code`: he gave a return code that no case has. `split_from`: the case from
    whose call an operator opened this one, because another man was on the line too; the call then
    counts there, and nothing the caller said is repeated here.

    `reading_keys`: the numbers his may be; `name_key`: the name that his account shows; both as
    keyed hashes, only for search.

    `changed`: what was done to the call so that it could be recorded; `as_received` seals the
    original of those parts, a JSON object by field, and `address_as_received` those that name
    somebody. `same_id_as`: the channel gave the id of that call to these other words: an edit, or
    another man's call.
    """

    call_id: Id
    channel: Channel
    caller_key: KeyedHash | None = None
    caller_address: PersonalIdentity | None = None
    display_name: PersonalIdentity | None = None
    language: Language
    started_at: At
    episode: Annotated[int, Field(ge=1)] = 1
    previous_case: Id | None = None
    text: PersonalNarrative | None = None
    recording_ref: Id | None = None
    media: tuple[Id, ...] = ()
    unmatched_code: bool = False
    changed: tuple[Change, ...] | None = None
    same_id_as: Id | None = None
    as_received: PersonalNarrative | None = None
    address_as_received: PersonalIdentity | None = None
    split_from: Id | None = None
    reading_keys: tuple[KeyedHash, ...] | None = None
    name_key: KeyedHash | None = None


class CallLinked(Event):
    """A further call was found to belong to this case; `basis` says by what, `confidence` 0 to 1.

    Only basis `return_code` shows that the caller knows something this case was told;
    `earlier_code` is the code of an earlier episode, or one that a later code replaced.
    `second_fact_needed`: the code came from a channel he never called on, or after many wrong ones;
    on its own it isn't enough to tell him a place (`CallerConfirmed`). `changed` and what follows:
    as in CaseOpened.
    """

    call_id: Id
    channel: Channel
    caller_key: KeyedHash | None = None
    caller_address: PersonalIdentity | None = None
    display_name: PersonalIdentity | None = None
    language: Language
    started_at: At
    basis: LinkBasis
    confidence: Annotated[float, Field(ge=0, le=1)]
    text: PersonalNarrative | None = None
    recording_ref: Id | None = None
    media: tuple[Id, ...] = ()
    unmatched_code: bool = False
    second_fact_needed: Literal[True] | None = None
    reading_keys: tuple[KeyedHash, ...] | None = None
    name_key: KeyedHash | None = None
    changed: tuple[Change, ...] | None = None
    same_id_as: Id | None = None
    as_received: PersonalNarrative | None = None
    address_as_received: PersonalIdentity | None = None


class CallTriaged(Event):
    """An operator judged what a call is about and how urgent it is. Version 1 had no situation."""

    VERSION: ClassVar[int] = 2

    call_id: Id
    intent: Intent
    situation: Situation
    urgency: Urgency


class SurrenderDeclared(Event):
    """The caller said that he wants to surrender; `declared_size` counts him too."""

    party: Literal["alone", "group"]
    declared_size: HeadCount


class PersonalDataProvided(Event):
    """Somebody stated who the man is; `identity` seals an `Identity`. A claim, not a finding.

    `service_number_key` is a keyed hash of the folded service number: it finds the case by the
    number without showing it. It is missing if no number was given.
    """

    identity: PersonalIdentity
    provenance: Provenance
    unit: PersonalIdentity | None = None
    service_number_key: KeyedHash | None = None


class ReturnCodeIssued(Event):
    """The caller was given a code to call back with; only its keyed hash is kept.

    `duress_hash`: the code's twin, told with it, for when somebody forces him to call. Codes
    issued before there were twins have none. Earlier codes are void from here on; their twins
    still signal duress.
    """

    code_hash: KeyedHash
    duress_hash: KeyedHash | None = None


class CallerConfirmed(Event):
    """An operator found by a second fact that the man himself gave the code in this call."""

    call_id: Id
    channel: Channel
    second_fact: SecondFact
    by: Person
    remark: PersonalNarrative | None = None


class DuressSignalled(Event):
    """In this call he gave the duress twin of his code: somebody may be forcing him.

    Only supervisors see it. The call itself is linked as with the code, so the caller can notice
    no difference.
    """

    call_id: Id
    channel: Channel


class DuressCleared(Event):
    """A supervisor found that nobody is forcing him, or no longer is."""

    by: Person
    reason: PersonalNarrative


class NoteAdded(Event):
    """An operator wrote something down."""

    text: PersonalNarrative


class AdviceGiven(Event):
    """An operator told a caller what he can do; most calls end this way."""

    text: PersonalNarrative
    call_id: Id | None = None


class ContactRuleSet(Event):
    """He said whether, and when, it is safe to contact him; until he says so it never is.

    `windows`: the times of day at which it is; only for rule `window`. `recorded_at` is our clock;
    missing in events from before it was kept. `said_at` is the clock of whoever reported it with a
    time; missing if it was reported as he said it.
    """

    rule: ContactRule
    windows: ContactWindows = ()
    recorded_at: At | None = None
    said_at: At | None = None


class DeadlinePassed(Event):
    """A deadline of intake's passed without action; somebody must look.

    `life_now_unanswered`: nobody had claimed a case of urgency `life_now`. `second_call_review`:
    he was given a code and hasn't called again.
    """

    rule: IntakeDeadline
    due_at: At


class CasesLinked(Event):
    """A person accepted that another case may be the same man's; a link, never a merge.

    It is in both cases' logs. There is no `confidence`: a person decided.
    """

    other_case: Id
    basis: CaseLinkBasis
    reason: PersonalNarrative


class CasesUnlinked(Event):
    """A person removed the link with another case; in both cases' logs."""

    other_case: Id
    reason: PersonalNarrative


class EpisodeContinued(Event):
    """He called again after this case was over; his present one is `next_case`."""

    next_case: Id


class CaseClosed(Event):
    """A person ended the hotline's work on the case; it can be reopened."""

    reason: ClosingReason
    second_by: Word | None = None


class CaseReopened(Event):
    """A person reopened the closed case."""

    reason: PersonalNarrative


class ErasureRequested(Event):
    """An erasure was found lawful but may not happen yet: he is on his way to be handed over.

    It is carried out as soon as it may be. `reference` is what the request is filed under.
    """

    classes: PersonalClasses
    legal_basis: LegalBasis
    by: Word
    reference: PersonalNarrative | None = None


class PersonalDataErased(Event):
    """Whatever was sealed in these classes up to here is gone: this event destroys its keys.

    Everything else in the case stays. Data given later is sealed under new keys, and may be erased
    again. `reference` belongs to the narrative class, and goes if that is among them.
    """

    classes: PersonalClasses
    legal_basis: LegalBasis
    by: Word
    reference: PersonalNarrative | None = None
