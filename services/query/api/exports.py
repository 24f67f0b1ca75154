"""Exports public figures: what two people sign is prepared here, and the file given once it is
recorded; and lists past exports."""

from base64 import b64encode
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Self

from fastapi import APIRouter, Path
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from pydantic import Field, model_validator

from services.query.api.commands import new_command_id
from services.query.api.shapes import Shape, shows
from services.query.api.shifts import Limit
from services.query.context import AppContext, Context
from services.query.models import desk
from services.query.reads.boards import Boards
from services.query.reads.publication import PublicFile, public_file
from services.query.requests.body import Body
from services.query.requests.caller import Called
from services.query.requests.problems import ProblemError, answering, invalid, problems
from shared.commands.base import CommandId
from shared.commands.case_numbers import ExportNumber
from shared.commands.shifts import RecordExport
from shared.events.fields import Account
from shared.events.parsing import UnreadableEventError, read_case_event
from shared.events.shifts import StatisticsExported
from shared.written.values import Day

DAYS_MAX = 3_660
OLDEST = date(2022, 1, 1)
"""The first calls are later."""
CSV = "text/csv; charset=utf-8"
DIGEST_HEADER = "X-Passage-SHA256"
EXPORT_HEADER = "X-Passage-Export"


class Export(Body):
    """First and last day (UTC, included), and who is to sign second."""

    first_day: Annotated[Day, Field(ge=OLDEST)]
    last_day: Day
    second_by: Account
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


class Prepared(Shape):
    """`command` is the body of RecordExport, for `/api/signing` and the proposal."""

    export_id: str
    command: dict[str, Any]


ExportPath = Annotated[ExportNumber, Path(description="the export's number")]

router = APIRouter(prefix="/api/exports")


@router.get("", tags=["desk"])
def exports(context: AppContext, limit: Limit = 50) -> Exports:
    """Which figures left the house, when, and who agreed."""
    answer = Boards(context.generations).exports(limit)
    items = [ExportRow.showing(one) for one in answer.found]
    return Exports(items=items, sequence=answer.sequence)


@router.post("", tags=["statistics"])
async def prepare(context: AppContext, caller: Called, wanted: Export) -> Prepared:
    """What two people are to sign so that calls a day by channel may leave the house.

    The first proposes it (`/api/signing`, ProposeDecision), the second agrees; then the file is at
    `/api/exports/{export_id}`.
    """
    _require_over(wanted, datetime.now(UTC))
    file = await run_in_threadpool(_file, context, wanted.first_day, wanted.last_day)
    command = RecordExport(
        **wanted.model_dump(mode="json"),
        by=caller.account,
        case_id=f"EXPORT-{wanted.command_id}",
        digest=file.digest,
        rows=file.rows,
        suppressed=file.suppressed,
    )
    said = command.model_dump(mode="json", exclude_none=True, exclude={"by", "signatures"})
    return Prepared(export_id=command.case_id, command=said)


@router.get(
    "/{export_id}",
    tags=["statistics"],
    response_class=Response,
    responses={
        **problems(
            (404, "Nothing is recorded under that number"),
            (409, "The figures have changed since"),
            (503, "The log doesn't answer"),
        ),
        200: {"content": {"text/csv": {}}, "description": "The file"},
    },
)
async def export(context: AppContext, export_id: ExportPath) -> Response:
    """Calls a day by channel as CSV, if two people agreed and the figures are still the same."""
    recorded = await run_in_threadpool(_recorded, context, export_id)
    first, last = (date.fromisoformat(one) for one in (recorded.first_day, recorded.last_day))
    file = await run_in_threadpool(_file, context, first, last)
    if recorded.digest != file.digest:
        detail = "The figures have changed since: another file was recorded. Make a new export."
        raise ProblemError(409, "export-changed", detail)
    return _response(export_id, recorded, file)


def _require_over(wanted: Export, now: datetime) -> None:
    """An unfinished day's number still grows: two files would reveal the difference."""
    if wanted.last_day >= now.date():
        raise invalid("must be over (UTC)", "last_day")


def _file(context: Context, first: date, last: date) -> PublicFile:
    rows = context.reads.calls(first.isoformat(), last.isoformat()).found
    return public_file(rows, first, last, context.settings.small_numbers_below)


def _recorded(context: Context, export_id: str) -> StatisticsExported:
    """Raises ProblemError."""
    with answering("The log"):
        stored = context.log.select_events(export_id)
    if not stored:
        raise ProblemError(404, "no-such-export", "No two people have agreed to such an export.")
    try:
        recorded: Any = read_case_event(stored[0].state, stored[0].topic).data
    except UnreadableEventError:
        recorded = None
    if not isinstance(recorded, StatisticsExported):
        detail = "The log doesn't say what was recorded; run `passage verify`."
        raise ProblemError(503, "unavailable", detail, service="log")
    return recorded


def _response(export_id: str, recorded: StatisticsExported, file: PublicFile) -> Response:
    name = f"passage-calls-{recorded.first_day}-{recorded.last_day}.csv"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Repr-Digest": f"sha-256=:{b64encode(bytes.fromhex(file.digest)).decode()}:",
        DIGEST_HEADER: file.digest,
        EXPORT_HEADER: export_id,
        "Cache-Control": "no-store",
    }
    return Response(file.text, media_type=CSV, headers=headers)
