"""/livez, /readyz and /version."""

from typing import Literal

from fastapi import APIRouter, Response

from services.query.api.shapes import Shape
from services.query.context import AppContext
from services.query.nats_connection import calls_waiting


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
