"""The shapes of the API's answers, as OpenAPI shows them; made of the projections' rows."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_type_hints

from pydantic import BaseModel, ConfigDict, create_model

from services.query.projections import alarms, desk, group, links, outbox, overdue, shift
from services.query.projections.case_row import CaseRow
from services.query.projections.case_timeline import TimelineRow
from services.query.projections.queue import QueueRow
from services.query.projections.statistics import CallsRow
from services.query.publication import STATISTICS, PublicationClass
from services.query.reads import PutAside
from shared.access import SearchKind, Use
from shared.events.fields import PersonalClass


class Shape(BaseModel):
    """What every answer's shape begins with."""

    model_config = ConfigDict(hide_input_in_errors=True)


def _model_of(name: str, row: type[tuple[Any, ...]], **more: Any) -> Any:
    fields: dict[str, Any] = {field: (hint, ...) for field, hint in get_type_hints(row).items()}
    return create_model(name, __base__=Shape, **fields, **more)


if TYPE_CHECKING:
    Case: TypeAlias = BaseModel
    Waiting: TypeAlias = BaseModel
    Unreadable: TypeAlias = BaseModel
    TimelineEntry: TypeAlias = BaseModel
    CallsOfDay: TypeAlias = BaseModel
    Overdue: TypeAlias = BaseModel
    Alarm: TypeAlias = BaseModel
    Member: TypeAlias = BaseModel
    Count: TypeAlias = BaseModel
    Receipt: TypeAlias = BaseModel
    Discrepancy: TypeAlias = BaseModel
    Shift: TypeAlias = BaseModel
    ListedCase: TypeAlias = BaseModel
    Export: TypeAlias = BaseModel
    Link: TypeAlias = BaseModel
    Message: TypeAlias = BaseModel
else:
    Case = _model_of("Case", CaseRow)
    Waiting = _model_of("Waiting", QueueRow)
    Unreadable = _model_of("Unreadable", PutAside)
    TimelineEntry = _model_of(
        "TimelineEntry",
        TimelineRow,
        event_id=(str, ...),
        correlation_id=(str, ...),
        causation_id=(str, ...),
        details=(dict[str, Any], ...),
    )
    CallsOfDay = _model_of("CallsOfDay", CallsRow)
    Overdue = _model_of("Overdue", overdue.OverdueRow)
    Alarm = _model_of("AlarmRow", alarms.AlarmRow)
    Member = _model_of("MemberRow", group.MemberRow)
    Count = _model_of("Count", group.CountRow)
    Receipt = _model_of("Receipt", group.ReceiptRow)
    Discrepancy = _model_of("Discrepancy", group.Discrepancy)
    Shift = _model_of("ShiftRow", desk.ShiftRow)
    ListedCase = _model_of("ListedCase", shift.ListedCase)
    Export = _model_of("ExportRow", desk.ExportRow)
    Link = _model_of("LinkRow", links.LinkRow)
    Message = _model_of("MessageRow", outbox.MessageRow)


class Cases(Shape):
    """Cases, those opened last first; `next` is the cursor of the next page."""

    items: list[Case]
    next: str | None
    sequence: int


class OneCase(Shape):
    """A case with a page of its timeline, as at a sequence; `next` is the cursor of the next one.

    `unreadable` is what a damaged case lacks.
    """

    case: Case
    timeline: list[TimelineEntry]
    unreadable: list[Unreadable]
    next: str | None
    sequence: int


class RevealedValue(Shape):
    """A personal value; `value` is there where `state` is `open`."""

    version: int
    type_name: str
    field: str
    personal_class: PersonalClass
    state: Literal["open", "erased", "broken"]
    value: Any = None


class Revealed(Shape):
    """What was revealed of a case; `next` is the cursor of the next page."""

    case_id: str
    values: list[RevealedValue]
    next: str | None
    sequence: int


class OpenedField(Shape):
    """A personal value that somebody had opened."""

    case_id: str
    version: int
    type_name: str
    field: str


class Access(Shape):
    """One opening, or a search that found the case: `asked` says by what.

    `cases` is of how many cases in all, `values` what was opened of this one.
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
    """Who had what of a case opened, the first at the top."""

    items: list[Access]
    unreadable: int


class Queue(Shape):
    """The cases that wait for a person; `in_all` is how many there are."""

    items: list[Waiting]
    in_all: int
    sequence: int


class Calls(Shape):
    """Calls by day and channel. These may be published."""

    publication: PublicationClass = STATISTICS["calls"].publication
    days: list[CallsOfDay]
    total: int
    sequence: int


class Stage(Shape):
    """How many cases ever came to a stage."""

    publication: PublicationClass
    stage: str
    cases: int


class Funnel(Shape):
    """How far cases came; each stage says who may see how many came there."""

    publication: PublicationClass = STATISTICS["closings"].publication
    stages: list[Stage]
    closed: dict[str, int]
    sequence: int


class Statistic(Shape):
    """A statistic, where it is, and who may see it."""

    name: str
    publication: PublicationClass
    counts: str
    path: str


class Statistics(Shape):
    """Every statistic there is; only those of class `public` ever leave the house."""

    items: list[Statistic]


class Shown(Shape):
    """A command's answer, and whether the read model shows its effect already."""

    result: Literal["recorded", "repeated", "ignored"]
    command_id: str
    case_id: str
    version: int
    sequence: int
    events: list[str] = []
    return_code: str | None = None
    duress_code: str | None = None
    message_id: str | None = None
    visible: bool
    held_by: str | None = None
    """Who works on the case, where that is another person: a claim locks nobody out."""
