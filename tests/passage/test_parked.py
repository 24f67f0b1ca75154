"""What is parked is listed whatever it is, and only what can be read is retried."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from nats.aio.client import Client

from passage.cli.parked import COLUMNS, as_json_of, as_row
from passage.install.provisioning import provision
from passage.parked import parked_in
from passage.printing import print_table
from shared.parked.messages import Waiting
from shared.parked.parking import Parked
from tests.waiting import WITHIN_S

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
    jetstream = client.jetstream(timeout=WITHIN_S)
    await jetstream.publish("parked.intake.not_json", b"\xffnothing")
    await jetstream.publish("parked.intake.not_json", GOOD.model_dump_json().encode())
    (unreadable, readable), _ = await parked_in(client)
    assert as_row(unreadable)[2:4] == ("unreadable", "sequence 1 of PARKED")
    assert as_json_of(unreadable) == {
        "parked_id": None,
        "reason": "unreadable",
        "parked_sequence": 1,
    }
    assert as_row(readable)[COLUMNS.index("parked_id")] == "p-1"
    assert "original" not in as_json_of(readable)


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_ids_are_shown_whole_however_narrow_the_terminal(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("passage.printing.out.width", columns)
    parked_id = "0123456789abcdef" * 2
    one = Waiting(1, GOOD.model_copy(update={"parked_id": parked_id}))
    print_table("1 parked", COLUMNS, [as_row(one)])
    assert parked_id in capsys.readouterr().out
