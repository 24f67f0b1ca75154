"""What becomes of one canary person: the whole flow, with his values in every personal field.

His values are also put where they don't belong, as operators in a hurry do; those are refused.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

import httpx

from passage.api import Json, Reply
from passage.demo import acts
from passage.demo.people import Person
from passage.demo.player import Player
from tests.canaries.persons import Canary

CLASSES = ["identity", "location", "narrative"]
ASKED_MAX = 20
CLIENT_ERROR = range(400, 500)
SERVER_FAULT = 500


class LeakError(Exception):
    """An answer that must not hold a value holds one; says which route's."""


@dataclass
class Flow:
    player: Player
    canary: Canary

    async def play(self) -> str:
        """Plays it all and gives the case number. Raises LeakError, and what a story raises."""
        p, told = self.player, self._told()
        p.channel, p.address = "phone", self.canary.phone
        case_id, call_id = await p.call(told)
        await acts.triage(p, case_id, call_id, "surrender", "serving", "today")
        await p.do("DeclareSurrender", case_id)
        await acts.tell_who(p, case_id, p.person)
        await p.do("AddNote", case_id, text=told)
        await acts.verify(p, case_id)
        code = await acts.give_code(p, case_id)
        await p.do("SetContactRule", case_id, rule="yes")
        await p.do("SendMessage", case_id, channel=p.channel, text=told)
        await self._arrive_and_meet(case_id, code)
        await self._hand_over(case_id)
        await self._reveal(case_id)
        await self._put_in_wrong_places(case_id)
        return case_id

    async def _arrive_and_meet(self, case_id: str, code: str) -> None:
        p = self.player
        found, call_id = await p.call(self._told(), code=code)
        p.expect_same_case(found, case_id)
        await acts.triage(p, case_id, call_id, "surrender", "on_ukrainian_territory", "life_now")
        place = {"description": self.canary.place, "latitude": 0.5, "longitude": 0.5}
        await p.do("RecordArrival", case_id, place=place, condition="ok", call_id=call_id)
        for missed in (True, False):
            planned = await p.do("PlanRendezvous", case_id, place=place, team=p.team, **p.window())
            meeting = {"rendezvous_id": str(planned["command_id"])}
            await p.do("ApproveRendezvous", case_id, by=p.other, **meeting)
            await p.do(
                "DiscloseRendezvous",
                case_id,
                to_whom=self.canary.surname,
                call_id=call_id,
                **meeting,
            )
            if missed:
                await p.do("RecordMissed", case_id, who="team", reason=self.canary.place, **meeting)

    async def _hand_over(self, case_id: str) -> None:
        p = self.player
        offer_id = await acts.offer(p, case_id, p.team)
        await p.do(
            "RefuseHandover", case_id, offer_id=offer_id, team=p.team, reason=self.canary.surname
        )
        await acts.hand_over(p, case_id, p.other_team)
        await p.do("CloseCase", case_id, reason="handed_over")
        await p.do("ReopenCase", case_id, reason=self.canary.service_number)

    async def _reveal(self, case_id: str) -> None:
        """Has everything opened: it is there, for whoever may see it; and masked for others."""
        api = self.player.stage.api
        wanted = {"purpose": "oversight", "classes": CLASSES}
        shown = await _answered(partial(api.post, f"cases/{case_id}/reveal", wanted))
        for value in (self.canary.surname, self.canary.place, self.canary.phone):
            if value not in str(shown.body):
                raise LeakError(f"case {case_id}: a value went through nowhere")
        masked = await _answered(partial(api.get, f"cases/{case_id}"))
        self._clean(masked.body, "cases/{case_id}")

    async def _put_in_wrong_places(self, case_id: str) -> None:
        api, canary = self.player.stage.api, self.canary
        wrong: list[tuple[str, Json]] = [
            ("commands/AddNote", {"case_id": canary.surname, "text": None}),
            ("commands/AddNote", {"case_id": canary.phone.lstrip("+"), "text": "x"}),
            ("commands/TriageCall", {"case_id": case_id, "intent": canary.place}),
            ("commands/CloseCase", {"case_id": case_id, "reason": canary.surname}),
            ("commands/ProvidePersonalData", self._wrong_identity(case_id)),
            ("search", {"case_number": canary.phone}),
            ("search", {"case_number": canary.surname, canary.place: canary.place}),
            ("search", {"return_code": canary.service_number, "purpose": canary.place}),
        ]
        for path, body in wrong:
            reply = await _answered(partial(api.post, path, body))
            self._clean(reply.body, path)
        for query in ("cursor", "progress", "identity", "limit", canary.surname):
            reply = await _answered(partial(api.get, "cases", **{query: canary.place}))
            self._clean(reply.body, "cases")
            if reply.status not in CLIENT_ERROR:
                raise LeakError(f"cases?{query} was answered with {reply.status}")
        reply = await _answered(partial(api.get, f"cases/{canary.surname}"))
        self._clean(reply.body, "cases/{case_id}")

    def _wrong_identity(self, case_id: str) -> dict[str, Any]:
        said = {"surname": self.canary.surname, "date_of_birth": self.canary.phone}
        return {"case_id": case_id, "identity": {**said, self.canary.place: 1}}

    def _told(self) -> str:
        return f"Invented. {' / '.join((*self.canary.values(), self.canary.phone))}"

    def _clean(self, body: Json, route: str) -> None:
        if any(value in str(body) for value in self.canary.values()):
            raise LeakError(f"{route} answers with a value")


async def _answered(ask: Callable[[], Awaitable[Reply]]) -> Reply:
    """Asks until there is an answer.

    A connection that idled may be closed while it is used; a service may be late for query.
    """
    for _ in range(ASKED_MAX):
        with suppress(httpx.HTTPError):
            reply = await ask()
            if reply.status < SERVER_FAULT:
                return reply
    raise LeakError("nobody answers")


def person_of(canary: Canary) -> Person:
    return Person(
        surname=canary.surname,
        first_names=canary.first_names,
        patronymic=canary.surname,
        rank="private",
        date_of_birth=date(1990, 5, 17),
        service_number=canary.service_number,
        unit=canary.place,
    )
