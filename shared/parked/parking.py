"""Parked messages: kept on PARKED with the reason and the original bytes, boxed.

A person sees them with `passage parked list` and retries them with `passage parked retry`.
"""

from datetime import datetime
from typing import Annotated, Literal
from uuid import uuid4

from nacl.public import PublicKey
from pydantic import Field

from shared.events.fields import At
from shared.keys.boxes import box_up
from shared.written.models import Exact, Lenient

Reason = Literal[
    "not_json",
    "wrong_envelope",
    "unknown_type",
    "unknown_version",
    "wrong_data",
    "too_large",
    "box_broken",
    "chain_broken",
    "failed",
]


class Parked(Exact):
    """One message that waits for a person; `field` and `expected` say what was wrong with it."""

    parked_id: str
    service: str
    reason: Reason
    field: str = ""
    expected: str = ""
    deliveries: Annotated[int, Field(ge=1)]
    parked_at: At
    subject: str
    stream: str
    sequence: int
    received_at: At | None = None
    """When its stream stored it."""
    original: str
    """The message as it came, in a box of `shared.keys.boxes`."""


class RetryRequest(Exact):
    """Asks a service to retry the message at one sequence of PARKED."""

    sequence: Annotated[int, Field(ge=1, le=2**63 - 1)]


class RetryAnswer(Lenient):
    """`gone`: nothing is parked there."""

    result: Literal["done", "still_parked", "gone"]
    reason: str = ""


class UnprocessableError(Exception):
    """A message that no repetition will make processable; it is parked at once."""

    def __init__(self, reason: Reason, field: str = "", expected: str = "") -> None:
        self.reason: Reason = reason
        self.field = field
        self.expected = expected
        super().__init__(f"{reason}: {field}")


class Delivery(Lenient):
    stream: str
    sequence: int
    subject: str
    body: bytes
    deliveries: int
    received_at: datetime | None = None
    """When the stream stored it."""


def park(
    service: str, delivery: Delivery, why: UnprocessableError, at: At, box_key: PublicKey
) -> Parked:
    return Parked(
        parked_id=uuid4().hex,
        service=service,
        reason=why.reason,
        field=why.field,
        expected=why.expected,
        deliveries=delivery.deliveries,
        parked_at=at,
        subject=delivery.subject,
        stream=delivery.stream,
        sequence=delivery.sequence,
        received_at=delivery.received_at,
        original=box_up(box_key, delivery.body),
    )
