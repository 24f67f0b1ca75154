"""Ends of calls: before, while and after their call comes into a case, and on which channel."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import pytest
from typing_extensions import override

from services.intake import receiving
from services.intake.handlers import Intake
from services.intake.parsing import ChannelMessage
from services.intake.receiving import EarlyEnds, receive_call, receive_end
from services.intake.routing import Index, Standing
from services.intake.state import IntakeState, evolve
from shared.events.fields import Channel
from shared.events.upstream import Upstream
from shared.log.case_log import Fold
from tests.contexts import NOW, MemoryBucket, context_for
from tests.intake.receiving import open_call, ruled


class Meddled(MemoryBucket):
    """A bucket in which something happens right after the next write."""

    then: Callable[[], object] | None = None

    @override
    def create(self, key: str, value: bytes) -> int:
        revision = super().create(key, value)
        then, self.then = self.then, None
        if then is not None:
            then()
        return revision


@dataclass
class Line:
    """intake, and the ends that it remembers."""

    reserved: Meddled = field(default_factory=Meddled)
    remembered: Meddled = field(default_factory=Meddled)

    def __post_init__(self) -> None:
        context = context_for("intake", Fold(IntakeState(), evolve))
        self.intake = Intake(context, Index(self.reserved, lambda *_: Standing()), ruled())
        self.ends = EarlyEnds(self.remembered)

    def call(self, call_id: str, channel: Channel = "phone", address: str | None = None) -> str:
        fields = {"call_id": call_id, "caller_address": address}
        message = ChannelMessage(Upstream("call", call_id, fields), channel, NOW)
        opened = open_call(self.intake.context.keys, message)
        return receive_call(self.intake, self.ends, opened).case_id

    def end(self, call_id: str, channel: Channel = "phone", at: datetime = NOW) -> str:
        fields = {"call_id": call_id, "ended_at": at.isoformat()}
        message = ChannelMessage(Upstream("end", call_id, fields), channel, NOW)
        return receive_end(self.intake, self.ends, message).result

    def types(self, case_id: str) -> list[str]:
        return list(self.intake.context.writer.log.load(case_id).types_after(0))


@pytest.fixture
def line() -> Line:
    return Line()


def test_an_end_that_comes_first_takes_effect_with_its_call(line: Line) -> None:
    assert line.end("call-1") == "ignored"
    assert line.types(line.call("call-1")) == ["CaseOpened", "CallEnded"]


def test_an_end_between_reservation_and_record_of_its_call_waits_for_the_record(line: Line) -> None:
    line.reserved.then = lambda: line.end("call-1")
    assert line.types(line.call("call-1")) == ["CaseOpened", "CallEnded"]


def test_a_call_that_comes_while_its_end_is_being_remembered_is_ended(line: Line) -> None:
    opened: list[str] = []
    line.remembered.then = lambda: opened.append(line.call("call-1"))
    line.end("call-1")
    assert line.types(opened[0]) == ["CaseOpened", "CallEnded"]


def test_an_end_is_of_its_own_channel_and_call(line: Line) -> None:
    line.end("call-1", "telegram")
    line.end("call-2")
    assert line.types(line.call("call-1")) == ["CaseOpened"]


def test_a_flood_of_ends_takes_no_more_than_the_places_of_its_channel(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "ENDS_KEPT", 4)
    line.end("call-1", "telegram")
    for number in range(100):
        line.end(f"never-{number}")
    assert len(line.remembered.kept) <= 4 + 1
    case_id = line.call("call-1", "telegram")
    assert line.types(case_id) == ["CaseOpened", "CallEnded"]


def test_an_end_after_its_call_is_recorded_once(line: Line) -> None:
    case_id = line.call("call-1")
    assert (line.end("call-1"), line.end("call-1")) == ("recorded", "repeated")
    assert line.types(case_id) == ["CaseOpened", "CallEnded"]
    assert line.remembered.kept == {}


def test_a_call_whose_id_looks_like_the_end_of_another_is_a_call(line: Line) -> None:
    line.call("call-1", address="+380440000001")
    line.end("call-1")
    case_id = line.call("call-1-end", address="+380440000001")
    assert line.types(case_id) == ["CaseOpened", "CallEnded", "CallLinked"]
