"""The acts that stories are made of: each is some calls and commands in the hotline's order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from passage.demo.people import Person
from passage.demo.player import Player

CAMP_ROAD = {
    "description": "Invented crossroads near Nowhere, by the blue barn",
    "latitude": 0.5,
    "longitude": 0.5,
}
SAFE_PLACE = {"description": "Invented safe place: the third milestone", "latitude": 0.6}


@dataclass(frozen=True)
class End:
    """How a case must stand at the end; `None` is not looked at."""

    case_id: str
    progress: str
    identity: str = "none"
    closing_reason: str | None = None
    contact: str = "in_touch"
    episode: int = 1
    counted: bool = True
    """Whether the calls are counted that came into the case; one opened by hand has none."""
    shows: Mapping[str, Any] = field(default_factory=dict)
    """What else must be shown of it."""


async def ask_to_surrender(
    p: Player, situation: str = "serving", urgency: str = "today", **more: Any
) -> str:
    """First call, triage and declaration."""
    case_id, call_id = await p.call("Хочу сдаться. (Вымышленный звонок.)")
    await triage(p, case_id, call_id, "surrender", situation, urgency)
    await p.do("DeclareSurrender", case_id, **more)
    return case_id


async def triage(
    p: Player, case_id: str, call_id: str, intent: str, situation: str, urgency: str
) -> None:
    """An operator judges a call."""
    await p.do(
        "TriageCall", case_id, call_id=call_id, intent=intent, situation=situation, urgency=urgency
    )


async def tell_who(
    p: Player, case_id: str, person: Person, checks: int = 1, provenance: str = "caller"
) -> None:
    """Personal data, and the registry's answer to it."""
    fields: dict[str, Any] = {"identity": person.as_identity(), "provenance": provenance}
    if person.unit is not None:
        fields["unit"] = person.unit
    await p.do("ProvidePersonalData", case_id, **fields)
    await p.until_recorded(case_id, "RegistryChecked", checks)


async def verify(p: Player, case_id: str) -> None:
    """The registry matched, and an operator agrees."""
    await p.do("VerifyIdentity", case_id, basis="registry_and_operator")


async def verify_by_two(p: Player, case_id: str) -> None:
    """The registry isn't sure; two people are."""
    await p.do("VerifyIdentity", case_id, basis="two_sources", second_by=p.other)


async def give_code(p: Player, case_id: str) -> str:
    """A return code, as read out to the caller."""
    answer = await p.do("IssueReturnCode", case_id)
    return str(answer["return_code"])


async def register(p: Player) -> tuple[str, str]:
    """Stage one from first call to return code, verified; gives case number and code."""
    case_id = await ask_to_surrender(p)
    await tell_who(p, case_id, p.person)
    await verify(p, case_id)
    return case_id, await give_code(p, case_id)


async def arrive(
    p: Player, case_id: str, code: str, *, new_phone: bool = False, companions: int = 0
) -> str:
    """The second call, with the code, from Ukrainian territory; gives its call id."""
    await p.later(minutes=p.random.randrange(20, 120))
    known = p.channel
    found, call_id = await p.call("Я на месте. (Вымысел.)", code=code, new_phone=new_phone)
    p.expect_same_case(found, case_id)
    await triage(p, case_id, call_id, "surrender", "on_ukrainian_territory", "life_now")
    if p.channel != known:
        await confirm(p, case_id, call_id)
    await p.do(
        "RecordArrival",
        case_id,
        place=CAMP_ROAD,
        companions=companions,
        condition="ok",
        call_id=call_id,
    )
    return call_id


async def confirm(p: Player, case_id: str, call_id: str) -> None:
    """A second fact beside the code, which came on a channel that he never called on."""
    await p.do(
        "ConfirmCaller",
        case_id,
        call_id=call_id,
        channel=p.channel,
        second_fact="personal_data",
        remark="invented remark: he named his brother",
    )


async def guide(p: Player, case_id: str, call_id: str) -> str:
    """Plan, approval by another person, disclosure; gives the rendezvous id."""
    rendezvous_id = await plan(p, case_id)
    await approve_and_disclose(p, case_id, call_id, rendezvous_id)
    return rendezvous_id


async def plan(p: Player, case_id: str) -> str:
    """Proposes a rendezvous; gives its id."""
    planned = await p.do("PlanRendezvous", case_id, place=SAFE_PLACE, team=p.team, **p.window())
    return str(planned["command_id"])


async def approve_and_disclose(p: Player, case_id: str, call_id: str, rendezvous_id: str) -> None:
    """Another person agrees, and the caller is told."""
    await p.do("ApproveRendezvous", case_id, by=p.other, rendezvous_id=rendezvous_id)
    await p.do(
        "DiscloseRendezvous",
        case_id,
        rendezvous_id=rendezvous_id,
        to_whom="the caller",
        call_id=call_id,
    )


async def offer(p: Player, case_id: str, team: str) -> str:
    """Asks a team to take him; gives the offer id."""
    deadline = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    answer = await p.do("OfferHandover", case_id, team=team, deadline_at=deadline)
    return str(answer["command_id"])


async def hand_over(p: Player, case_id: str, team: str | None = None, heads: int = 1) -> None:
    """Offer, acceptance and receipt."""
    receiving = team or p.team
    offer_id = await offer(p, case_id, receiving)
    await p.do("AcceptHandover", case_id, by=receiving, offer_id=offer_id, team=receiving)
    await p.do(
        "RecordHandover",
        case_id,
        by=receiving,
        team=receiving,
        receipt_number=f"R-{p.run[-12:]}",
        received_at=datetime.now(UTC).isoformat(),
        head_count=heads,
        condition="ok",
    )
