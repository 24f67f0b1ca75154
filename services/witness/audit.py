"""Follows AUDIT, so that the witness's checkpoints cover the audit log too.

`passage verify` finds what is wrong with it; the witness signs what it read, and earlier
signatures stand. So a damaged AUDIT can't prevent a checkpoint of CASES.
"""

from __future__ import annotations

from shared.diagnostics.logger import logger, place_of
from shared.jetstream.stream import READ_BATCH_MESSAGES, Stream
from shared.witnesses.checkpoints import FIRST_DIGEST, rolled


class AuditTrail:
    """AUDIT read up to `sequence`, and its digest there."""

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
