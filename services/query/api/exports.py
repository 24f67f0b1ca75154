"""Exports public figures, agreed by two people and recorded first; and lists past exports."""

from base64 import b64encode
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Self

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from pydantic import Field, ValidationError, model_validator

from services.query.api.commands import PROBLEMS, new_command_id, pass_on
from services.query.api.shapes import Shape, shows
from services.query.api.shifts import Limit
from services.query.context import AppContext, Context
from services.query.models import desk
from services.query.reads.boards import Boards
from services.query.reads.publication import PublicFile, public_file
from services.query.requests.body import Body
from services.query.requests.caller import Called
from services.query.requests.problems import ProblemError, invalid
from shared.commands.base import CommandId
from shared.commands.catalogue import ANSWERED_BY
from shared.commands.shifts import RecordExport
from shared.events.fields import Person
from shared.events.parsing import UnreadableEventError, read_case_event
from shared.events.shifts import StatisticsExported
from shared.log.case_log import LogError
from shared.written.values import Day

DAYS_MAX = 3_660
OLDEST = date(2022, 1, 1)
"""The first calls are later."""
CSV = "text/csv; charset=utf-8"
DIGEST_HEADER = "X-Passage-SHA256"
EXPORT_HEADER = "X-Passage-Export"


class Export(Body):
    """First and last day (UTC, included). The same `command_id` gives the same file."""

    first_day: Annotated[Day, Field(ge=OLDEST)]
    last_day: Day
    second_by: Person
    command_id: Annotated[CommandId, Field(default_factory=new_command_id)]

    @model_validator(mode="after")
    def _days_in_order(self) -> Self:
        if not timedelta() <= self.last_day - self.first_day < timedelta(days=DAYS_MAX):
            raise ValueError(f"last_day must be at most {DAYS_MAX} days from first_day, not before")
        return self


@shows(desk.ExportRow)
class ExportRow(Shape):
    """Figures that left the house."""


class Exports(Shape):
    """Figures that left the house, last first."""

    items: list[ExportRow]
    sequence: int


router = APIRouter(prefix="/api/exports")


@router.get("", tags=["desk"])
def exports(context: AppContext, limit: Limit = 50) -> Exports:
    """Which figures left the house, when, and who agreed."""
    answer = Boards(context.generations).exports(limit)
    items = [ExportRow.showing(one) for one in answer.found]
    return Exports(items=items, sequence=answer.sequence)


@router.post(
    "",
    tags=["statistics"],
    response_class=Response,
    responses={**PROBLEMS, 200: {"content": {"text/csv": {}}, "description": "The file"}},
)
async def export(context: AppContext, caller: Called, wanted: Export) -> Response:
    """Calls a day by channel as CSV; intake records the file's digest before it is returned."""
    _require_over(wanted, datetime.now(UTC))
    file = await run_in_threadpool(_file, context, wanted)
    command = RecordExport(
        **wanted.model_dump(mode="json"),
        by=caller.account,
        case_id=f"EXPORT-{wanted.command_id}",
        digest=file.digest,
        rows=file.rows,
        suppressed=file.suppressed,
    )
    answer = await pass_on(context, ANSWERED_BY[type(command)], command)
    if answer.result == "repeated":
        await run_in_threadpool(_require_same, context, command)
    return _response(command, file)


def _require_over(wanted: Export, now: datetime) -> None:
    """An unfinished day's number still grows: two files would reveal the difference."""
    if wanted.last_day >= now.date():
        raise invalid("must be over (UTC)", "last_day")


def _file(context: Context, wanted: Export) -> PublicFile:
    first, last = wanted.first_day, wanted.last_day
    rows = context.reads.calls(first.isoformat(), last.isoformat()).found
    return public_file(rows, first, last, context.settings.small_numbers_below)


def _require_same(context: Context, command: RecordExport) -> None:
    """Raises ProblemError if another file was recorded under the number."""
    try:
        (first, *_) = context.log.select_events(command.case_id)
        recorded: Any = read_case_event(first.state, first.topic).data
    except (LogError, UnreadableEventError, ValueError, ValidationError):
        detail = "The log doesn't say what was recorded; ask again."
        raise ProblemError(503, "unavailable", detail, service="log") from None
    if not isinstance(recorded, StatisticsExported) or recorded.digest != command.digest:
        detail = "The figures have changed since: another file was recorded. Make a new export."
        raise ProblemError(409, "export-changed", detail)


def _response(command: RecordExport, file: PublicFile) -> Response:
    name = f"passage-calls-{command.first_day}-{command.last_day}.csv"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Repr-Digest": f"sha-256=:{b64encode(bytes.fromhex(file.digest)).decode()}:",
        DIGEST_HEADER: file.digest,
        EXPORT_HEADER: command.case_id,
        "Cache-Control": "no-store",
    }
    return Response(file.text, media_type=CSV, headers=headers)
