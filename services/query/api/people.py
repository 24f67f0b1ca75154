"""Who works here, for supervisors: roles, keys, sessions ended, and attempts that were refused."""

from datetime import datetime
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from services.query.api.me import OwnKey, keys_of
from services.query.api.reveal import PROBLEMS, Reveal, revealed
from services.query.api.shapes import Revealed, Shape
from services.query.context import AppContext
from services.query.models.people import PersonRow, lines, refused_in
from services.query.reads.boards import Boards
from services.query.reads.opening import personal_values
from services.query.requests.caller import Called
from services.query.requests.cases import WAITS
from services.query.requests.logins import answered
from services.query.requests.problems import ProblemError, problems
from shared.events.fields import Account
from shared.events.people import OF_PEOPLE, Attempted, Role, log_of

PEOPLE_MAX = 1_000
AccountId = Annotated[Account, Path(description="the account")]


class RefusedAttempts(Shape):
    """How often somebody was refused who tried so, for this reason."""

    kind: Attempted
    why: str
    count: int


class SomeonesState(Shape):
    """One account; `nobody` has the attempts that named no account."""

    account: str
    name: str | None
    is_machine: bool
    roles: list[Role]
    suspended: bool
    keys: int
    links: int
    tokens: int
    break_glass: bool
    break_glass_used_at: datetime | None
    sessions_ended_at: datetime | None
    refused: list[RefusedAttempts]
    refused_at: datetime | None


class People(Shape):
    items: list[SomeonesState]
    sequence: int


class IssuedToken(Shape):
    token_hash: str
    label: str
    expires_at: datetime
    revoked_at: datetime | None


class Someone(Shape):
    """A person or machine, as their log has them now."""

    account: str
    name: str
    is_machine: bool
    roles: list[Role]
    suspended: bool
    keys: list[OwnKey]
    tokens: list[IssuedToken]


router = APIRouter(prefix="/api/people", tags=["people"])


@router.get("", dependencies=[WAITS])
def people(
    context: AppContext, limit: Annotated[int, Query(ge=1, le=PEOPLE_MAX)] = PEOPLE_MAX
) -> People:
    """Everybody, by account."""
    answer = Boards(context.generations).people(limit)
    return People(items=[_state(one) for one in answer.found], sequence=answer.sequence)


@router.get("/{account}", responses=problems(404, 503))
async def someone(context: AppContext, account: AccountId) -> Someone:
    """One person, with their keys, or one machine, with its tokens."""
    person = await answered(context, partial(context.ways.people.person, account))
    if not person.exists:
        raise ProblemError(404, "no-such-account", "Nobody has that account.")
    return Someone(
        account=account,
        name=person.name,
        is_machine=person.is_machine,
        roles=sorted(person.roles),
        suspended=person.suspended,
        keys=keys_of(person),
        tokens=[
            IssuedToken(
                token_hash=one.token_hash,
                label=one.label,
                expires_at=one.expires_at,
                revoked_at=one.revoked.at if one.revoked is not None else None,
            )
            for one in person.tokens.values()
        ],
    )


@router.post("/{account}/reveal", responses=PROBLEMS)
def reveal_reasons(
    context: AppContext, caller: Called, account: AccountId, wanted: Reveal
) -> Revealed:
    """Opens why somebody was suspended, each time; recorded as for a case."""
    answer = Boards(context.generations).suspensions(account)
    found = [one for one in personal_values(answer.found) if wanted.asks_for(one)]
    return revealed(context, caller, log_of(account), found, wanted, answer.sequence)


def _state(row: PersonRow) -> SomeonesState:
    shown: dict[str, Any] = {
        name: getattr(row, name) for name in SomeonesState.model_fields if hasattr(row, name)
    }
    shown |= {
        "account": row.person_id.removeprefix(OF_PEOPLE),
        "roles": lines(row.roles),
        "refused": refused_of(row),
    }
    return SomeonesState(**shown)


def refused_of(row: PersonRow) -> list[RefusedAttempts]:
    counts = refused_in(row.refused).items()
    return [
        RefusedAttempts.model_validate({"kind": kind, "why": why, "count": count})
        for (kind, why), count in counts
    ]
