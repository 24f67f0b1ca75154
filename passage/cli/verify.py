"""`passage verify`: reads the whole log and compares everything that was made of it."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from nats.aio.client import Client
from rich.progress import Progress
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from passage.cli.erased import verify_erased
from passage.cli.options import DEFAULT_DATA_DIR, AsJson, DataDir
from passage.connecting import connected
from passage.exits import Exit, VerbEndedError
from passage.install.provisioning import compare
from passage.integrity.gate import bad_lines_of, check_gate
from passage.integrity.log_reading import last_sequence, read_batches
from passage.integrity.verify.audit_check import check_audit
from passage.integrity.verify.case_logs import CaseLogs
from passage.integrity.verify.findings import Findings
from passage.integrity.verify.index_check import IndexCheck
from passage.integrity.verify.keys_check import check_keys
from passage.integrity.verify.quota_check import check_quotas
from passage.integrity.verify.read_model_check import ReadModelCheck
from passage.integrity.verify.replicas_check import check_replicas
from passage.printing import counted, err, out, print_json, print_table
from passage.runner.own_server import log_of
from passage.running import Running, find_running, settings_of_environment
from services.query.feed.database import Database, open_database
from shared import subjects
from shared.case_numbers import typed_case_number
from shared.witness_files import Witnessed

INDEX_STREAM = f"KV_{subjects.INDEX_BUCKET}"
INDEX_PREFIX = f"$KV.{subjects.INDEX_BUCKET}."
OF_THE_GATE = frozenset({"witness", "incarnation"})


class Checked:
    """What was read, and what was found."""

    def __init__(self) -> None:
        self.findings = Findings()
        self.logs = CaseLogs(self.findings, settings_of_environment().supervisor_names)
        self.rows_of_cases: int | None = None
        self.copies = 0
        """How many servers' copies of CASES were read; 0 where there is one only."""

    def as_json(self) -> dict[str, object]:
        counts = [
            {"check": check, "severity": severity, "count": count}
            for (check, severity), count in sorted(self.findings.counts.items())
        ]
        return {
            "events": self.logs.events,
            "cases": self.logs.cases,
            "sequence": self.logs.sequence,
            "cases_in_read_model": self.rows_of_cases,
            "copies": self.copies,
            "errors": self.findings.errors,
            "counts": counts,
            "findings": [asdict(one) for one in self.findings.kept],
        }


def verify_verb(
    data: DataDir = DEFAULT_DATA_DIR,
    erased: Annotated[
        str | None,
        typer.Option(
            help="Show that nothing opens what was erased of this case.", parser=typed_case_number
        ),
    ] = None,
    look_in: Annotated[
        list[Path] | None, typer.Option("--in", help="With --erased: also files and folders.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check streams, log, chain, index, keys, archive and read models; exit code 1 if any fails."""
    if erased is not None:
        verify_erased(find_running(data), erased, look_in or (), as_json)
        return
    with (
        log_of(data) as running,
        Progress(console=err, transient=True, disable=as_json) as progress,
    ):
        checked = asyncio.run(verify(running, progress))
    if as_json:
        print_json(checked.as_json())
    else:
        _print(checked)
    if checked.findings.errors:
        raise typer.Exit(Exit.FAILED)


async def verify(running: Running, progress: Progress) -> Checked:
    """What was read and found, of a system that runs or of a log without services."""
    checked = Checked()
    async with connected(running) as client:
        await check_definitions(client, running, checked.findings)
        await check_quotas(client, running.quota, checked.findings)
        last = await last_sequence(client, subjects.CASES)
        database = _database(running.database)
        try:
            read_model = ReadModelCheck(database, checked.findings)
            comparing = await asyncio.to_thread(read_model.wait_for, last)
            await _check_log(client, last, checked, read_model if comparing else None, progress)
            await check_keys(client, checked.findings)
            witnessed = await _check_witnesses(running, checked.findings)
            await check_audit(client, witnessed, checked.findings)
            checked.copies = await check_replicas(client, last, checked.findings)
            if comparing:
                task = progress.add_task("read models", total=None)
                checked.rows_of_cases = await asyncio.to_thread(read_model.compare_rows)
                progress.remove_task(task)
        except SQLAlchemyError as error:
            raise VerbEndedError(
                Exit.UNAVAILABLE, f"the read models can't be read ({type(error).__name__})"
            ) from None
        finally:
            database.dispose()
    return checked


async def check_definitions(client: Client, running: Running, findings: Findings) -> None:
    """Compares every stream and consumer, the whole of each, with what it must be."""
    for one in await compare(client, running.replicas, running.quota):
        if not one.is_sound:
            findings.add("definitions", f"{one.kind} {one.name}", one.summary)


def _database(url: str) -> Database:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").is_file():
        raise VerbEndedError(Exit.FAILED, "there is no read model; is query running?")
    return open_database(url)


async def _check_log(
    client: Client,
    last: int,
    checked: Checked,
    read_model: ReadModelCheck | None,
    progress: Progress,
) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="passage-verify-") as folder,
        IndexCheck(Path(folder), INDEX_PREFIX) as index,
    ):
        task = progress.add_task("log", total=last)
        async for batch in read_batches(client, subjects.CASES, last):
            for stored in batch:
                index.promise(checked.logs.take(stored))
            if read_model is not None:
                read_model.compare_archive(batch)
            progress.advance(task, len(batch))
        checked.logs.end(last)
        await _check_index(client, index, checked)


async def _check_index(client: Client, index: IndexCheck, checked: Checked) -> None:
    last = await last_sequence(client, INDEX_STREAM)
    async for batch in read_batches(client, INDEX_STREAM, last):
        for stored in batch:
            index.take(stored, checked.findings)
    index.end(last, checked.findings)
    index.compare(checked.findings, datetime.now(UTC), checked.logs.knows)


async def _check_witnesses(running: Running, findings: Findings) -> Witnessed:
    """What the gate checks and nothing else here does: checkpoints and incarnation.

    And every signature of the witness files; the gate looks at those that count.
    """
    gate = await check_gate(running)
    for one in gate.findings.kept:
        if one.check in OF_THE_GATE:
            findings.add(one.check, one.where, one.what, one.severity)
    for bad in await asyncio.to_thread(bad_lines_of, running):
        if bad not in gate.witnessed.problems:
            findings.add("witness", "witness files", bad)
    return gate.witnessed


def _print(checked: Checked) -> None:
    findings, logs = checked.findings, checked.logs
    out.print(
        f"{counted(logs.events, 'event')} of {counted(logs.cases, 'case')}, up to sequence "
        f"{logs.sequence}"
    )
    if not findings.kept:
        out.print("every check passed")
        return
    rows = [(one.severity, one.check, one.where, one.what) for one in findings.kept]
    print_table("Findings", ("severity", "check", "where", "what"), rows)
    for (check, severity), count in sorted(findings.counts.items()):
        out.print(f"{check}: {counted(count, severity)}")
