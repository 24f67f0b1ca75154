"""`passage case find`: cases by number, return code, caller, service number or name."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from passage.api import Json, api_of, sent
from passage.cli.options import DEFAULT_DATA_DIR, AsJson, DataDir
from passage.exits import Exit, VerbEndedError
from passage.printing import counted, print_json, print_table
from passage.running import find_running

COLUMNS = ("case_id", "progress", "identity", "channel", "last_call_at", "suggestion")


def find_verb(  # noqa: PLR0913, PLR0917 - the options of a verb
    number: Annotated[str | None, typer.Option(help="Case number, in any spelling.")] = None,
    code: Annotated[str | None, typer.Option(help="Return code.")] = None,
    caller: Annotated[str | None, typer.Option(help="CHANNEL:ADDRESS, as phone:+380...")] = None,
    service_number: Annotated[str | None, typer.Option(help="Service number.")] = None,
    name: Annotated[str | None, typer.Option(help="Name, in either alphabet.")] = None,
    by: Annotated[str | None, typer.Option(help="Who searches.")] = None,
    purpose: Annotated[str | None, typer.Option(help="What for.")] = None,
    data: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Find cases by one option; all but --number need --by and --purpose, which are recorded."""
    given = {
        "case_number": number,
        "return_code": code,
        "caller": _caller(caller) if caller is not None else None,
        "service_number": service_number,
        "name": name,
    }
    wanted: Json = {field: value for field, value in given.items() if value is not None}
    if len(wanted) != 1:
        options = "--number, --code, --caller, --service-number, --name"
        raise VerbEndedError(Exit.USAGE, f"give exactly one of {options}")
    if number is None and not (by and purpose):
        raise VerbEndedError(Exit.USAGE, "the search needs --by and --purpose, which are recorded")
    who = {"by": by, "purpose": purpose} if number is None else {}
    found = asyncio.run(_found(find_running(data).http, {**wanted, **who}))
    if as_json:
        print_json(found)
        return
    rows = [tuple(_cell(column, item.get(column)) for column in COLUMNS) for item in found["items"]]
    print_table(counted(len(rows), "case"), COLUMNS, rows)


def _cell(column: str, value: object) -> object:
    if column == "suggestion" and isinstance(value, dict):
        return f"{value['score']} ({', '.join(value['agrees'])})"
    return value


def _caller(text: str) -> Json:
    channel, colon, address = text.partition(":")
    if not colon or not address:
        raise VerbEndedError(Exit.USAGE, "--caller: must be CHANNEL:ADDRESS")
    return {"channel": channel, "address": address}


async def _found(url: str, wanted: Json) -> Json:
    async with api_of(url) as api:
        return await sent(api, "search", wanted)
