"""Places told by messages: what the guards allow breaks no rule, what they refuse does."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from shared.events import handover, outbound
from shared.events.base import Event
from tests.passage.judged import APPROVED, DISCLOSED, KNOWN, OFFERED, PLANNED, SEALED, broken
from tests.passage.test_rules import GIVEN_UP, NEVER, OUT, REPLANNED, SENT, YES, queued

LETTER = queued().model_copy(update={"rendezvous_id": "r-1"})
OTHER = LETTER.model_copy(update={"message_id": "m-2"})
TOLD = handover.RendezvousDisclosed(rendezvous_id="r-1", to_whom=SEALED, message_id="m-1")
TOLD_BY_OTHER = TOLD.model_copy(update={"message_id": "m-2"})
STEP = handover.GuidanceGiven(step=SEALED, message_id="m-2")
BLOCKED = outbound.MessageFailed(message_id="m-1", reason="blocked")
TOO_LATE = outbound.MessageRefused(message_id="m-1", reason="too_late")
UNTOLD = handover.DisclosureWithdrawn(rendezvous_id="r-1", message_id="m-1", reason="failed")
PERHAPS = UNTOLD.model_copy(update={"reason": "no_report"})
READY: list[Event] = [*KNOWN, PLANNED, APPROVED, YES]
BY_MESSAGE = [*READY, LETTER, TOLD, *SENT]


@pytest.mark.parametrize(
    "lawful",
    [
        [*BY_MESSAGE, OUT, OFFERED],
        [*BY_MESSAGE, OUT, OTHER, STEP],
        [*BY_MESSAGE, BLOCKED, UNTOLD, OTHER, TOLD_BY_OTHER],
        [*BY_MESSAGE, BLOCKED, UNTOLD, DISCLOSED, OFFERED],
        [*BY_MESSAGE, GIVEN_UP, PERHAPS, OUT, OFFERED],
        [*BY_MESSAGE, GIVEN_UP, PERHAPS, BLOCKED, REPLANNED],
        [*READY, LETTER, TOO_LATE],
    ],
)
def test_what_the_guards_allow_breaks_no_rule(lawful: Sequence[Event]) -> None:
    assert broken(lawful) == []


@pytest.mark.parametrize(
    ("unlawful", "rule"),
    [
        ([*READY[:-1], LETTER, TOLD], "contact rule did not allow"),
        ([*READY, LETTER, NEVER, TOLD], "disclosed by a message that the contact rule"),
        ([*READY, TOLD], "that this case doesn't have"),
        ([*READY, queued(), TOLD], "doesn't tell of the rendezvous"),
        ([*READY, LETTER, TOO_LATE, TOLD], "had gone, failed or was too late"),
        ([*BY_MESSAGE, BLOCKED, UNTOLD, TOLD], "had gone, failed or was too late"),
        ([*READY, LETTER, *SENT], "before he was said to be told by it"),
        ([*BY_MESSAGE, OUT, UNTOLD], "a message that had not failed"),
        ([*BY_MESSAGE, UNTOLD], "a message that had not failed"),
        ([*READY, LETTER, UNTOLD], "though not by that message"),
        ([*BY_MESSAGE, BLOCKED, UNTOLD, OFFERED], "before a rendezvous was disclosed"),
        ([*BY_MESSAGE, GIVEN_UP, PERHAPS, PLANNED], "while one was disclosed"),
        ([*BY_MESSAGE, BLOCKED, UNTOLD, OTHER, STEP], "guided to no place"),
    ],
)
def test_what_the_guards_refuse_breaks_a_rule(unlawful: Sequence[Event], rule: str) -> None:
    assert any(rule in one for one in broken(unlawful))
