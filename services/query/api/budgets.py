"""Releasing more of a person's hourly budget, by a supervisor."""

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.concurrency import run_in_threadpool

from services.query.context import AppContext
from services.query.requests.body import ForPurpose
from services.query.requests.caller import Called
from services.query.requests.problems import problems
from shared.events.fields import Account

router = APIRouter(prefix="/api/budgets", tags=["personal values"])


@router.post("/{account}/release", status_code=204, responses=problems(403, 503))
async def release(
    context: AppContext,
    caller: Called,
    account: Annotated[Account, Path(description="whose budget; not one's own")],
    wanted: ForPurpose,
) -> None:
    """Gives somebody else an hour's worth anew, at once; who did so and why is recorded."""
    await run_in_threadpool(context.keys.release, caller.account, wanted.why, account)
