"""The acts that stories are made of: a few calls and commands each, in the hotline's order."""

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
    case_id: str
    progress: str
    identity: str = "none"
    closing_reason: str | None = None
    contact: str = "in_touch"
    episode: int = 1
    counted: bool = True
    """Whether its calls are compared; a case opened by hand has none."""
    shows: Mapping[str, Any] = field(default_factory=dict)
    """Further fields and their values."""


def now(*, hours: float = 0) -> str:
    """So many hours from now, in ISO 8601."""
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()


async def call(p: Player, text: str, intent: str, situation: str, urgency: str) -> tuple[str, str]:
    """A call, and an operator's judgement of it; returns the case number and the call id."""
    case_id, call_id = await p.call(text)
    await triage(p, case_id, call_id, intent, situation, urgency)
    return case_id, call_id


async def call_again(p: Player, case_id: str, text: str, **more: Any) -> str:
    """A call that must be linked to the case; returns its id."""
    found, call_id = await p.call(text, **more)
    p.expect_same_case(found, case_id)
    return call_id


async def ask_to_surrender(
    p: Player, situation: str = "serving", urgency: str = "today", **more: Any
) -> str:
    """First call, triage and declaration."""
    case_id, _ = await call(
        p, "Хочу сдаться. (Вымышленный звонок.)", "surrender", situation, urgency
    )
    await p.do("DeclareSurrender", case_id, **more)
    return case_id


async def triage(
    p: Player, case_id: str, call_id: str, intent: str, situation: str, urgency: str
) -> None:
    await p.do(
        "TriageCall", case_id, call_id=call_id, intent=intent, situation=situation, urgency=urgency
    )


async def close(p: Player, case_id: str, reason: str, **more: Any) -> End:
    await p.do("CloseCase", case_id, reason=reason, **more)
    return End(case_id, "closed", closing_reason=reason)


async def state_identity(p: Player, person: Person) -> str:
    """Stage one until the registry has answered; returns the case number."""
    case_id = await ask_to_surrender(p)
    await tell_who(p, case_id, person)
    return case_id


async def become_verified(p: Player, person: Person | None = None) -> str:
    """Stage one until a match and an operator have verified him; returns the case number."""
    case_id = await state_identity(p, person or p.person)
    await verify(p, case_id)
    return case_id


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
    await p.do("VerifyIdentity", case_id, basis="registry_and_operator")


async def give_code(p: Player, case_id: str) -> str:
    answer = await p.do("IssueReturnCode", case_id)
    return str(answer["return_code"])


async def register(p: Player) -> tuple[str, str]:
    """Stage one from the first call to the return code; returns the case number and the code."""
    case_id = await become_verified(p)
    return case_id, await give_code(p, case_id)


async def arrive(
    p: Player, case_id: str, code: str, *, new_phone: bool = False, companions: int = 0
) -> str:
    """The second call, with the code, from Ukrainian territory; returns its id."""
    await p.later(minutes=p.random.randrange(20, 120))
    known = p.channel
    call_id = await call_again(p, case_id, "Я на месте. (Вымысел.)", code=code, new_phone=new_phone)
    await triage(p, case_id, call_id, "surrender", "on_ukrainian_territory", "life_now")
    if p.channel != known:  # The code came on a channel that he never used before.
        remark = "invented remark: he named his brother"
        fact: dict[str, Any] = {"second_fact": "personal_data", "remark": remark}
        await p.do("ConfirmCaller", case_id, call_id=call_id, channel=p.channel, **fact)
    await p.do(
        "RecordArrival",
        case_id,
        place=CAMP_ROAD,
        companions=companions,
        condition="ok",
        call_id=call_id,
    )
    return call_id


async def guide(p: Player, case_id: str, call_id: str) -> str:
    """Plan, approval by another person, disclosure; returns the rendezvous id."""
    rendezvous_id = await plan(p, case_id)
    await approve_and_disclose(p, case_id, call_id, rendezvous_id)
    return rendezvous_id


async def register_and_arrive(p: Player, *, new_phone: bool = False) -> tuple[str, str]:
    """Stage one, and the second call; returns the case number and that call's id."""
    case_id, code = await register(p)
    return case_id, await arrive(p, case_id, code, new_phone=new_phone)


async def be_guided(p: Player, *, new_phone: bool = False) -> tuple[str, str, str]:
    """The whole way up to disclosure; returns case number, call id and rendezvous id."""
    case_id, call_id = await register_and_arrive(p, new_phone=new_phone)
    return case_id, call_id, await guide(p, case_id, call_id)


async def plan(p: Player, case_id: str) -> str:
    """Returns the rendezvous id."""
    planned = await p.do("PlanRendezvous", case_id, place=SAFE_PLACE, team=p.team, **p.window())
    return str(planned["command_id"])


async def approve_and_disclose(p: Player, case_id: str, call_id: str, rendezvous_id: str) -> None:
    await p.do("ApproveRendezvous", case_id, by=p.other, rendezvous_id=rendezvous_id)
    await p.do(
        "DiscloseRendezvous",
        case_id,
        rendezvous_id=rendezvous_id,
        to_whom="the caller",
        call_id=call_id,
    )


async def offer(p: Player, case_id: str, team: str) -> str:
    """Asks a team to take him; returns the offer id."""
    answer = await p.do("OfferHandover", case_id, team=team, deadline_at=now(hours=1))
    return str(answer["command_id"])


def receipt_of(p: Player, team: str, heads: int) -> dict[str, Any]:
    return {
        "team": team,
        "receipt_number": f"R-{p.run[-12:]}",
        "received_at": now(),
        "head_count": heads,
    }


async def hand_over(p: Player, case_id: str, team: str | None = None, heads: int = 1) -> End:
    """Offer, acceptance and receipt."""
    receiving = team or p.team
    offer_id = await offer(p, case_id, receiving)
    await p.do("AcceptHandover", case_id, offer_id=offer_id, team=receiving)
    receipt = receipt_of(p, receiving, heads)
    await p.do("RecordHandover", case_id, condition="ok", **receipt)
    return End(case_id, "handed_over", "verified")
