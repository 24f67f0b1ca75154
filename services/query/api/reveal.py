"""Reveals personal values of a case, for a named person and a purpose; and who had some revealed.

The key holder records an access before it answers. Nothing opened here is kept.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Annotated, Self

from fastapi import APIRouter
from pydantic import Field, model_validator

from services.query.api.shapes import Revealed, RevealedValue, Shape
from services.query.context import AppContext, Context
from services.query.masking import may_open, type_shown
from services.query.reads.opening import Found, content_of, first_values, opened, personal_values
from services.query.reads.slices import Slice
from services.query.requests.authorised import is_supervisor, require_need
from services.query.requests.body import SEQUENCE_MAX, Body, ForPurpose, VersionCursor
from services.query.requests.caller import Called, Caller
from services.query.requests.cases import CaseId, following, look_up
from services.query.requests.problems import answering, problems
from shared.diagnostics.logger import logger
from shared.events.catalogue import CASE_EVENTS
from shared.events.fields import PersonalClass, Word
from shared.keys.access import AccessRecord, SearchKind, Use
from shared.keys.messages import VALUES_MAX
from shared.written.values import Whole

FIELDS_MAX = 1_000
VALUES_SHOWN = 200

PROBLEMS = problems(
    (403, "They aren't yours to know, or the key holder doesn't open them for us"),
    (404, "There is no such case"),
    (429, "The person's budget is spent; `Retry-After` says for how long"),
    (503, "The key holder is sealed; `passage keys unseal`"),
)


class RevealedField(Body):
    """One personal value of a case, by its place."""

    version: Annotated[Whole, Field(ge=1, le=SEQUENCE_MAX)]
    field: Word


class Reveal(ForPurpose):
    """What is wanted, and what for. Either `classes` or `fields`."""

    classes: tuple[PersonalClass, ...] = ()
    fields: Annotated[tuple[RevealedField, ...], Field(max_length=FIELDS_MAX)] = ()
    up_to_version: Annotated[Whole, Field(ge=1, le=SEQUENCE_MAX)] | None = None
    """Only values from after this version."""
    limit: Annotated[Whole, Field(ge=1, le=VALUES_MAX)] = VALUES_SHOWN
    """How many values in one answer; a page ends with an event."""
    cursor: VersionCursor = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if bool(self.classes) == bool(self.fields):
            raise ValueError("give classes or fields")
        return self

    def slice(self) -> Slice:
        """The events that may hold what is wanted."""
        return Slice(
            after_version=int(self.cursor or 0),
            limit=self.limit,
            types=types_with(self.classes) if self.classes else None,
            up_to_version=self.up_to_version,
            versions={one.version for one in self.fields} if self.fields else None,
        )

    def asks_for(self, found: Found) -> bool:
        version, field = found.value.version, found.value.field
        if self.up_to_version is not None and version > self.up_to_version:
            return False
        by_place = RevealedField(version=version, field=field) in self.fields
        return found.personal_class in self.classes or by_place


class OpenedField(Shape):
    """A personal value that somebody had opened."""

    case_id: str
    version: int
    type_name: str
    field: str


class Access(Shape):
    """One opening, or a search that found the case: `asked` says by what.

    `cases`: how many cases in all; `values`: what was opened of this one.
    """

    access_id: str
    at: datetime
    by: str
    service: str
    purpose: str
    use: Use
    asked: list[SearchKind]
    found: int | None
    cases: int
    values: list[OpenedField]


class Accesses(Shape):
    """Who opened what of a case, oldest first."""

    items: list[Access]
    unreadable: int


router = APIRouter(prefix="/api/cases/{case_id}", tags=["personal values"])


@router.post("/reveal", responses=PROBLEMS)
def reveal(context: AppContext, caller: Called, case_id: CaseId, wanted: Reveal) -> Revealed:
    """Opens personal values; who, what and why is recorded before the answer."""
    answer = look_up(context, case_id, None, wanted.slice())
    supervisor = is_supervisor(caller)
    found = [
        one
        for one in personal_values(answer.found.events)
        if wanted.asks_for(one) and may_open(one.value.type_name, is_supervisor=supervisor)
    ]
    require_need(
        caller, answer.found.case, {*wanted.classes, *(one.personal_class for one in found)}
    )
    shown = revealed(context, caller, case_id, found, wanted, answer.sequence)
    # After a page that was cut short comes its rest, after a whole one later events.
    shown.next = shown.next or following(answer.found)
    return shown


@router.get("/accesses", responses=problems((404, "There is no such case"), 503))
def accesses(context: AppContext, case_id: CaseId) -> Accesses:
    """Who opened which personal values of the case, when and for what purpose.

    By its id, who read a parked message.
    """
    with answering("The record of access"):
        found = context.accesses(case_id)
    if not found.records and not found.unreadable:
        look_up(context, case_id, None, Slice(limit=0))
    items = [_access(one, case_id) for one in found.records]
    return Accesses(items=items, unreadable=found.unreadable)


def _access(record: AccessRecord, case_id: str) -> Access:
    values = [
        OpenedField(**{**one.model_dump(), "type_name": type_shown(one.type_name)})
        for one in record.values_of(case_id)
    ]
    known = record.model_dump(exclude={"values", "found_cases"})
    return Access(**known, cases=len(record.case_ids), values=values)


def types_with(classes: Collection[PersonalClass]) -> frozenset[str]:
    """The types of events with values of these classes."""
    return frozenset(
        name for name, event in CASE_EVENTS.items() if {*classes} & {*event.PERSONAL.values()}
    )


def revealed(
    context: Context,
    caller: Caller,
    case_id: str,
    found: Sequence[Found],
    wanted: Reveal,
    sequence: int,
) -> Revealed:
    """The first values opened, in order; recorded before the answer."""
    page = first_values(found, wanted.limit)
    values = [one.value for one in page]
    answers = opened(context.keys, values, caller.account, wanted.why, "shown")
    logger.info("revealed", case_id=case_id, count=len(page))
    return Revealed(
        case_id=case_id,
        values=[
            RevealedValue(
                version=one.value.version,
                type_name=one.value.type_name,
                field=one.value.field,
                personal_class=one.personal_class,
                state=answer.state,
                value=content_of(one.value.field, answer),
            )
            for one, answer in zip(page, answers, strict=True)
        ],
        next=str(page[-1].value.version) if len(page) < len(found) else None,
        sequence=sequence,
    )
