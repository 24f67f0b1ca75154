"""`passage audit CASE`: who had personal values of a case opened or found it by a search, when, and
for what purpose.
"""

import asyncio
from typing import Annotated

import typer
from pydantic import ValidationError

from passage.cli.options import DEFAULT_DATA_DIR, AsJson, DataDir
from passage.connecting import connected
from passage.exits import Exit, VerbEndedError
from passage.integrity.log_reading import last_sequence, read_stream
from passage.printing import counted, err, print_json, print_table, short_time
from passage.running import Running, find_running
from shared import subjects
from shared.commands.case_numbers import typed_case_number
from shared.keys.access import MANY, AccessRecord

COLUMNS = ("at", "by", "through", "purpose", "opened")


def audit_verb(
    case_id: Annotated[str, typer.Argument(help="Case number.", parser=typed_case_number)],
    data: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """List who opened personal values of a case or found it, as the audit log has it."""
    running = find_running(data)
    records, unreadable = asyncio.run(_read(running, case_id))
    if not (records or unreadable or asyncio.run(_is_there(running, case_id))):
        raise VerbEndedError(Exit.FAILED, f"there is no case {case_id}")
    if as_json:
        print_json([_of_case(record, case_id) for record in records])
    else:
        rows = [
            (
                short_time(record.at.isoformat()),
                record.by,
                record.service,
                record.purpose,
                _opened(record, case_id),
            )
            for record in records
        ]
        print_table(f"Case {case_id}: {counted(len(rows), 'access', 'accesses')}", COLUMNS, rows)
    if unreadable:
        err.print(f"{counted(unreadable, 'record')} can't be read")
        raise typer.Exit(Exit.FAILED)


async def _read(running: Running, case_id: str) -> tuple[list[AccessRecord], int]:
    records: list[AccessRecord] = []
    unreadable = 0
    async with connected(running) as client:
        last = await last_sequence(client, subjects.AUDIT)
        for subject in (subjects.audit(case_id), subjects.audit(MANY)):
            async for stored in read_stream(client, subjects.AUDIT, last, subject):
                try:
                    record = AccessRecord.model_validate_json(stored.body)
                except ValidationError:
                    unreadable += 1
                    continue
                if case_id in record.case_ids:
                    records.append(record)
    return sorted(records, key=lambda one: one.at), unreadable


async def _is_there(running: Running, case_id: str) -> bool:
    async with connected(running) as client:
        last = await last_sequence(client, subjects.CASES)
        subject = f"{subjects.CASES_PREFIX}.{case_id}.>"
        async for _ in read_stream(client, subjects.CASES, last, subject):
            return True
    return False


def _of_case(record: AccessRecord, case_id: str) -> dict[str, object]:
    return {
        **record.model_dump(mode="json", exclude={"values", "found_cases"}),
        "cases": len(record.case_ids),
        "values": [one.model_dump() for one in record.values_of(case_id)],
    }


def _opened(record: AccessRecord, case_id: str) -> str:
    if record.asked:
        return f"found by {', '.join(record.asked)}"
    values = record.values_of(case_id)
    others = len(record.case_ids) - 1
    text = ", ".join(f"{one.version} {one.type_name}.{one.field}" for one in values)
    return f"{text} (and of {counted(others, 'other case')})" if others else text
