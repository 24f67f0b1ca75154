"""What a channel says became of a message is read in whatever words it says so."""

from __future__ import annotations

from typing import Any

import pytest

from services.intake.reports import is_underway, read_report
from tests.examples import CASE, NOON
from tests.intake.receiving import message_of


@pytest.mark.parametrize(
    ("fields", "outcome", "reason"),
    [
        ({"outcome": "sent"}, "sent", None),
        ({"outcome": "Delivered", "happened_at": "today"}, "sent", None),
        ({"outcome": "refused", "reason": None, "more": 1}, "refused", None),
        ({"outcome": "DELIVRD"}, "sent", None),
        ({"outcome": "Прочитано."}, "sent", None),
        ({"outcome": "UNDELIV"}, "failed", None),
        ({"outcome": "not delivered"}, "failed", None),
        ({"outcome": "bounced", "reason": "blocked"}, "failed", "blocked"),
        ({"reason": 17}, "failed", "other"),
        ({"outcome": "failed", "reason": "его телефон +380"}, "failed", "other"),
    ],
)
def test_a_report_is_read_in_whatever_form_it_comes(
    fields: dict[str, Any], outcome: str, reason: str | None
) -> None:
    ids = {"message_id": "message-1", "case_id": CASE}
    message = {"type": "passage.DeliveryReported.v1", "data": {**ids, **fields}}
    report = read_report(message_of(message))
    assert (report.outcome, report.reason, report.happened_at) == (outcome, reason, NOON)
    assert (report.message_id, report.case_id, report.channel) == ("message-1", CASE, "phone")


def test_a_channel_that_is_at_work_on_a_message_says_nothing_of_it_yet() -> None:
    for word, underway in (
        *(("queued", True), ("EN_ROUTE", True), ("Accepted", True), ("pending...", True)),
        *(("delivered", False), ("failed", False), ("", False), (None, False)),
    ):
        data = {"message_id": "message-1", "case_id": CASE, "outcome": word}
        message = message_of({"type": "passage.DeliveryReported.v1", "data": data})
        assert is_underway(message) == underway
        read_report(message)
