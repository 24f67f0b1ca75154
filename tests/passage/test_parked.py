"""What is parked is listed whatever it is, and only what can be read is retried."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from nats.aio.client import Client

from passage.parked import COLUMNS, _waiting
from passage.provisioning import provision
from shared.parking import Parked

pytestmark = pytest.mark.wire

GOOD = Parked(
    parked_id="p-1",
    service="intake",
    reason="not_json",
    deliveries=1,
    parked_at=datetime(2026, 11, 22, 12, tzinfo=UTC),
    subject="calls.phone",
    stream="CALLS",
    sequence=7,
    original="box1.invented",
)


async def test_an_unreadable_message_is_a_row_and_hides_no_other(client: Client) -> None:
    await provision(client, replicas=1)
    jetstream = client.jetstream(timeout=60)
    await jetstream.publish("parked.intake.not_json", b"\xffnothing")
    await jetstream.publish("parked.intake.not_json", GOOD.model_dump_json().encode())
    unreadable, readable = await _waiting(client)
    assert unreadable.as_row()[2:] == ("unreadable", "sequence 1 of PARKED")
    assert unreadable.as_json() == {
        "parked_id": None,
        "reason": "unreadable",
        "parked_sequence": 1,
    }
    assert readable.as_row()[COLUMNS.index("parked_id")] == "p-1"
    assert "original" not in readable.as_json()
