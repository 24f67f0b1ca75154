"""What he says of reaching him, told by clocks that are off, through the handlers."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from nacl.public import PrivateKey

from services.intake.handlers import Intake, set_contact_rule
from services.intake.sending import Sending, send_message
from services.intake.state import IntakeState, evolve
from shared.commands.intake import SendMessage, SetContactRule
from shared.events.fields import Plain
from shared.log.case_log import Fold
from shared.policy import policy
from tests.asking import ask, refused_by
from tests.contexts import NOW, context_for, record
from tests.examples import CASE, case_opened
from tests.intake.stories import ruled

MINUTE = timedelta(minutes=1)
CHANNEL = "telegram"


class House:
    """An intake with one case, and a clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOW
        context = context_for("intake", Fold(IntakeState(), evolve))
        self.context = replace(context, now=lambda: self.now)
        keys: Any = {CHANNEL: PrivateKey.generate().public_key}
        limits, nothing = policy().channels.messages, cast(Any, None)
        self.sending = Sending(
            self.context, nothing, keys, limits, 10 * MINUTE, keep_deadlines=lambda _case_id: None
        )
        called = case_opened().model_copy(
            update={"channel": CHANNEL, "caller_address": Plain("@beispiel")}
        )
        record(self.context.writer, called)
        self.asked = 0

    def says(self, rule: str, told_with: int | None = None, **fields: Any) -> None:
        """He says it, a minute after what he said before; told with a clock so many minutes off."""
        self.now += MINUTE
        self.asked += 1
        happened_at = None if told_with is None else self.now + told_with * MINUTE
        command = ask(
            SetContactRule,
            command_id=f"rule-{self.asked}",
            rule=rule,
            happened_at=happened_at,
            **fields,
        )
        set_contact_rule(Intake(self.context, cast(Any, None), ruled()), command)

    def send(self) -> None:
        self.now += MINUTE
        seen = self.context.writer.log.load(CASE).version
        text = f"call us, {self.now}"
        send_message(self.sending, ask(SendMessage, channel=CHANNEL, text=text, seen_version=seen))


@pytest.mark.parametrize(
    "words",
    [
        [("yes", 3), ("never", None)],
        [("yes", 5), ("never", 0)],
        [("yes", None), ("never", -10)],
        [("yes", 0), ("never", -10)],
        [("yes", 3), ("never", -600)],
        [("never", None), ("yes", 3)],
        [("never", None), ("yes", -10)],
    ],
)
def test_the_more_careful_word_wins_whoevers_clock_is_off(
    words: list[tuple[str, int | None]],
) -> None:
    house = House()
    for rule, told_with in words:
        house.says(rule, told_with)
    refused_by("contact_allowed", house.send)


def test_it_may_be_sent_when_he_says_so_again_or_clocks_are_past_it() -> None:
    house = House()
    house.says("yes", 3)
    house.says("never")
    house.says("yes")
    house.send()
    house.says("never")
    house.now += 5 * MINUTE
    house.says("yes", 0)
    house.send()


def test_a_time_ahead_of_ours_is_kept_as_it_was_told_and_counts_as_now() -> None:
    house = House()
    house.says("yes", 3)
    state: IntakeState = house.context.writer.log.load(CASE).state
    assert state.outbox.contact.said_at == state.outbox.contact.heard_at == NOW + MINUTE
    stored = house.context.writer.log.recorder.select_events(CASE)[-1].state
    assert f'"said_at":"{NOW + 4 * MINUTE:%Y-%m-%dT%H:%M:%SZ}"'.encode() in stored


def test_a_window_is_kept_with_its_zone_and_goes_by_its_clocks() -> None:
    house = House()
    house.now = datetime.fromisoformat("2027-03-29T18:28:00+00:00")
    window = {"from_time": "20:00", "to_time": "21:00", "zone": "Europe/Kyiv"}
    house.says("window", windows=[window])
    refused_by("contact_allowed", house.send)  # 21:30 there.
    house.now -= 60 * MINUTE
    house.send()
