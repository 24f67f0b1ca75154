"""The auditor's page: who opened and searched how much, by day; no case's content."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from services.query.context import AppContext
from services.query.pages.rendering import render
from services.query.reads.access_report import by_day, many_read
from services.query.requests.body import SEQUENCE_MAX
from services.query.requests.caller import Called
from services.query.requests.problems import answering

RECORDS_SHOWN = 1_000
"""Openings and searches that one page is made of."""

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/audit")
def audit(
    context: AppContext,
    caller: Called,
    begin: Annotated[int | None, Query(ge=1, le=SEQUENCE_MAX)] = None,
) -> str:
    with answering("The record of access"):
        page = context.newest_accesses(None, begin, RECORDS_SHOWN)
        noticed = many_read(
            context.newest_accesses, datetime.now(UTC), context.settings.reads_many_cases
        )
    return render(
        "audit.html",
        context,
        caller,
        rows=by_day(page.records, None),
        many=noticed,
        unreadable=page.unreadable,
        next=page.following,
    )
