"""What query says of calls that are in no case yet, and of channels that have no consumer."""

from __future__ import annotations

from typing import Any

import pytest

from services.query.nats_connection import SILENT, is_led
from tests.query.test_commands import Site, site
from tests.waiting import WITHIN_S

__all__ = ["site"]


async def test_metrics_know_what_is_parked_and_waiting(site: Site) -> None:
    await site.nats.jetstream(timeout=WITHIN_S).publish("parked.intake.not_json", b"{}")
    await site.nats.jetstream(timeout=WITHIN_S).publish("calls.phone", b"{}")
    text = (await site.http.get("/metrics")).text
    assert "passage_parked_messages 1.0" in text
    assert 'passage_calls_waiting{channel="phone"} 1.0' in text
    assert 'passage_calls_waiting{channel="web"} 0.0' in text
    assert 'passage_oldest_call_seconds{channel="web"} 0.0' in text
    assert 'passage_oldest_call_seconds{channel="phone"} 0.0\n' not in text
    assert "passage_query_lag_events 0.0" in text


async def test_readyz_names_a_channel_whose_calls_cannot_come_into_cases(site: Site) -> None:
    await site.nats.jetstream(timeout=WITHIN_S).publish("calls.phone", b"{}")
    ready = (await site.http.get("/readyz")).json()
    assert (ready["ready"], ready["calls_waiting"]["phone"]) == (True, 1)
    assert ready["oldest_call_s"] > 0
    await site.nats.jetstream(timeout=WITHIN_S).delete_consumer("CALLS_phone", "intake")
    await site.nats.jetstream(timeout=WITHIN_S).delete_stream("CALLS_web")
    answer = await site.http.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["missing"] == [
        "CALLS_phone has no consumer; run `passage provision`",
        f"CALLS_web {SILENT}",
    ]
    assert answer.json()["calls_waiting"]["web"] is None


N2, N3 = {"name": "n2", "current": True}, {"name": "n3", "current": True}


@pytest.mark.parametrize(
    ("cluster", "led"),
    [
        (None, True),
        ({"leader": "n1"}, True),
        ({"leader": "n1", "replicas": [N2, N3]}, True),
        ({"leader": "n1", "replicas": [N2, N3 | {"offline": True}]}, True),
        ({"leader": "n1", "replicas": [N2 | {"offline": True}, N3 | {"offline": True}]}, False),
        ({"replicas": [{"name": "n1"}, N2 | {"offline": True}, N3 | {"offline": True}]}, False),
        ({"replicas": [{"name": "n1"}, N2, N3]}, False),
    ],
)
def test_a_stream_is_led_where_a_leader_is_there_and_most_follow_it(
    cluster: dict[str, Any] | None, led: bool
) -> None:
    assert is_led(cluster) is led
