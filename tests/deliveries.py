"""Messages as a consumer hands them over the first time."""

from __future__ import annotations

from typing import Any

from shared import subjects
from shared.log.case_log import CaseLog
from shared.parked.parking import Delivery


def delivered(
    subject: str, body: bytes, stream: str = subjects.CASES, sequence: int = 1
) -> Delivery:
    return Delivery(stream=stream, sequence=sequence, subject=subject, body=body, deliveries=1)


def delivered_call(body: bytes, channel: str = "phone", sequence: int = 1) -> Delivery:
    return delivered(f"calls.{channel}", body, f"CALLS_{channel}", sequence)


def events_of(log: CaseLog[Any], case_id: str) -> list[Delivery]:
    """What a log in memory holds of a case, as CASES delivers it."""
    prefix = f"{subjects.CASES_PREFIX}.{case_id}"
    return [
        delivered(f"{prefix}.{one.originator_version}.{one.topic}", one.state)
        for one in log.recorder.select_events(case_id)
    ]
