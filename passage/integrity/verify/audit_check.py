"""Checks the audit log: AUDIT is whole, readable, and as the checkpoints say."""

from __future__ import annotations

from collections.abc import Sequence

from nats.aio.client import Client
from pydantic import ValidationError
from typing_extensions import override

from passage.exits import Exit, VerbEndedError
from passage.integrity.findings import Findings
from passage.integrity.log_reading import Check, last_sequence, read_with
from passage.integrity.verify.digest_check import DigestCheck
from shared import subjects
from shared.jetstream.stored import StoredMessage
from shared.keys.access import AccessRecord
from shared.witnesses.files import Witnessed
from shared.witnesses.heads import RolledDigest

CHECK = "audit"


async def check_audit(client: Client, witnessed: Witnessed, findings: Findings) -> None:
    """Reads AUDIT in full and compares; the witness files must have been read before."""
    try:
        last = await last_sequence(client, subjects.AUDIT)
    except VerbEndedError as error:
        if error.code != Exit.FAILED:
            raise
        findings.add(CHECK, subjects.AUDIT, str(error))
        return
    signed = witnessed.binding_audit
    digest = RolledDigest(subjects.AUDIT, signed, lambda line: line.audit_digest)
    checks = [DigestCheck(digest, findings, CHECK), _RecordCheck(findings)]
    await read_with(client, subjects.AUDIT, last, checks)


class _RecordCheck(Check):
    def __init__(self, findings: Findings) -> None:
        self._findings = findings

    @override
    def take(self, batch: Sequence[StoredMessage]) -> None:
        what = "it is no record of access, or stands under another one's subject"
        for stored in batch:
            if not _is_record(stored):
                self._findings.add(CHECK, f"sequence {stored.sequence}", what)


def _is_record(stored: StoredMessage) -> bool:
    try:
        return AccessRecord.model_validate_json(stored.body).subject == stored.subject
    except ValidationError:
        return False
