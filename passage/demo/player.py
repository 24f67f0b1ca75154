"""Plays one story: one invented man's calls, and what operators and teams do about them."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from passage.api import Json
from passage.channel import Call
from passage.demo.people import Person
from passage.demo.stage import DONE, Stage, UnexpectedError, outcome_of, recorded
from shared.commands.base import Decision
from shared.commands.catalogue import COMMANDS
from shared.events.fields import Channel
from shared.events.people import Role

CHANNELS: tuple[Channel, ...] = ("phone", "telegram", "whatsapp", "signal", "web")
WITHHELD = (None, "anonymous@anonymous.invalid", "+266696687", "Скрытый номер")
"""How channels say that a number is hidden."""
OPERATORS = ("amber", "birch", "cedar", "dune", "ember", "fir")
SUPERVISOR = "elm"
STAFF: dict[str, tuple[Role, ...]] = {
    **dict.fromkeys(OPERATORS, ("operator", "verifier", "coordinator")),
    SUPERVISOR: ("supervisor",),
}
"""The invented people of the demo, by account."""
TEAMS = ("team-lynx", "team-heron", "team-badger")
SEEN_VERSION_TRIES = 20


@dataclass
class Player:
    """One man's story: choices come from the seed, ids and addresses from the run.

    So a seed always plays the same way, and can be played again on the same system.
    """

    stage: Stage
    seed: str
    run: str
    person: Person
    operators: Sequence[str] = OPERATORS
    """Who is on duty."""
    minute_s: float = 0.0
    """Seconds that a minute of the story takes; 0: as fast as possible."""
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
        self.channel, self.address = channel, self.new_address(channel)

    async def later(self, minutes: int) -> None:
        await asyncio.sleep(minutes * self.minute_s)

    async def delivered(self, case_id: str, channel: Channel) -> None:
        """Plays a channel until it has sent a case's message."""
        while True:
            # The next message may be another story's; it is sent all the same.
            await self.stage.send_next(channel)
            if recorded(await self.stage.case(case_id), "MessageSent"):
                return
            self.stage.check_deadline(f"case {case_id}: a message is sent")

    def new_address(self, channel: Channel) -> str:
        """An invented address; no telephone number begins with +7 000."""
        digits = "".join(str(self._addresses.randrange(10)) for _ in range(9))
        return f"@invented_{digits}" if channel in {"telegram", "web"} else f"+7000{digits}"

    def _written(self) -> str:
        """One of the spellings of his address; to the hotline they are the same."""
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
        """Calls the hotline; returns the case number and the call id."""
        if new_phone:
            self.channel = self.random.choice(CHANNELS)
            self.address = self.new_address(self.channel)
        call = replace(self.made(text), return_code=code)
        if withheld:
            hidden = self._addresses.choice(WITHHELD)
            call = replace(call, channel="phone", address=hidden)
        return await self.put_through(call, deliveries)

    def made(self, text: str) -> Call:
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
        """Publishes a call until it is shown in its case; returns the case number and the call id.

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
        """Sends a command that must take effect; returns the answer with its `command_id`."""
        return await self._send(DONE, command, case_id, by, fields)

    async def refused(
        self, command: str, case_id: str, guard: str, by: str | None = None, **fields: Any
    ) -> None:
        await self._send(f"refused by {guard}", command, case_id, by, fields)

    async def until_recorded(self, case_id: str, type_name: str, count: int = 1) -> Json:
        return await self.stage.case(
            case_id, lambda shown: recorded(shown, type_name) >= count, f"{count} {type_name}"
        )

    def expect_same_case(self, found: str, expected: str) -> None:
        """Raises UnexpectedError unless his call was linked to his case."""
        if found != expected:
            raise UnexpectedError(f"case {expected}: a call of his came into case {found}")

    def expect_other_case(self, found: str, other: str) -> None:
        """Raises UnexpectedError if another man's call was linked to this case."""
        if found == other:
            raise UnexpectedError(f"case {other}: a call came into it that belongs to another")

    def window(self) -> dict[str, str]:
        begins = datetime.now(UTC) + timedelta(hours=2)
        return {
            "window_from": begins.isoformat(),
            "window_to": (begins + timedelta(hours=3)).isoformat(),
        }

    async def _send(
        self, outcome: str, command: str, case_id: str, by: str | None, fields: Json
    ) -> Json:
        body = {
            "command_id": f"cmd-{self._next_id()}",
            "case_id": case_id,
            **fields,
        }
        found, actor = "overtaken each time", by or self.operator
        second = fields.get("second_by") or (self.other if actor != self.other else self.operator)
        for _ in range(SEEN_VERSION_TRIES):
            if issubclass(COMMANDS[command], Decision):
                body["seen_version"] = (await self.stage.case(case_id))["case"]["version"]
            reply = await self.stage.command(command, body, actor, second)
            found = outcome_of(reply)
            if found == outcome:
                return {**reply.body, "command_id": body["command_id"]}
            if reply.body.get("guard") != "seen_version":
                break
            # A service recorded something meanwhile: look at it, decide again.
            await self._until_shown(case_id, int(reply.body.get("version") or 0))
        raise UnexpectedError(f"case {case_id}: {command} was {found}, not {outcome}")

    async def _until_shown(self, case_id: str, version: int) -> None:
        await self.stage.case(
            case_id, lambda shown: shown["case"]["version"] >= version, "is shown anew"
        )

    def _next_id(self) -> str:
        self._count += 1
        return f"{self.run}-{self._count}"
