"""`passage log`: the stored events as JSON lines, byte for byte and still sealed; and what somebody
signed, as the log has it, whatever query shows."""

import asyncio
import sys
from typing import Annotated

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
from shared.events.people import log_of

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
