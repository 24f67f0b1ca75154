"""`passage log export`: the stored events as JSON lines, byte for byte, still sealed."""

import asyncio
import sys
from typing import Annotated

import typer

from passage.cli.options import DEFAULT_DATA_DIR, DataDir
from passage.connecting import connected
from passage.integrity.log_reading import last_sequence, read_stream
from passage.running import Running, find_running
from shared import subjects
from shared.commands.case_numbers import typed_case_number

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


async def _export(running: Running, case: str | None) -> None:
    subject = ">" if case is None else f"{subjects.CASES_PREFIX}.{case}.>"
    async with connected(running) as client:
        last = await last_sequence(client, subjects.CASES)
        async for stored in read_stream(client, subjects.CASES, last, subject):
            sys.stdout.buffer.write(stored.body + b"\n")
