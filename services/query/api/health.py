"""/livez, /readyz, /version and /metrics."""

from typing import Literal

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST

from services.query.api.shapes import Shape
from services.query.context import AppContext, Context
from services.query.nats_connection import calls_waiting
from shared import subjects

NOT_KNOWN = float("nan")


class Alive(Shape):
    """The process runs."""

    status: Literal["alive"] = "alive"


class Readiness(Shape):
    """Whether query is fully working, and what is missing."""

    ready: bool
    missing: list[str]
    sequence: int
    read: int
    of: int
    rebuilding: bool
    unreadable: int
    parked: int | None
    calls_waiting: dict[str, int | None]
    oldest_call_s: float


class Version(Shape):
    """What runs."""

    service: Literal["query"] = "query"
    version: str


router = APIRouter(tags=["health"])


@router.get("/livez")
async def livez() -> Alive:
    """The process runs."""
    return Alive()


@router.get("/readyz", responses={503: {"model": Readiness}})
async def readyz(context: AppContext, response: Response) -> Readiness:
    """200 when query is fully working and calls can come into cases; 503 with what is missing.
    `calls_waiting` and `oldest_call_s` describe calls in no case yet; `read` and `of` are the
    read model's progress through what was in the log when query started."""
    missing, calls = context.not_ready_because(), await calls_waiting(context.nats)
    if context.nats.connected:
        missing += [one.problem for one in calls if one.problem is not None]
    response.status_code = 503 if missing else 200
    catching_up = context.progress.catching_up
    return Readiness(
        ready=not missing,
        missing=missing,
        sequence=context.progress.sequence,
        read=catching_up.sequence,
        of=max(catching_up.last, catching_up.sequence),
        rebuilding=context.generations.rebuilding,
        unreadable=context.progress.put_aside,
        parked=await context.nats.parked_waiting(),
        calls_waiting={one.channel: one.messages for one in calls},
        oldest_call_s=round(max(one.oldest_s for one in calls), 3),
    )


@router.get("/version")
async def version(context: AppContext) -> Version:
    """What runs."""
    return Version(version=context.version)


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(context: AppContext) -> Response:
    """Prometheus' text format."""
    await _look_at_streams(context)
    return Response(context.metrics.text(), media_type=CONTENT_TYPE_LATEST)


async def _look_at_streams(context: Context) -> None:
    metrics, nats = context.metrics, context.nats
    cases = await nats.stream_state(subjects.CASES)
    parked = await nats.parked_waiting()
    metrics.last.set(cases.last_sequence if cases else NOT_KNOWN)
    behind = cases.last_sequence - context.progress.sequence if cases else NOT_KNOWN
    metrics.lag.set(max(behind, 0.0) if cases else NOT_KNOWN)
    metrics.storing_problems.set(len(context.storing.problems))
    metrics.parked.set(parked if parked is not None else NOT_KNOWN)
    for one in await calls_waiting(nats):
        if one.messages is None:
            # Sums over the channels must still work; an unknown value has no sample.
            metrics.calls_waiting.remove(one.channel)
            metrics.oldest_call.remove(one.channel)
            continue
        metrics.calls_waiting.labels(one.channel).set(one.messages)
        metrics.oldest_call.labels(one.channel).set(one.oldest_s)
