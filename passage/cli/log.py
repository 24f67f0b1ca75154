"""`passage log`: the stored events as JSON lines, byte for byte and still sealed; what somebody
signed, and who could do what at any time, as the log has it, whatever query shows."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, NamedTuple

import typer

from passage.api import api_of, commanded, ended_by_problem
from passage.cli.options import DEFAULT_DATA_DIR, AsJson, DataDir
from passage.connecting import connected
from passage.integrity.log_reading import last_sequence, read_stream
from passage.own_keys import AsPerson, as_person
from passage.printing import counted, print_json, print_table
from passage.running import Running, find_running
from shared import subjects
from shared.commands.case_numbers import typed_case_number
from shared.commands.people import SeeSignatures
from shared.events.parsing import UnreadableEventError, read_case_event
from shared.events.people import Role, SignaturesSeen, log_of
from shared.jetstream.stored import StoredMessage
from shared.people.directory import ADDED
from shared.people.state import PersonState, evolve_person
from shared.subjects import read_case_subject

SIGNATURES = b'"signatures":'

log = typer.Typer(help="The log of record.", no_args_is_help=True)


@log.command("export")
def export_verb(
    case: Annotated[
        str | None,
        typer.Option("--case", help="Only this case.", parser=typed_case_number),
    ] = None,
    data: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Write the stored events to standard output, one a line, in the log's order."""
    asyncio.run(_export(find_running(data), case))


@log.command("signed")
def signed_verb(
    account: Annotated[str, typer.Argument(help="Whose signatures.")],
    seen: Annotated[
        bool, typer.Option("--seen", help="Then mark them as seen; only one's own.")
    ] = False,
    data: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """List what somebody signed, in the log's order, and what is new since they last looked.

    `passage verify` proves the signatures.
    """
    running = find_running(data)
    found = asyncio.run(_signed(running, account))
    new = sum(one.new for one in found)
    if as_json:
        print_json([one._asdict() for one in found])
    else:
        shown = [("new" if one.new else "", *one[1:]) for one in found]
        print_table(f"{counted(len(found), 'signature')}, {new} new", SignedBy._fields, shown)
    if seen and new:
        asyncio.run(_see(running, as_person(running, account), found[-1].sequence))


def _time(typed: str) -> datetime:
    try:
        at = datetime.fromisoformat(typed)
    except ValueError:
        raise typer.BadParameter("a time is written 2026-03-14T12:00:00Z") from None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


@log.command("people")
def people_verb(
    at: Annotated[
        datetime | None,
        typer.Option("--at", help="As it was then (ISO 8601; UTC); else now.", parser=_time),
    ] = None,
    data: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """List who could do what at a time, by their own logs; times are the server's."""
    found = asyncio.run(_people(find_running(data), at or datetime.now(UTC)))
    if as_json:
        print_json([one._asdict() for one in found])
        return
    shown = [one._replace(roles=", ".join(one.roles)) for one in found]  # type: ignore[arg-type]
    print_table(counted(len(found), "person", "people"), Could._fields, shown)


class Could(NamedTuple):
    account: str
    roles: list[Role]
    """None while suspended."""
    suspended: bool
    keys: int
    """How many keys they held."""


async def _people(running: Running, at: datetime) -> list[Could]:
    people: dict[str, PersonState] = {}
    async with connected(running) as client:
        last = await last_sequence(client, subjects.CASES)
        added = read_stream(client, subjects.CASES, last, subjects.case_events(ADDED))
        logs = sorted({read_case_subject(one.subject).case_id async for one in added})
        for log_id in logs:
            subject = f"{subjects.CASES_PREFIX}.{log_id}.>"
            async for stored in read_stream(client, subjects.CASES, last, subject):
                if stored.recorded_at <= at:
                    person = people.get(log_id, PersonState())
                    people[log_id] = evolve_person(person, read_case_event(stored.body))
    return [
        Could(
            one.account,
            [] if one.suspended else sorted(one.roles),
            one.suspended,
            len(one.keys_held),
        )
        for one in people.values()
    ]


class SignedBy(NamedTuple):
    new: bool
    """Whether it came since they last looked."""
    sequence: int
    recorded: str
    about: str
    signed: str
    """The canonical form: what the key signed."""


async def _signed(running: Running, account: str) -> list[SignedBy]:
    found: list[SignedBy] = []
    seen = 0
    async with connected(running) as client:
        last = await last_sequence(client, subjects.CASES)
        async for stored in read_stream(client, subjects.CASES, last):
            if SIGNATURES in stored.body:
                found += _signatures_in(stored, account)
            elif stored.subject.startswith(f"{subjects.CASES_PREFIX}.{log_of(account)}."):
                seen = max(seen, _seen_in(stored))
    return [one._replace(new=one.sequence > seen) for one in found]


def _signatures_in(stored: StoredMessage, account: str) -> Iterator[SignedBy]:
    """Of what can't be read, none: `passage verify` says so."""
    with suppress(UnreadableEventError):
        event = read_case_event(stored.body)
        at = stored.recorded_at.isoformat(timespec="seconds")
        for one in event.signatures or ():
            if one.person == account:
                yield SignedBy(True, stored.sequence, at, event.subject, one.canonical)


def _seen_in(stored: StoredMessage) -> int:
    """Up to which sequence a person's event says that they looked."""
    with suppress(UnreadableEventError):
        event = read_case_event(stored.body)
        if isinstance(event.data, SignaturesSeen):
            return min(event.data.through, stored.sequence)
    return 0


async def _see(running: Running, who: AsPerson, through: int) -> None:
    async with api_of(running, who) as api:
        body = {"case_id": log_of(who.key.account), "through": through}
        reply = await commanded(api, SeeSignatures.__name__, body, "running it again is safe")
    if not reply.ok:
        raise ended_by_problem(reply)


async def _export(running: Running, case: str | None) -> None:
    subject = ">" if case is None else f"{subjects.CASES_PREFIX}.{case}.>"
    async with connected(running) as client:
        last = await last_sequence(client, subjects.CASES)
        async for stored in read_stream(client, subjects.CASES, last, subject):
            sys.stdout.buffer.write(stored.body + b"\n")
