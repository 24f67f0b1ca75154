"""/metrics: for whoever watches the machines. How many men were handed over is in them."""

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST

from services.query.context import AppContext, Context
from services.query.nats_connection import calls_waiting
from shared import subjects

NOT_KNOWN = float("nan")

router = APIRouter(tags=["health"])


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
