"""Checks that a stream lacks no sequence, and that it is what the checkpoints signed."""

from __future__ import annotations

from collections.abc import Sequence

from typing_extensions import override

from passage.integrity.findings import Findings
from passage.integrity.log_reading import Check
from shared.jetstream.stored import StoredMessage
from shared.witnesses.heads import RolledDigest


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
