"""The boards: the waiting pool, the live board, awaited receipts, what is overdue, and alarms."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from services.query.api.people import RefusedAttempts, refused_of
from services.query.api.shapes import Case, Shape, shows
from services.query.context import AppContext
from services.query.feed.generations import Generations
from services.query.models.alarms import AlarmRow
from services.query.models.case_row import IdentityState
from services.query.models.overdue import OverdueRow, OverdueRule
from services.query.reads.access_report import ManyRead, many_read
from services.query.reads.boards import Boards, OnBoard
from services.query.reads.served import Answer, Listed
from services.query.requests.cases import WAITS
from services.query.requests.problems import answering, problems
from shared.callers.return_codes import WRONG_CODES_AN_HOUR
from shared.events.fields import Channel
from shared.events.people import OF_PEOPLE

BOARD_MAX = 2_000
LOGIN_ALARMS_FOR = timedelta(hours=24)

Limit = Annotated[int, Query(ge=1, le=BOARD_MAX)]


@shows(OverdueRow)
class Overdue(Shape):
    """A deadline that passed without action."""


class BoardCase(Case):
    """A case on a board: its state, when it reached each stage, and what is overdue in it."""

    waiting_since_at: datetime
    """Since he was given his code; else since he registered."""
    arrived_at: datetime | None
    offered_at: datetime | None
    overdue: list[Overdue]


class Board(Shape):
    """The first cases of a board; `in_all` is how many there are."""

    items: list[BoardCase]
    in_all: int
    sequence: int


@shows(AlarmRow)
class Alarm(Shape):
    """A call in which a duress code was given, and the state of its case."""

    case: Case


class Guessing(Shape):
    """A channel with more wrong return codes within an hour than mistakes explain."""

    channel: Channel
    wrong_codes: int


@shows(ManyRead)
class ReadsMany(Shape):
    """Somebody who had values of many cases shown within the last hour."""


class LoginAlarm(Shape):
    """Somebody tried to act as this account and was refused, or it logged in without a key.

    `nobody` has the attempts that named no account.
    """

    account: str
    refused: list[RefusedAttempts]
    refused_at: datetime | None
    without_key_at: datetime | None


class Alarms(Shape):
    """The alarms that no supervisor has cleared, newest first, and where codes are guessed.

    `reading`: who has had values of many cases shown within the last hour.
    `logins`: refused attempts, and logins without a key, of the last 24 hours.
    """

    items: list[Alarm]
    guessing: list[Guessing]
    reading: list[ReadsMany]
    logins: list[LoginAlarm]
    sequence: int


router = APIRouter(prefix="/api", tags=["boards"])


@router.get("/waiting", dependencies=[WAITS])
def waiting(
    context: AppContext, identity: IdentityState | None = None, limit: Limit = BOARD_MAX
) -> Board:
    """Men who registered and haven't called again, longest waiting first."""
    return _shown(Boards(context.generations).waiting(identity, limit))


@router.get("/live", dependencies=[WAITS])
def live(context: AppContext, limit: Limit = BOARD_MAX) -> Board:
    """Men on Ukrainian territory and not yet received, earliest window first."""
    return _shown(Boards(context.generations).live(limit))


@router.get("/receipts", dependencies=[WAITS])
def receipts(context: AppContext, limit: Limit = BOARD_MAX) -> Board:
    """Men a team will take but has given no receipt for, with the window's end."""
    return _shown(Boards(context.generations).awaiting_receipt(limit))


@router.get("/overdue", dependencies=[WAITS])
def overdue(context: AppContext, rule: OverdueRule | None = None, limit: Limit = 200) -> Board:
    """Cases with a deadline that passed without action since, longest overdue first."""
    return _shown(Boards(context.generations).overdue(rule, limit))


@router.get("/alarms", responses=problems(403))
def alarms(context: AppContext) -> Alarms:
    """Calls with a duress code that no supervisor has cleared; for supervisors only."""
    answer = Boards(context.generations).alarms()
    with answering("The record of access"):
        reading = many_read(
            context.newest_accesses, datetime.now(UTC), context.settings.reads_many_cases
        )
    wrong_codes = context.metrics.recent_wrong_codes.in_last_hour()
    return Alarms(
        items=[Alarm.showing(alarm, case=Case.showing(case)) for alarm, case in answer.found],
        guessing=[
            Guessing(channel=channel, wrong_codes=count)
            for channel, count in sorted(wrong_codes.items())
            if count >= WRONG_CODES_AN_HOUR
        ],
        reading=[ReadsMany.showing(one) for one in reading],
        logins=login_alarms(context.generations, datetime.now(UTC)),
        sequence=answer.sequence,
    )


def login_alarms(generations: Generations, now: datetime) -> list[LoginAlarm]:
    since = now - LOGIN_ALARMS_FOR
    people = Boards(generations).people(BOARD_MAX).found
    return [
        LoginAlarm(
            account=row.person_id.removeprefix(OF_PEOPLE),
            refused=refused_of(row),
            refused_at=row.refused_at,
            without_key_at=row.break_glass_used_at,
        )
        for row in people
        if any(at is not None and at > since for at in (row.refused_at, row.break_glass_used_at))
    ]


def _shown(answer: Answer[Listed[OnBoard]]) -> Board:
    items = [_case_shown(one) for one in answer.found.rows]
    return Board(items=items, in_all=answer.found.in_all, sequence=answer.sequence)


def _case_shown(one: OnBoard) -> BoardCase:
    reached = one.reached
    return BoardCase.showing(
        one.case,
        waiting_since_at=reached.code_issued_at or reached.registered_at or reached.opened_at,
        arrived_at=reached.arrived_at,
        offered_at=reached.offered_at,
        overdue=[Overdue.showing(row) for row in one.overdue],
    )
