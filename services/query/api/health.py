"""/livez, /readyz, /version and /metrics."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST

from services.query.context import Context
from shared import subjects
from shared.policy import policy

NOT_KNOWN = float("nan")


def routes(context: Context) -> APIRouter:
    """Gives the routes that machines ask."""
    router = APIRouter(tags=["health"])

    @router.get("/livez")
    async def livez() -> dict[str, str]:
        """The process runs."""
        return {"status": "alive"}

    @router.get("/readyz")
    async def readyz() -> JSONResponse:
        """200 when query does all that it is for; 503 with what is missing."""
        missing = context.not_ready_because()
        body = {
            "ready": not missing,
            "missing": missing,
            "sequence": context.progress.sequence,
            "rebuilding": context.generations.rebuilding,
            "unreadable": context.progress.put_aside,
            "parked": await context.parked(),
        }
        return JSONResponse(body, 503 if missing else 200)

    @router.get("/version")
    async def version() -> dict[str, str]:
        """What runs."""
        return {"service": "query", "version": context.version}

    @router.get("/metrics")
    async def metrics() -> Response:
        """Prometheus' text format."""
        await _look_at_streams(context)
        return Response(context.metrics.text(), media_type=CONTENT_TYPE_LATEST)

    return router


async def _look_at_streams(context: Context) -> None:
    metrics, link = context.metrics, context.link
    cases = await link.stream_state(subjects.CASES)
    parked = await context.parked()
    streams = map(subjects.calls_stream, policy().channels.names)
    calls = [await link.stream_state(stream) for stream in streams]
    metrics.last.set(cases.last_sequence if cases else NOT_KNOWN)
    behind = cases.last_sequence - context.progress.sequence if cases else NOT_KNOWN
    metrics.lag.set(max(behind, 0.0) if cases else NOT_KNOWN)
    metrics.parked.set(parked if parked is not None else NOT_KNOWN)
    metrics.calls_waiting.set(sum(one.messages if one else NOT_KNOWN for one in calls))
