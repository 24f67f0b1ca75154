"""Checks the record of access: AUDIT is whole and readable, and what checkpoints say it was."""

from __future__ import annotations

from nats.aio.client import Client
from pydantic import ValidationError

from passage.exits import Exit, VerbEndedError
from passage.integrity.log_reading import Stored, last_sequence, read_stream
from passage.integrity.verify.findings import Findings
from shared import subjects
from shared.access import AccessRecord
from shared.checkpoints import FIRST_DIGEST, rolled
from shared.witness_files import Witnessed


async def check_audit(client: Client, witnessed: Witnessed, findings: Findings) -> None:
    """Reads AUDIT in full and compares; the witness files must have been read before."""
    try:
        last = await last_sequence(client, subjects.AUDIT)
    except VerbEndedError as error:
        if error.code != Exit.FAILED:
            raise
        findings.add("audit", subjects.AUDIT, str(error))
        return
    checked = AuditCheck(witnessed, findings)
    async for stored in read_stream(client, subjects.AUDIT, last):
        checked.take(stored)
    checked.end(last)


class AuditCheck:
    """Takes the messages of AUDIT in order."""

    def __init__(self, witnessed: Witnessed, findings: Findings) -> None:
        self._checkpoints = witnessed.binding_audit
        self._findings = findings
        self._sequence = 0
        self._digest = FIRST_DIGEST

    def take(self, stored: Stored) -> None:
        """Checks one record."""
        self._go_on_to(stored.sequence)
        self._digest = rolled(self._digest, stored.sequence, stored.subject, stored.body)
        if not _is_record(stored):
            self._add("it is no record of access, or stands under another one's subject")
        digest = self._digest.hex()
        for line in self._checkpoints.get(stored.sequence, ()):
            if line.audit_digest != digest:
                self._add(f"another digest than checkpoint {line.number} signed")

    def end(self, last: int) -> None:
        """Checks that AUDIT ends where the server says, and not before a checkpoint."""
        if self._sequence != last:
            self._add(f"AUDIT goes on to {last}, but nothing more can be read")
        bound = max(self._checkpoints, default=0)
        if bound > last:
            self._add(f"AUDIT ends at {last}, but a checkpoint was signed at {bound}")

    def _go_on_to(self, sequence: int) -> None:
        expected, self._sequence = self._sequence + 1, sequence
        if sequence != expected:
            self._add(f"missing: {expected} to {sequence - 1}")

    def _add(self, what: str) -> None:
        self._findings.add("audit", f"sequence {self._sequence}", what)


def _is_record(stored: Stored) -> bool:
    try:
        return AccessRecord.model_validate_json(stored.body).subject == stored.subject
    except ValidationError:
        return False
