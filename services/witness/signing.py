"""Signs what the log and AUDIT held, and appends it to every witness file."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.diagnostics.logger import logger, place_of
from shared.jetstream.stream import READ_BATCH_MESSAGES, Stream
from shared.witnesses.checkpoints import FIRST_DIGEST, rolled
from shared.witnesses.files import sign_next
from shared.witnesses.heads import LogHeads


class AuditTrail:
    """AUDIT read up to `sequence`, and its digest there.

    `passage verify` finds what is wrong with it; earlier signatures stand. So a damaged AUDIT can't
    prevent a checkpoint of CASES.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self.sequence = 0
        self.digest = FIRST_DIGEST

    def read_on(self) -> None:
        """Reads to the end, or as far as the server allows: what was read can be signed."""
        try:
            while True:
                page = self._stream.read_from(self.sequence + 1, READ_BATCH_MESSAGES)
                for one in page.messages:
                    self.digest = rolled(self.digest, one.sequence, one.subject, one.body)
                    self.sequence = one.sequence
                if page.is_last or not page.messages:
                    return
        except Exception as error:  # Whatever failed, the next look resumes after the last record.
            logger.warning("witness_failed", error=type(error).__name__, place=place_of(error))


class Signer:
    """`failing` while no file takes a line."""

    def __init__(
        self, key: Ed25519PrivateKey, paths: Sequence[Path], audit: AuditTrail | None = None
    ) -> None:
        self._key = key
        self._paths = paths
        self._audit = audit
        self._signed_audit = 0
        self.failing = False

    def reads_audit(self) -> bool:
        """Reads what was added to AUDIT; returns whether any of it isn't signed yet."""
        if self._audit is None:
            return False
        self._audit.read_on()
        return self._audit.sequence != self._signed_audit

    def sign(
        self, kind: Literal["opened", "checkpoint", "ended"], incarnation: str, heads: LogHeads
    ) -> bool:
        """Signs the log as read; returns whether a file has the line."""
        fields = {
            "kind": kind,
            "incarnation": incarnation,
            "sequence": heads.sequence,
            "cases": heads.cases,
            "digest": heads.digest.hex(),
            "audit_sequence": None if self._audit is None else self._audit.sequence,
            "audit_digest": None if self._audit is None else self._audit.digest.hex(),
        }
        line, _, failed = sign_next(self._paths, self._key, datetime.now(UTC), fields)
        if failed:
            logger.error("witness_file_failed", files=len(failed))
        self.failing = len(failed) == len(self._paths)
        if not self.failing:
            self._signed_audit = line.audit_sequence or 0
            logger.info(
                "signed",
                kind=kind,
                sequence=line.sequence,
                cases=line.cases,
                number=line.number,
            )
        return not self.failing
