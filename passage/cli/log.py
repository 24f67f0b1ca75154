"""`passage log`: the stored events as JSON lines, byte for byte and still sealed; what somebody
signed, and who could do what at any time, as the log has it, whatever query shows."""

import asyncio
import sys
from datetime import UTC, datetime
from typing import Annotated, NamedTuple

import typer

from passage.api import api_of, commanded, ended_by_problem
from passage.cli.options import DEFAULT_DATA_DIR, AsJson, DataDir
from passage.connecting import connected
from passage.integrity.log_reading import last_sequence, read_stream
from passage.own_keys import AsPerson, as_person
from passage.own_signatures import SignedBy, all_signed_by
from passage.printing import counted, print_json, print_table
from passage.running import Running, find_running
from shared import subjects
from shared.commands.case_numbers import typed_case_number
from shared.commands.people import SeeSignatures
from shared.events.parsing import read_case_event
from shared.events.people import PersonAdded, Role, log_of
from shared.people.state import PersonState, evolve_person
from shared.subjects import read_case_subject

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
    found = asyncio.run(all_signed_by(running, account))
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
        added = read_stream(
            client, subjects.CASES, last, subjects.case_events(PersonAdded.__name__)
        )
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
