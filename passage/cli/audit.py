"""`passage audit CASE`: who had personal values of a case opened or found it by a search, when, and
for what purpose.
"""

import asyncio
from typing import Annotated, Any

import typer

from passage.api import Json, api_of, fetched
from passage.cli.options import DEFAULT_DATA_DIR, As, AsJson, DataDir
from passage.exits import Exit
from passage.own_keys import AsPerson, as_person
from passage.printing import counted, err, print_json, print_table, short_time
from passage.running import Running, find_running
from shared.commands.case_numbers import typed_case_number

COLUMNS = ("at", "by", "through", "purpose", "opened")


def audit_verb(
    case_id: Annotated[str, typer.Argument(help="Case number.", parser=typed_case_number)],
    account: As = None,
    data: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """List who opened personal values of a case or found it, as the audit log has it."""
    running = find_running(data)
    found = asyncio.run(_accesses(running, as_person(running, account), case_id))
    records, unreadable = found["items"], found["unreadable"]
    if as_json:
        print_json(records)
    else:
        title = f"Case {case_id}: {counted(len(records), 'access', 'accesses')}"
        print_table(title, COLUMNS, map(_row, records))
    if unreadable:
        err.print(f"{counted(unreadable, 'record')} can't be read")
        raise typer.Exit(Exit.FAILED)


async def _accesses(running: Running, who: AsPerson, case_id: str) -> Json:
    async with api_of(running, who) as api:
        return await fetched(api, f"cases/{case_id}/accesses")


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    return short_time(one["at"]), one["by"], one["service"], one["purpose"], _opened(one)


def _opened(one: dict[str, Any]) -> str:
    if one["asked"]:
        return f"found by {', '.join(one['asked'])}"
    text = ", ".join(
        f"{value['version']} {value['type_name']}.{value['field']}" for value in one["values"]
    )
    others = one["cases"] - 1
    return f"{text} (and of {counted(others, 'other case')})" if others else text
