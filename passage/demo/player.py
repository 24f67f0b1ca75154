"""Plays one story: one invented man's calls, and what operators and teams do about them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from passage.api import REFUSED, Json
from passage.channel import Call
from passage.demo.people import Person
from passage.demo.stage import Stage, recorded
from shared.commands.base import Decision
from shared.commands.catalogue import COMMANDS
from shared.events.fields import Channel

CHANNELS: tuple[Channel, ...] = ("phone", "telegram", "whatsapp", "signal", "web")
WITHHELD = (None, "anonymous@anonymous.invalid", "+266696687", "Скрытый номер")
"""How channels say that a number is hidden."""
SUPERVISOR = "supervisor-elm"
OPERATORS = (
    *("operator-amber", "operator-birch"),
    *("operator-cedar", "operator-dune"),
    *("operator-ember", "operator-fir"),
)
TEAMS = ("team-lynx", "team-heron", "team-badger")
SEEN_VERSION_TRIES = 20


class UnexpectedError(Exception):
    """The system answered otherwise than the story has it; says what, by ids only."""


@dataclass
class Player:
    """One man's story; choices come from the seed, ids and addresses from the run.

    So a seed plays one way, and can be played again on the same system.
    """

    stage: Stage
    seed: str
    run: str
    person: Person
    operators: Sequence[str] = OPERATORS
    """Who is on duty."""
    minute_s: float = 0.0
    """How many seconds a minute of the story takes here; 0: as fast as it goes."""
    calls: dict[str, set[str]] = field(default_factory=dict)
    """Case number -> the distinct calls that belong to it."""
    _count: int = 0

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)  # noqa: S311 - invented cases, not secrets
        self._addresses = random.Random(self.run)  # noqa: S311 - likewise
        self.channel: Channel = self.random.choice(CHANNELS)
        self.operator, self.other = self.random.sample(list(self.operators), 2)
        self.supervisor = SUPERVISOR
        self.team, self.other_team = self.random.sample(TEAMS, 2)
        self.address = self.new_address(self.channel)

    def use(self, channel: Channel) -> None:
        """Has him call on this channel."""
        self.channel, self.address = channel, self.new_address(channel)

    async def later(self, minutes: int) -> None:
        """Lets so much of the story's time pass."""
        await asyncio.sleep(minutes * self.minute_s)

    async def delivered(self, case_id: str, channel: Channel) -> None:
        """Plays a channel until it has sent the message that a case has for it."""
        while True:
            # Whoever plays the channel sends what comes next, be it another story's.
            await self.stage.send_next(channel)
            shown = await self.stage.case(case_id, lambda _shown: True, "is shown")
            if recorded(shown, "MessageSent"):
                return
            self.stage.check_deadline(f"case {case_id}: a message is sent")

    def new_address(self, channel: Channel) -> str:
        """An invented address; no telephone number begins with +7 000."""
        digits = "".join(str(self._addresses.randrange(10)) for _ in range(9))
        return f"@invented_{digits}" if channel in {"telegram", "web"} else f"+7000{digits}"

    def _written(self) -> str:
        """His address as it is written this time; it is the same to the hotline."""
        if self.channel == "telegram":
            link = f"https://t.me/{self.address.removeprefix('@')}"
            return self._addresses.choice((self.address, link))
        return self._addresses.choice((self.address, f"\u2068{self.address}\u2069"))

    async def call(
        self,
        text: str,
        *,
        code: str | None = None,
        deliveries: int = 1,
        new_phone: bool = False,
        withheld: bool = False,
    ) -> tuple[str, str]:
        """Calls the hotline; gives the case number and the call id."""
        if new_phone:
            self.channel = self.random.choice(CHANNELS)
            self.address = self.new_address(self.channel)
        call = replace(self.made(text), return_code=code)
        if withheld:
            hidden = self._addresses.choice(WITHHELD)
            call = replace(call, channel="phone", address=hidden)
        return await self.put_through(call, deliveries)

    def made(self, text: str) -> Call:
        """His next call, on the channel that he uses now."""
        return Call(
            call_id=f"call-{self._next_id()}",
            channel=self.channel,
            address=self._written(),
            language="ru",
            started_at=datetime.now(UTC),
            text=text,
        )

    async def put_through(
        self, call: Call, deliveries: int = 1, *, is_edit: bool = False
    ) -> tuple[str, str]:
        """Publishes a call until it is shown in its case; gives the case number and the call id.

        `is_edit`: a call of this id was put through before, with other words.
        """
        for _ in range(deliveries):
            await self.stage.publish(call)
        case_id = await self.stage.case_of(call)
        known_as = f"{call.call_id} edited" if is_edit else call.call_id
        self.calls.setdefault(case_id, set()).add(known_as)
        known = len(self.calls[case_id])
        await self.stage.case(
            case_id, lambda shown: shown["case"]["calls"] >= known, f"{known} calls are shown"
        )
        return case_id, call.call_id

    async def do(self, command: str, case_id: str, by: str | None = None, **fields: Any) -> Json:
        """Sends a command that must take effect; gives the answer with its `command_id`."""
        answer, status = await self._send(command, case_id, by, fields)
        if status != "done":
            raise UnexpectedError(f"case {case_id}: {command} was {status}")
        return answer

    async def refused(
        self, command: str, case_id: str, guard: str, by: str | None = None, **fields: Any
    ) -> None:
        """Sends a command that this guard must refuse."""
        _, status = await self._send(command, case_id, by, fields)
        if status != f"refused by {guard}":
            raise UnexpectedError(f"case {case_id}: {command} was {status}, not refused by {guard}")

    async def until_recorded(self, case_id: str, type_name: str, count: int = 1) -> Json:
        """Waits until the case has so many events of a type."""
        return await self.stage.case(
            case_id, lambda shown: recorded(shown, type_name) >= count, f"{count} {type_name}"
        )

    def expect_same_case(self, found: str, expected: str) -> None:
        """Raises UnexpectedError unless a call came into the case that it belongs to."""
        if found != expected:
            raise UnexpectedError(f"case {expected}: a call of his came into case {found}")

    def expect_other_case(self, found: str, other: str) -> None:
        """Raises UnexpectedError where a call came into a case that it doesn't belong to."""
        if found == other:
            raise UnexpectedError(f"case {other}: a call came into it that belongs to another")

    def window(self) -> dict[str, str]:
        """A window in the near future."""
        begins = datetime.now(UTC) + timedelta(hours=2)
        return {
            "window_from": begins.isoformat(),
            "window_to": (begins + timedelta(hours=3)).isoformat(),
        }

    async def _send(
        self, command: str, case_id: str, by: str | None, fields: Json
    ) -> tuple[Json, str]:
        body = {
            "command_id": f"cmd-{self._next_id()}",
            "case_id": case_id,
            "by": by or self.operator,
            **fields,
        }
        for _ in range(SEEN_VERSION_TRIES):
            if issubclass(COMMANDS[command], Decision):
                shown = await self.stage.case(case_id, lambda _shown: True, "is shown")
                body["seen_version"] = shown["case"]["version"]
            reply = await self.stage.command(command, body)
            answer = {**reply.body, "command_id": body["command_id"]}
            if reply.ok:
                return answer, "done"
            guard = str(reply.body.get("guard"))
            if guard == "seen_version":
                # A service recorded something meanwhile: look at it, decide again.
                await self._shown_with(case_id, int(reply.body.get("version") or 0))
                continue
            if reply.status == REFUSED:
                return answer, f"refused by {guard}"
            return answer, f"answered with {reply.status}"
        return {}, "always overtaken"

    async def _shown_with(self, case_id: str, version: int) -> None:
        await self.stage.case(
            case_id, lambda shown: shown["case"]["version"] >= version, "is shown anew"
        )

    def _next_id(self) -> str:
        self._count += 1
        return f"{self.run}-{self._count}"
