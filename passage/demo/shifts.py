"""The shifts of a played day: who is on duty, and the hand-over of live cases by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from passage.api import REFUSED
from passage.demo.player import OPERATORS, UnexpectedError
from passage.demo.stage import Stage

NAMED_AT_ONCE = 25
"""So many live cases a shift names; more are no hand-over that anybody remembers."""


class Watch(NamedTuple):
    """Who is on duty, from which hour to which."""

    from_hour: int
    until_hour: int
    operators: tuple[str, ...]

    def holds(self, minute: int) -> bool:
        """Whether a minute of the day belongs to it."""
        return self.from_hour * 60 <= minute < self.until_hour * 60


WATCHES = (
    Watch(0, 8, OPERATORS[:2]),
    Watch(8, 16, OPERATORS[2:4]),
    Watch(16, 24, OPERATORS[4:]),
)


@dataclass
class Shift:
    """One shift, and the version that its log has; nobody else writes to it."""

    shift_id: str
    operators: tuple[str, ...]
    version: int = 0
    accepted: int = 0

    async def start(self, stage: Stage) -> None:
        await self.do(stage, "StartShift", self.operators[0], operators=list(self.operators))

    async def do(self, stage: Stage, command: str, by: str, **fields: Any) -> None:
        """Sends a command that must take effect. Raises UnexpectedError."""
        status = await self._send(stage, command, by, fields)
        if status != "done":
            raise UnexpectedError(f"{self.shift_id}: {command} was {status}")

    async def refused(self, stage: Stage, command: str, guard: str, by: str, **fields: Any) -> None:
        """Sends a command that this guard must refuse. Raises UnexpectedError."""
        status = await self._send(stage, command, by, fields)
        if status != f"refused by {guard}":
            raise UnexpectedError(f"{self.shift_id}: {command} was {status}, not by {guard}")

    async def _send(self, stage: Stage, command: str, by: str, fields: dict[str, Any]) -> str:
        body = {
            "command_id": f"cmd-{self.shift_id[6:]}-{self.version}-{command[:8]}",
            "case_id": self.shift_id,
            "by": by,
            **fields,
        }
        if command in {"HandOverShift", "EndShift"}:
            body["seen_version"] = self.version
        reply = await stage.command(command, body)
        if reply.ok:
            self.version = int(reply.body["version"])
            return "done"
        if reply.status == REFUSED:
            return f"refused by {reply.body.get('guard')}"
        return f"answered with {reply.status}"


async def hand_over(
    stage: Stage, shift: Shift, following: Sequence[str], live: Sequence[str]
) -> None:
    """Names live cases to those who follow; each is accepted by one of them, then it ends."""
    by, named = shift.operators[0], list(live)[-NAMED_AT_ONCE:]
    await shift.do(stage, "HandOverShift", by, to=list(following), case_ids=named)
    if named:
        await shift.refused(stage, "EndShift", "all_accepted", by)
    for number, case_id in enumerate(named):
        await shift.do(
            stage, "AcceptShiftCase", following[number % len(following)], live_case=case_id
        )
    shift.accepted = len(named)
    await shift.do(stage, "EndShift", by)
