"""Writes the record of access: an opening is on the disk before it is answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import uuid4

from shared.access import AccessRecord, Spotted
from shared.case_log import LogError
from shared.jetstream.calls import Outgoing
from shared.jetstream.stream import Stream
from shared.key_messages import SealedValue


@dataclass(frozen=True)
class Records:
    """The stream AUDIT, as the key holder writes it."""

    stream: Stream
    now: Callable[[], datetime]

    def write(self, service: str, values: Sequence[SealedValue], by: str, purpose: str) -> None:
        """Records one access. Raises LogError: then nothing may be opened."""
        record = AccessRecord(
            access_id=uuid4().hex,
            at=self.now(),
            by=by,
            service=service,
            purpose=purpose,
            values=tuple(
                Spotted(**value.model_dump(include=set(Spotted.model_fields))) for value in values
            ),
        )
        body = record.model_dump_json().encode()
        message = Outgoing(record.subject, body, {"Nats-Msg-Id": record.access_id})
        # Sent again after a lost answer it is a duplicate by its id: recorded, once.
        ack = self.stream.retry(partial(self.stream.publish_batch, [message]), "recording access")
        if ack.error_code:
            raise LogError(f"recording access: {ack.error_text}")
