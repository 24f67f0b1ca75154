"""Guessed return codes are an alarm: for supervisors, by channel, within the hour."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from services.query.feed.wrong_codes import WrongCodes
from shared.callers.return_codes import WRONG_CODES_AN_HOUR
from shared.events.fields import Channel
from tests import examples as e
from tests.examples import NOON, CaseBook
from tests.query.asking import asked
from tests.query.stage import MemoryLog, Recorded
from tests.rarer_examples import OLENA, PETRO


def call(channel: Channel, at: datetime, *, wrong: bool = True) -> Recorded:
    opened = e.case_opened(channel=channel).model_copy(update={"unmatched_code": wrong})
    book = CaseBook()
    book.add(opened)
    return Recorded(1, book.case_id, 1, *book.stored[0], at)


def test_wrong_codes_are_counted_by_channel_for_an_hour() -> None:
    clock = [NOON]
    codes = WrongCodes(lambda: clock[0])
    assert codes.take([call("phone", NOON), call("web", NOON), call("web", NOON)]) == {
        "phone": 1,
        "web": 2,
    }
    codes.take([call("phone", NOON + timedelta(minutes=30)), call("phone", NOON, wrong=False)])
    assert codes.in_last_hour() == {"phone": 2, "web": 2}
    clock[0] = NOON + timedelta(minutes=75)
    assert codes.in_last_hour() == {"phone": 1}
    codes.take([call("web", NOON - timedelta(hours=2))])
    assert codes.in_last_hour() == {"phone": 1}


def test_what_cannot_be_read_is_left_to_who_puts_it_aside() -> None:
    codes = WrongCodes(lambda: NOON)
    torn = call("phone", NOON)
    body = torn.state.replace(b'"channel":"phone"', b'"channel":"pigeon"')
    assert codes.take([replace(torn, state=body)]) == {}


@pytest.mark.parametrize(("count", "alarmed"), [(WRONG_CODES_AN_HOUR, True), (5, False)])
async def test_supervisors_are_shown_a_channel_on_which_codes_are_guessed(
    tmp_path: Path, count: int, alarmed: bool
) -> None:
    log = MemoryLog()
    async with asked(log, tmp_path, supervisors=PETRO) as desk:
        desk.context.metrics.recent_wrong_codes.now = lambda: NOON
        wrong = e.case_opened(channel="web").model_copy(update={"unmatched_code": True})
        for number in range(count):
            book = CaseBook(case_id=f"0GUESS{number:06}")
            book.add(wrong)
            log.write(book)
        desk.follower.until_caught_up()
        refused = await desk.http.get("/api/alarms", params={"by": OLENA})
        shown = (await desk.http.get("/api/alarms", params={"by": PETRO})).json()
        metrics = (await desk.http.get("/metrics")).text
    assert refused.status_code == 403
    expected = [{"channel": "web", "wrong_codes": count}] if alarmed else []
    assert (shown["guessing"], shown["items"]) == (expected, [])
    assert f'passage_wrong_return_codes_total{{channel="web"}} {float(count)}' in metrics
