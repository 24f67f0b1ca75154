"""`passage log`: the stored events as JSON lines, byte for byte and still sealed; and what somebody
signed, as the log has it, whatever query shows."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Annotated, NamedTuple

import typer

from passage.cli.options import DEFAULT_DATA_DIR, AsJson, DataDir
from passage.connecting import connected
from passage.integrity.log_reading import last_sequence, read_stream
from passage.printing import counted, print_json, print_table
from passage.running import Running, find_running
from shared import subjects
from shared.commands.case_numbers import typed_case_number
from shared.events.parsing import UnreadableEventError, read_case_event
from shared.jetstream.stored import StoredMessage

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
    data: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """List what somebody signed, in the log's order; `passage verify` proves the signatures."""
    found = asyncio.run(_signed(find_running(data), account))
    if as_json:
        print_json([one._asdict() for one in found])
        return
    print_table(counted(len(found), "signature"), SignedBy._fields, found)


class SignedBy(NamedTuple):
    sequence: int
    recorded: str
    about: str
    signed: str
    """The canonical form: what the key signed."""


async def _signed(running: Running, account: str) -> list[SignedBy]:
    found: list[SignedBy] = []
    async with connected(running) as client:
        last = await last_sequence(client, subjects.CASES)
        async for stored in read_stream(client, subjects.CASES, last):
            if SIGNATURES in stored.body:
                found += _signatures_in(stored, account)
    return found


def _signatures_in(stored: StoredMessage, account: str) -> Iterator[SignedBy]:
    """Of what can't be read, none: `passage verify` says so."""
    with suppress(UnreadableEventError):
        event = read_case_event(stored.body)
        at = stored.recorded_at.isoformat(timespec="seconds")
        for one in event.signatures or ():
            if one.person == account:
                yield SignedBy(stored.sequence, at, event.subject, one.canonical)


async def _export(running: Running, case: str | None) -> None:
    subject = ">" if case is None else f"{subjects.CASES_PREFIX}.{case}.>"
    async with connected(running) as client:
        last = await last_sequence(client, subjects.CASES)
        async for stored in read_stream(client, subjects.CASES, last, subject):
            sys.stdout.buffer.write(stored.body + b"\n")
