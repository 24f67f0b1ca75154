"""The queue, and the statistics: calls a day by channel, and the funnel."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from services.query.api import shapes
from services.query.api.cases import waits
from services.query.context import Context
from services.query.masking import row_shown
from services.query.publication import STATISTICS, class_of_stage
from shared.written import Day

QUEUE_MAX = 1_000


def routes(context: Context) -> APIRouter:
    """The routes about all cases together."""
    router = APIRouter(prefix="/api", tags=["statistics"])

    @router.get("/queue", response_model=shapes.Queue, dependencies=[waits(context)])
    def queue(limit: Annotated[int, Query(ge=1, le=QUEUE_MAX)] = 200) -> dict[str, object]:
        """Open cases that wait for a person, the most urgent first, then the longest waiting."""
        answer = context.reads.queue(limit)
        return {
            "items": [row_shown(row) for row in answer.found.rows],
            "in_all": answer.found.in_all,
            "sequence": answer.sequence,
        }

    @router.get("/statistics", response_model=shapes.Statistics)
    def statistics() -> dict[str, object]:
        """Every statistic, and who may see it."""
        items = [{"name": name, **one._asdict()} for name, one in STATISTICS.items()]
        return {"items": items}

    @router.get("/statistics/calls", response_model=shapes.Calls)
    def calls(from_day: Day | None = None, to_day: Day | None = None) -> dict[str, object]:
        """Calls by day (UTC) and channel, between two days if given, these included."""
        answer = context.reads.calls(
            from_day.isoformat() if from_day else None, to_day.isoformat() if to_day else None
        )
        return {
            "days": [row._asdict() for row in answer.found],
            "total": sum(row.calls for row in answer.found),
            "sequence": answer.sequence,
        }

    @router.get("/statistics/funnel", response_model=shapes.Funnel)
    def funnel() -> dict[str, object]:
        """How many cases ever came to each stage, and why closed ones were closed."""
        reached, closed = context.reads.funnel(), context.reads.closings()
        return {
            "stages": [
                {"stage": name, "cases": count, "publication": class_of_stage(name)}
                for name, count in reached.found.items()
            ],
            "closed": closed.found,
            "sequence": reached.sequence,
        }

    return router
