"""POST /api/candidates: who is this caller? The cases that may be his, and why, for a person.

Returns names of fields that agree or conflict, never values; a name alone is a suggestion.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Self

from fastapi import APIRouter
from pydantic import Field, model_validator

from services.query.api.shapes import Shape
from services.query.context import AppContext, Context
from services.query.models.case_row import CaseRow
from services.query.reads.candidate_reads import CandidateReads
from services.query.reads.candidates import Asked, Candidates
from services.query.reads.comparing import Basis, Candidate, PersonField
from services.query.requests.authorised import known_of, require_need
from services.query.requests.body import ForPurpose
from services.query.requests.caller import Called, Caller, not_your_role
from services.query.requests.problems import ProblemError, problems
from services.query.requests.search import Typed, WhoCalls
from shared.callers.contact_rule import with_zones
from shared.commands.case_numbers import CaseNumber
from shared.events.fields import BirthDate, ContactWindow, Name, PersonalClass
from shared.events.intake import ContactRule
from shared.matching import STATED_FIELDS, Stated, Verdict
from shared.people.roles import Role

IDENTITY: tuple[PersonalClass, ...] = ("identity",)
JUDGING = frozenset[Role]({"verifier", "supervisor"})
"""Who may have the reasons of any comparison."""
STANDING = frozenset({"planned", "replanned", "approved", "disclosed"})


class WhoIsThis(ForPurpose):
    """What is known of a caller, or the case whose caller is meant; and what for."""

    case_id: CaseNumber | None = None
    code: Typed | None = None
    caller: WhoCalls | None = None
    service_number: Name | None = None
    surname: Name | None = None
    first_names: Name | None = None
    patronymic: Name | None = None
    date_of_birth: BirthDate | None = None
    unit: Name | None = None
    reveal: bool = False
    """Also explain why each field agrees or not, in words that hold what was said and told, where
    both cases' values are theirs to see who asks."""

    @model_validator(mode="after")
    def _something_to_find_by(self) -> Self:
        told = self.model_fields_set - {"purpose", "remark", "case_id", "reveal"}
        if self.case_id is not None and told:
            raise ValueError("give case_id or what the caller says, not both")
        if self.case_id is None and not told - {"date_of_birth", "unit"}:
            raise ValueError("give case_id, code, caller, service_number or a name")
        return self

    def asked(self, shows: Callable[[CaseRow], bool] | None) -> Asked:
        return Asked(
            Stated(**{name: getattr(self, name) for name in STATED_FIELDS}),
            self.code or "",
            ((self.caller.channel, self.caller.address.strip()),) if self.caller else (),
            self.caller.region if self.caller else None,
            shows=shows,
        )


class OpenPlan(Shape):
    """A rendezvous that is still planned."""

    state: str
    team: str | None
    window_from: datetime | None
    window_to: datetime | None


class Contact(Shape):
    """When he may be called."""

    rule: ContactRule = "never"
    windows: list[ContactWindow] = Field(default=[])


class FieldVerdict(Shape):
    """The result of comparing one field."""

    field: PersonField
    verdict: Verdict
    reason: str | None = None
    """Only with `reveal`: it holds personal values."""


class FoundCandidate(Shape):
    """A man who may be the caller; `case_id` is his last episode, `found_in` where he was found."""

    case_id: str
    found_in: list[str]
    episode: int
    basis: Basis
    suggestion_only: bool
    """Found by a name alone: others may have it."""
    reason: str
    agrees: list[PersonField]
    conflicts: list[PersonField]
    says_nothing: list[PersonField]
    """Both sides have the field, and it speaks neither for him nor against him."""
    verdicts: list[FieldVerdict]
    name_score: int
    """How similar the name is, out of 100; 0 if he wasn't found by name."""
    waiting: bool
    """Whether the case is open and he isn't handed over."""
    progress: str
    identity: str
    plan: OpenPlan | None
    contact: Contact
    channel: str | None
    last_call_at: datetime | None


class FoundCandidates(Shape):
    """Candidates, strongest first, 20 at most; nothing makes two of them one man's.

    `names_complete` is false while query is still opening names: ask again in a minute.
    """

    items: list[FoundCandidate]
    more: bool
    """Others may be meant too: say more about him."""
    names_complete: bool
    sequence: int


router = APIRouter(prefix="/api", tags=["cases"])


@router.post("/candidates", responses=problems(403, 404, 429, 503))
def candidates(context: AppContext, caller: Called, wanted: WhoIsThis) -> FoundCandidates:
    """Finds out who a caller may be; who asks is recorded, and what for."""
    shows = None
    if wanted.reveal:
        _require_reasons(context, caller, wanted.case_id)
        shows = partial(_may_see_reasons, caller)
    looking = Candidates(CandidateReads(context.generations), context.keys, context.names)
    if wanted.case_id is not None:
        answer = looking.of_case(wanted.case_id, caller.account, wanted.why, shows=shows)
    else:
        answer = looking.of_caller(wanted.asked(shows), caller.account, wanted.why)
    if answer is None:
        raise ProblemError(404, "no-such-case", "There is no such case.")
    return FoundCandidates(
        items=[
            _shown(one, reveal=shows is not None and shows(one.case))
            for one in answer.found.candidates
        ],
        more=answer.found.more,
        names_complete=answer.found.complete,
        sequence=answer.sequence,
    )


def _require_reasons(context: Context, caller: Caller, case_id: str | None) -> None:
    """Raises ProblemError 403: reasons hold values of cases that may be another's."""
    if not JUDGING.isdisjoint(caller.roles):
        return
    if case_id is None:
        raise not_your_role(JUDGING)
    case = context.reads.cases_by_ids([case_id]).found.get(case_id)
    if case is not None:
        require_need(caller, case, IDENTITY)


def _may_see_reasons(caller: Caller, case: CaseRow) -> bool:
    return not JUDGING.isdisjoint(caller.roles) or known_of(caller, case).issuperset(IDENTITY)


def _shown(one: Candidate, *, reveal: bool) -> FoundCandidate:
    case, contact = one.case, one.contact
    return FoundCandidate(
        case_id=case.case_id,
        found_in=list(one.found_in),
        episode=case.episode,
        basis=one.basis,
        suggestion_only=one.basis == "name",
        reason=one.reason,
        agrees=one.fields("agrees"),
        conflicts=one.fields("conflicts"),
        says_nothing=one.fields("says_nothing"),
        verdicts=[
            FieldVerdict(
                field=field, verdict=judged.verdict, reason=judged.reason if reveal else None
            )
            for field, judged in one.judged.items()
        ],
        name_score=one.score,
        waiting=one.waits,
        progress=case.progress,
        identity=case.identity,
        plan=_plan(case) if one.waits and case.rendezvous in STANDING else None,
        contact=Contact(rule=contact.rule, windows=with_zones(contact)) if contact else Contact(),
        channel=case.channel,
        last_call_at=case.last_call_at,
    )


def _plan(case: CaseRow) -> OpenPlan:
    return OpenPlan(
        state=case.rendezvous,
        team=case.team,
        window_from=case.rendezvous_window_from,
        window_to=case.rendezvous_window_to,
    )
