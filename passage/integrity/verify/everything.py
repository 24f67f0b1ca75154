"""Reads the whole log once, and compares it with everything derived from it."""

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from nats.aio.client import Client
from pydantic import ValidationError
from sqlalchemy import Engine
from typing_extensions import override

from passage.asking_keyholder import SealedError, asked
from passage.connecting import connected
from passage.exits import Exit, VerbEndedError
from passage.install.comparing import incarnation_of
from passage.install.provisioning import compare
from passage.integrity.findings import Findings
from passage.integrity.gate import (
    bad_lines_of,
    check_witnessed,
    no_collection,
    reading_database,
    witnessed_of,
)
from passage.integrity.log_reading import Check, last_sequence, read_with, stream_info
from passage.integrity.verify import index_check
from passage.integrity.verify.case_logs import CaseLogs
from passage.integrity.verify.index_check import IndexCheck
from passage.integrity.verify.quota_check import check_quotas
from passage.integrity.verify.replicas_check import check_replicas
from passage.running import Running, settings_of_environment
from services.query.feed.archive import Archive
from services.query.feed.checking import ReadModelCheck
from shared import subjects
from shared.jetstream.raw_client import RawClient
from shared.jetstream.stored import StoredMessage
from shared.keys.access import AccessRecord
from shared.keys.messages import KeysChecked
from shared.witnesses.files import Witnessed
from shared.witnesses.heads import RolledDigest

AUDIT = "audit"
Tell = Callable[[str, int, int], None]
"""Called with what is read, how much was, and how much there is; 0: unknown."""


class Checked:
    def __init__(self, witnessed: Witnessed) -> None:
        self.findings = Findings()
        self.witnessed = witnessed
        self.digest = RolledDigest("the log", witnessed.binding)
        self.events = 0
        self.cases = 0
        self.rows_of_cases: int | None = None
        self.copies = 0
        """How many servers' copies of CASES were read; 0 if there is only one."""

    def as_json(self) -> dict[str, object]:
        counts = [
            {"check": check, "severity": severity, "count": count}
            for (check, severity), count in sorted(self.findings.counts.items())
        ]
        return {
            "events": self.events,
            "cases": self.cases,
            "sequence": self.digest.sequence,
            "cases_in_read_model": self.rows_of_cases,
            "copies": self.copies,
            "errors": self.findings.errors,
            "counts": counts,
            "findings": [asdict(one) for one in self.findings.kept],
        }


async def verify(running: Running, tell: Tell) -> Checked:
    """Of a running system or of a log without services."""
    # Read before asking for the log's end: no line may be newer than what is read.
    checked = Checked(await asyncio.to_thread(witnessed_of, running))
    async with connected(running) as client:
        await check_definitions(client, running, checked.findings)
        await check_quotas(client, running.quota, checked.findings)
        with reading_database(running) as reader, no_collection():
            if reader is None:
                raise VerbEndedError(Exit.FAILED, "there is no read model; is query running?")
            await _verify(client, running, reader, checked, tell)
    return checked


async def _verify(
    client: RawClient, running: Running, reader: Engine, checked: Checked, tell: Tell
) -> None:
    findings = checked.findings
    info = await stream_info(client, subjects.CASES)
    last = int(info["state"]["last_seq"])
    read_model = ReadModelCheck(reader, findings.add)
    comparing = await asyncio.to_thread(read_model.wait_for, last)
    archive = [ArchiveCheck(reader, last, findings)] if comparing else []
    await _check_log(client, last, checked, archive, tell)
    await check_keys(client, findings)
    ends = (last, Archive.furthest(reader).last)
    check_witnessed(checked.witnessed, incarnation_of(info["config"]), ends, findings)
    for bad in await asyncio.to_thread(bad_lines_of, running):
        if bad not in checked.witnessed.problems:
            findings.add("witness", "witness files", bad)
    await check_audit(client, checked.witnessed, findings)
    checked.copies = await check_replicas(client, last, findings)
    if comparing:
        tell("read models", 0, 0)
        checked.rows_of_cases = await asyncio.to_thread(read_model.compare_rows)


class ArchiveCheck(Check):
    def __init__(self, reader: Engine, last: int, findings: Findings) -> None:
        self._archive = Archive.own(reader, last)
        self._findings = findings

    @override
    def take(self, batch: Sequence[StoredMessage]) -> None:
        for sequence, what in self._archive.differences(batch).items():
            self._findings.add("archive", f"sequence {sequence}", what)


async def _check_log(
    client: Client, last: int, checked: Checked, more: Sequence[Check], tell: Tell
) -> None:
    """Reads CASES for all checks, and then the index for what CASES requires."""
    findings = checked.findings
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="passage-verify-"))
        index = stack.enter_context(closing(IndexCheck(Path(folder), findings)))
        logs = CaseLogs(findings, settings_of_environment().supervisor_names, index.promise)
        checks = [DigestCheck(checked.digest, findings), logs, *more]
        await read_with(client, subjects.CASES, last, checks, lambda done: tell("log", done, last))
        checked.events, checked.cases = logs.events, logs.cases
        last = await last_sequence(client, index_check.STREAM)
        await read_with(client, index_check.STREAM, last, [index])
        index.compare(datetime.now(UTC), logs.knows)


async def check_definitions(client: Client, running: Running, findings: Findings) -> None:
    for one in await compare(client, running.replicas, running.quota):
        if not one.is_sound:
            findings.add("definitions", f"{one.kind} {one.name}", one.summary)


class DigestCheck(Check):
    """Rolls the digest on; records problems under the digest's own checks, or under one."""

    def __init__(self, digest: RolledDigest, findings: Findings, check: str = "") -> None:
        self._digest = digest
        self._findings = findings
        self._check = check

    @override
    def take(self, batch: Sequence[StoredMessage]) -> None:
        for stored in batch:
            for problem in self._digest.take(stored.sequence, stored.subject, stored.body):
                self._findings.note(problem, self._check)

    @override
    def end(self, last: int) -> None:
        for problem in self._digest.end(last):
            self._findings.note(problem, self._check)


async def check_audit(client: Client, witnessed: Witnessed, findings: Findings) -> None:
    """Reads AUDIT in full and compares; the witness files must have been read before."""
    try:
        last = await last_sequence(client, subjects.AUDIT)
    except VerbEndedError as error:
        if error.code != Exit.FAILED:
            raise
        findings.add(AUDIT, subjects.AUDIT, str(error))
        return
    signed = witnessed.binding_audit
    digest = RolledDigest(subjects.AUDIT, signed, lambda line: line.audit_digest)
    checks = [DigestCheck(digest, findings, AUDIT), _RecordCheck(findings)]
    await read_with(client, subjects.AUDIT, last, checks)


class _RecordCheck(Check):
    def __init__(self, findings: Findings) -> None:
        self._findings = findings

    @override
    def take(self, batch: Sequence[StoredMessage]) -> None:
        what = "it isn't a record of access, or is stored under another one's subject"
        for stored in batch:
            if not _is_record(stored):
                self._findings.add(AUDIT, f"sequence {stored.sequence}", what)


def _is_record(stored: StoredMessage) -> bool:
    try:
        return AccessRecord.model_validate_json(stored.body).subject == stored.subject
    except ValidationError:
        return False


async def check_keys(client: Client, findings: Findings) -> None:
    """Adds the cases whose keys don't unwrap, or that the check was impossible."""
    try:
        checked = await asked(client, "check", b"", KeysChecked)
    except SealedError as error:
        findings.add("keys", "key holder", f"data keys were not looked at: {error}", "warning")
        return
    for case_id in checked.damaged:
        findings.add("keys", f"case {case_id}", "its data keys don't unwrap")
    for case_id in checked.dropped:
        said = "its data keys are of a dropped epoch: what they sealed counts as erased"
        findings.add("keys", f"case {case_id}", said, "warning")
