"""Reveals personal values of a case, for a named person and a purpose; and who had some revealed.

The key holder records an access before it answers. Nothing opened here is kept.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Annotated, Any, Self

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.query.api import shapes
from services.query.api.cases import SEQUENCE_MAX, CaseId, VersionCursor, following, look_up
from services.query.api.problems import Problem, ProblemError
from services.query.context import Context
from services.query.masking import may_open, type_shown
from services.query.opening import Found, content_of, first_values, opened, personal_values
from services.query.slices import Slice
from shared.case_log import LogError
from shared.events.catalogue import CASE_EVENTS
from shared.events.fields import Person, PersonalClass, Word
from shared.key_messages import VALUES_MAX
from shared.logs import logger
from shared.written import Whole

FIELDS_MAX = 1_000
VALUES_SHOWN = 200

PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": description}
    for status, description in (
        (403, "The key holder doesn't open these for us"),
        (404, "There is no such case"),
        (429, "The person's budget is spent; `Retry-After` says for how long"),
        (503, "The key holder is sealed; `passage keys unseal`"),
    )
}


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class RevealedField(_Body):
    """One personal value of a case, by its place."""

    version: Annotated[Whole, Field(ge=1, le=SEQUENCE_MAX)]
    field: Word


class Reveal(_Body):
    """Who wants to see what, and why. Either `classes` or `fields`."""

    by: Person
    purpose: Word
    classes: tuple[PersonalClass, ...] = ()
    fields: Annotated[tuple[RevealedField, ...], Field(max_length=FIELDS_MAX)] = ()
    up_to_version: Annotated[Whole, Field(ge=1, le=SEQUENCE_MAX)] | None = None
    """Only what stood there after this version."""
    limit: Annotated[Whole, Field(ge=1, le=VALUES_MAX)] = VALUES_SHOWN
    """How many values in one answer; a page ends with an event."""
    cursor: VersionCursor = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if bool(self.classes) == bool(self.fields):
            raise ValueError("give classes or fields")
        return self

    def slice(self) -> Slice:
        """The events in which what is wanted may stand."""
        return Slice(
            after_version=int(self.cursor or 0),
            limit=self.limit,
            types=types_with(self.classes) if self.classes else None,
            up_to_version=self.up_to_version,
            versions={one.version for one in self.fields} if self.fields else None,
        )

    def asks_for(self, found: Found) -> bool:
        """Whether a value is among those wanted."""
        version, field = found.value.version, found.value.field
        if self.up_to_version is not None and version > self.up_to_version:
            return False
        by_place = RevealedField(version=version, field=field) in self.fields
        return found.personal_class in self.classes or by_place


def routes(context: Context) -> APIRouter:
    """The routes about what is revealed."""
    router = APIRouter(prefix="/api/cases/{case_id}", tags=["personal values"])

    @router.post("/reveal", response_model=shapes.Revealed, responses=PROBLEMS)
    def reveal(case_id: CaseId, wanted: Reveal) -> dict[str, object]:
        """Opens personal values; who, what and why is recorded before the answer is given."""
        answer = look_up(context, case_id, None, wanted.slice())
        supervisor = context.is_supervisor(wanted.by)
        found = [
            one
            for one in personal_values(answer.found.events)
            if wanted.asks_for(one) and may_open(one.value.type_name, is_supervisor=supervisor)
        ]
        page = revealed(context, found, wanted)
        logger.info("revealed", case_id=case_id, count=len(page["values"]))
        # A page that is cut short is followed by what it lacks, a whole one by later events.
        following_page = page.pop("cut_after") or following(answer.found)
        return {**page, "case_id": case_id, "next": following_page, "sequence": answer.sequence}

    @router.get("/accesses", response_model=shapes.Accesses)
    def accesses(case_id: CaseId) -> dict[str, object]:
        """Who had which personal values of the case opened, when and for what purpose."""
        try:
            found = context.accesses(case_id)
        except LogError:
            detail = "The record of access doesn't answer; ask again."
            raise ProblemError(503, "unavailable", detail, service="log") from None
        items = [
            {
                **one.model_dump(exclude={"values", "found_cases"}),
                "cases": len(one.case_ids),
                "values": [
                    {**value.model_dump(), "type_name": type_shown(value.type_name)}
                    for value in one.values_of(case_id)
                ],
            }
            for one in found.records
        ]
        return {"items": items, "unreadable": found.unreadable}

    return router


def types_with(classes: Collection[PersonalClass]) -> frozenset[str]:
    """The types of events that have values of these classes."""
    return frozenset(
        name for name, event in CASE_EVENTS.items() if {*classes} & {*event.PERSONAL.values()}
    )


def revealed(context: Context, found: Sequence[Found], wanted: Reveal) -> dict[str, Any]:
    """The first values opened, in their order; recorded before it is answered.

    `cut_after` is the version of the last one, where there are more.
    """
    page = first_values(found, wanted.limit)
    values = [one.value for one in page]
    answers = opened(context.keys, values, wanted.by, wanted.purpose, "shown") if values else []
    cut_after = str(values[-1].version) if len(page) < len(found) else None
    shown = [
        {
            "version": one.value.version,
            "type_name": one.value.type_name,
            "field": one.value.field,
            "personal_class": one.personal_class,
            "state": answer.state,
            "value": content_of(one.value.field, answer),
        }
        for one, answer in zip(page, answers, strict=True)
    ]
    return {"values": shown, "cut_after": cut_after}
