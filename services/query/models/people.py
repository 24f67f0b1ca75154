"""people: one row per account and one per proposed decision; their logs are in CASES, but are no
cases'. What a person's keys are, and whether a session holds, is folded from their log instead
(`shared.people.state`)."""

from datetime import datetime
from typing import Any, NamedTuple

from services.query.models.rows import Id, IndexOf, LargeCount, Position, TableOf, with_changes
from shared.events import people

VERSION = 3

BETWEEN = "\n"
"""Between roles, and between counts of attempts."""


class PersonRow(NamedTuple):
    """The state of an account; of `PERSON-nobody`, to which nobody was added, only attempts."""

    person_id: Id
    added_at: datetime
    name: str | None = None
    is_machine: bool = False
    roles: str = ""
    suspended: bool = False
    keys: int = 0
    links: int = 0
    """Links by which a key may still be registered."""
    tokens: int = 0
    """Those not revoked; some may be over."""
    break_glass: bool = False
    break_glass_used_at: datetime | None = None
    sessions_ended_at: datetime | None = None
    signatures_seen: Position = 0
    """Up to which sequence they looked at what was signed in their name."""
    refused: str = ""
    """A line for each kind and reason of refused attempts: both, and how many were counted."""
    refused_in_all: LargeCount = 0
    refused_at: datetime | None = None
    version: int = 0
    sequence: Position = 0
    damaged: bool = False


class DecisionRow(NamedTuple):
    """A decision that waits for a second signature, or did; and what came of it."""

    decision_id: Id
    proposed_at: datetime
    act: str | None = None
    about: Id | None = None
    proposed_by: str | None = None
    expires_at: datetime | None = None
    agreed_by: str | None = None
    agreed_at: datetime | None = None
    withdrawn_at: datetime | None = None
    expired: bool = False
    carried_out_at: datetime | None = None
    not_carried_out: str | None = None
    """Why the service that decides refused it, though both signed."""
    version: int = 0
    sequence: Position = 0
    damaged: bool = False


with_changes(PersonRow)
with_changes(DecisionRow)

UNSETTLED = "carried_out_at IS NULL AND withdrawn_at IS NULL AND NOT expired"
"""One that was refused though both signed stays until its proposer or a supervisor withdraws it."""

TABLES = (
    TableOf("people", PersonRow, key=("person_id",)),
    TableOf(
        "decisions",
        DecisionRow,
        key=("decision_id",),
        indexes=(IndexOf("unsettled", ("proposed_at",), where=UNSETTLED),),
    ),
)


def person(row: PersonRow, data: Any, at: datetime) -> PersonRow:
    match data:
        case people.PersonAdded():
            return row._replace(name=data.name, is_machine=data.is_machine)
        case people.RoleGranted():
            return row._replace(roles=BETWEEN.join(sorted({*lines(row.roles), data.role})))
        case people.RoleTaken():
            return row._replace(roles=BETWEEN.join(sorted({*lines(row.roles)} - {data.role})))
        case people.PersonSuspended():
            return row._replace(suspended=True, sessions_ended_at=at)
        case people.PersonResumed():
            return row._replace(suspended=False)
        case people.SessionsEnded():
            return row._replace(sessions_ended_at=at)
        case people.AttemptsRefused():
            return _refused(row, data)._replace(refused_at=at)
        case _:
            return _proof(row, data, at)


_COUNTED: dict[type[Any], dict[str, int]] = {
    people.EnrolmentOffered: {"links": 1},
    people.EnrolmentExpired: {"links": -1},
    people.KeyRegistered: {"keys": 1},
    people.KeyRevoked: {"keys": -1},
    people.TokenIssued: {"tokens": 1},
    people.TokenRevoked: {"tokens": -1},
}


def _proof(row: PersonRow, data: Any, at: datetime) -> PersonRow:
    if isinstance(data, people.BreakGlassSet):
        return row._replace(break_glass=True)
    if isinstance(data, people.KeyRegistered):
        row = row._replace(links=0)  # With a key every other link is over.
    if isinstance(data, people.BreakGlassUsed):
        return row._replace(break_glass_used_at=at)
    if isinstance(data, people.SignaturesSeen):
        # Nobody has seen what wasn't signed yet; `sequence` is this event's.
        return row._replace(signatures_seen=min(data.through, row.sequence))
    counted = _COUNTED.get(type(data), {})  # What belongs to another log says nothing here.
    return row._replace(**{name: getattr(row, name) + more for name, more in counted.items()})


def _refused(row: PersonRow, data: people.AttemptsRefused) -> PersonRow:
    counts = refused_in(row.refused) | {(data.kind, data.why): data.count}
    said = BETWEEN.join(f"{kind} {why} {count}" for (kind, why), count in counts.items())
    return row._replace(refused=said, refused_in_all=sum(counts.values()))


def refused_in(said: str) -> dict[tuple[str, str], int]:
    """(kind, why) -> how many attempts."""
    parts = (line.split(" ") for line in lines(said))
    return {(kind, why): int(count) for kind, why, count in parts}


def decision(row: DecisionRow, data: Any, at: datetime) -> DecisionRow:
    match data:
        case people.DecisionProposed():
            return row._replace(
                act=data.act,
                about=data.about,
                proposed_by=data.signature.person,
                expires_at=data.expires_at,
            )
        case people.DecisionAgreed():
            return row._replace(agreed_by=data.signature.person, agreed_at=at)
        case people.DecisionWithdrawn():
            return row._replace(withdrawn_at=at)
        case people.DecisionExpired():
            return row._replace(expired=True)
        case people.DecisionCarriedOut():
            return row._replace(carried_out_at=at)
        case people.DecisionNotCarriedOut():
            return row._replace(not_carried_out=data.why)
        case _:
            return row


def lines(text: str) -> list[str]:
    return text.split(BETWEEN) if text else []
