"""The queue, and the statistics: calls per day by channel, and the funnel."""

from typing import Annotated

from fastapi import APIRouter, Query

from services.query.api.shapes import Shape, shows
from services.query.context import AppContext
from services.query.models.queue import QueueRow
from services.query.models.statistics import CallsRow
from services.query.reads.publication import STATISTICS, PublicationClass, class_of_stage
from services.query.requests.cases import WAITS
from shared.written.values import Day

QUEUE_MAX = 1_000


@shows(QueueRow)
class Waiting(Shape):
    """A case that waits for a person."""


class Queue(Shape):
    """The cases that wait for a person; `in_all` is how many there are."""

    items: list[Waiting]
    in_all: int
    sequence: int


@shows(CallsRow)
class CallsOfDay(Shape):
    """How many calls there were on one day by one channel."""


class Calls(Shape):
    """Calls by day and channel. These may be published."""

    publication: PublicationClass = STATISTICS["calls"].publication
    days: list[CallsOfDay]
    total: int
    sequence: int


class Stage(Shape):
    """How many cases ever reached a stage."""

    publication: PublicationClass
    stage: str
    cases: int


class Funnel(Shape):
    """How far cases came; each stage says who may see its number."""

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
    """Every statistic; only those of class `public` ever leave the house."""

    items: list[Statistic]


router = APIRouter(prefix="/api", tags=["statistics"])


@router.get("/queue", dependencies=[WAITS])
def queue(context: AppContext, limit: Annotated[int, Query(ge=1, le=QUEUE_MAX)] = 200) -> Queue:
    """Open cases that wait for a person, most urgent first, then longest waiting. If there are more
    than `limit`, the first of each channel and urgency."""
    answer = context.reads.queue(limit)
    items = [Waiting.showing(row) for row in answer.found.rows]
    return Queue(items=items, in_all=answer.found.in_all, sequence=answer.sequence)


@router.get("/statistics")
def statistics() -> Statistics:
    """Every statistic, and who may see it."""
    items = [Statistic(name=name, **one._asdict()) for name, one in STATISTICS.items()]
    return Statistics(items=items)


@router.get("/statistics/calls")
def calls(context: AppContext, from_day: Day | None = None, to_day: Day | None = None) -> Calls:
    """Calls by day (UTC) and channel; the optional first and last day are included."""
    answer = context.reads.calls(
        from_day.isoformat() if from_day else None, to_day.isoformat() if to_day else None
    )
    total = sum(row.calls for row in answer.found)
    days = [CallsOfDay.showing(row) for row in answer.found]
    return Calls(days=days, total=total, sequence=answer.sequence)


@router.get("/statistics/funnel")
def funnel(context: AppContext) -> Funnel:
    """How many cases ever reached each stage, and why closed ones were closed."""
    reached, closed = context.reads.funnel(), context.reads.closings()
    stages = [
        Stage(stage=name, cases=count, publication=class_of_stage(name))
        for name, count in reached.found.items()
    ]
    return Funnel(stages=stages, closed=closed.found, sequence=reached.sequence)
