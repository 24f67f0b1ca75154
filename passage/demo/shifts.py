"""The shifts of a played day: who is on duty, and the hand-over of live cases by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from passage.demo.player import OPERATORS
from passage.demo.stage import DONE, Stage

NAMED_AT_ONCE = 25
"""A shift names at most so many live cases; nobody would remember more."""


class Watch(NamedTuple):
    """Who is on duty, from which hour to which."""

    from_hour: int
    until_hour: int
    operators: tuple[str, ...]

    def holds(self, minute: int) -> bool:
        return self.from_hour * 60 <= minute < self.until_hour * 60


WATCHES = (
    Watch(0, 8, OPERATORS[:2]),
    Watch(8, 16, OPERATORS[2:4]),
    Watch(16, 24, OPERATORS[4:]),
)


@dataclass
class Shift:
    """One shift, and the version of its log; nobody else writes to it."""

    shift_id: str
    operators: tuple[str, ...]
    version: int = 0
    accepted: int = 0

    async def start(self, stage: Stage) -> None:
        await self.do(stage, "StartShift", self.operators[0], operators=list(self.operators))

    async def do(
        self, stage: Stage, command: str, by: str, outcome: str = DONE, **fields: Any
    ) -> None:
        """Sends a command that must come to this outcome. Raises UnexpectedError."""
        body = {
            "command_id": f"cmd-{self.shift_id[6:]}-{self.version}-{command[:8]}",
            "case_id": self.shift_id,
            "by": by,
            **fields,
        }
        if command in {"HandOverShift", "EndShift"}:
            body["seen_version"] = self.version
        answer = await stage.must(outcome, command, body)
        if outcome == DONE:
            self.version = int(answer["version"])


async def hand_over(
    stage: Stage, shift: Shift, following: Sequence[str], live: Sequence[str]
) -> None:
    """Names live cases to those who follow; each is accepted by one of them, then it ends."""
    by, named = shift.operators[0], list(live)[-NAMED_AT_ONCE:]
    await shift.do(stage, "HandOverShift", by, to=list(following), case_ids=named)
    if named:
        await shift.do(stage, "EndShift", by, "refused by all_accepted")
    for number, case_id in enumerate(named):
        await shift.do(
            stage, "AcceptShiftCase", following[number % len(following)], live_case=case_id
        )
    shift.accepted = len(named)
    await shift.do(stage, "EndShift", by)
