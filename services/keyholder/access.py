"""Writes the audit log: an opening or a search is on disk before it is answered."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import uuid4

from shared.jetstream.calls import Outgoing
from shared.jetstream.stream import Stream
from shared.keys.access import PARKED_TYPE, AccessRecord, Spotted
from shared.keys.messages import Found, NoteParked, Open, Release, Search
from shared.log.case_log import LogError


@dataclass(frozen=True)
class Records:
    stream: Stream
    now: Callable[[], datetime]

    def opening(self, service: str, asked: Open) -> None:
        """Raises LogError: then nothing may be opened."""
        places = tuple(
            Spotted(**value.model_dump(include=set(Spotted.model_fields))) for value in asked.values
        )
        self._write(service, asked.by, asked.purpose, use=asked.use, values=places)

    def search(self, service: str, asked: Search) -> None:
        """Raises LogError: then nothing may be hashed."""
        self._write(service, asked.by, asked.purpose, asked=asked.asked)

    def found(self, service: str, asked: Found) -> None:
        """Raises LogError."""
        what = {"asked": asked.asked, "found": asked.found, "found_cases": asked.case_ids}
        self._write(service, asked.by, asked.purpose, **what)

    def released(self, service: str, asked: Release) -> None:
        """Raises LogError."""
        self._write(service, asked.by, asked.purpose, released_to=asked.account)

    def parked(self, service: str, asked: NoteParked) -> None:
        """Raises LogError."""
        place = Spotted(
            case_id=asked.parked_id,
            version=asked.sequence,
            type_name=PARKED_TYPE,
            field=asked.use,
        )
        self._write(service, asked.by, asked.purpose, values=(place,))

    def _write(self, service: str, by: str, purpose: str, **what: Any) -> None:
        record = AccessRecord(
            access_id=uuid4().hex,
            at=self.now(),
            by=by,
            service=service,
            purpose=purpose,
            **what,
        )
        body = record.model_dump_json().encode()
        message = Outgoing(record.subject, body, {"Nats-Msg-Id": record.access_id})
        # Resent after a lost answer, its id makes it a duplicate: recorded once.
        ack = self.stream.retry(partial(self.stream.publish_batch, [message]), "recording access")
        if ack.error_code:
            raise LogError(f"recording access: {ack.error_text}")
