"""Kinds of cases that end in the field: guided, missed, refused, lost, handed over."""

from typing import Any

from passage.demo import acts
from passage.demo.acts import End
from passage.demo.player import Player


async def straight(p: Player) -> list[End]:
    """The whole way: code, second call, guided, handed over, closed."""
    case_id, _, _ = await acts.be_guided(p)
    await acts.hand_over(p, case_id)
    await p.do("CloseCase", case_id, reason="handed_over")
    return [End(case_id, "closed", "verified", "handed_over")]


async def waiting_to_cross(p: Player) -> list[End]:
    """Verified, with a code; he hasn't crossed yet."""
    case_id, _ = await acts.register(p)
    return [End(case_id, "awaiting_second_call", "verified")]


async def another_phone(p: Player) -> list[End]:
    """The second call comes from a comrade's telephone, with the code."""
    case_id, _, _ = await acts.be_guided(p, new_phone=True)
    return [End(case_id, "guided", "verified")]


async def first_call_from_the_field(p: Player) -> list[End]:
    """He is on Ukrainian territory already when he first calls."""
    case_id, first_call = await acts.call(
        p, "Я уже здесь, помогите. (Вымысел.)", "surrender", "on_ukrainian_territory", "life_now"
    )
    await p.do(
        "RecordArrival", case_id, place=acts.CAMP_ROAD, condition="wounded", call_id=first_call
    )
    meeting: dict[str, Any] = {"place": acts.SAFE_PLACE, "team": p.team, **p.window()}
    await p.refused("PlanRendezvous", case_id, "identity_at_least_partial", **meeting)
    await acts.tell_who(p, case_id, p.person)
    await acts.verify(p, case_id)
    code = await acts.give_code(p, case_id)
    call_id = await acts.call_again(p, case_id, "Снова я, вот код. (Вымысел.)", code=code)
    await acts.guide(p, case_id, call_id)
    return [await acts.hand_over(p, case_id)]


async def missed_and_planned_again(p: Player) -> list[End]:
    """The team's drone had no battery; a second rendezvous works."""
    case_id, call_id, rendezvous_id = await acts.be_guided(p)
    await p.do(
        "RecordMissed", case_id, rendezvous_id=rendezvous_id, who="team", reason="invented: battery"
    )
    await acts.guide(p, case_id, call_id)
    return [await acts.hand_over(p, case_id)]


async def refused_by_one_team(p: Player) -> list[End]:
    """The first team can't take him, another does. Only the team that was asked may answer."""
    case_id, _, _ = await acts.be_guided(p)
    offer_id = await acts.offer(p, case_id, p.team)
    await p.refused("AcceptHandover", case_id, "team_named", offer_id=offer_id, team=p.other_team)
    await p.do(
        "RefuseHandover", case_id, offer_id=offer_id, team=p.team, reason="invented: no vehicle"
    )
    await p.refused("AcceptHandover", case_id, "offer_open", offer_id=offer_id, team=p.team)
    return [await acts.hand_over(p, case_id, p.other_team)]


async def contact_lost(p: Player) -> list[End]:
    """Guided, and then he stops answering."""
    case_id, _, _ = await acts.be_guided(p)
    await p.do("RecordContactLost", case_id, since=acts.now(hours=-1))
    return [End(case_id, "guided", "verified", contact="lost")]


async def lost_and_found(p: Player) -> list[End]:
    """Contact is lost; he calls from a new telephone with the code and is handed over."""
    case_id = (await contact_lost(p))[0].case_id
    code = await acts.give_code(p, case_id)
    call_id = await acts.call_again(p, case_id, "Я жив. (Вымысел.)", code=code, new_phone=True)
    await acts.triage(p, case_id, call_id, "surrender", "on_ukrainian_territory", "life_now")
    return [await acts.hand_over(p, case_id)]


async def two_people_needed(p: Player) -> list[End]:
    """The planner may not approve; nothing is disclosed before approval or without the code."""
    case_id, call_id = await acts.register_and_arrive(p)
    rendezvous_id = await acts.plan(p, case_id)
    await p.refused("ApproveRendezvous", case_id, "another_person", rendezvous_id=rendezvous_id)
    told = {"rendezvous_id": rendezvous_id, "to_whom": "the caller"}
    await p.refused("DiscloseRendezvous", case_id, "approved", call_id=call_id, **told)
    await p.do("ApproveRendezvous", case_id, by=p.other, rendezvous_id=rendezvous_id)
    await p.refused("DiscloseRendezvous", case_id, "call_code_matched", call_id="other", **told)
    await p.do("DiscloseRendezvous", case_id, call_id=call_id, **told)
    return [End(case_id, "guided", "verified")]


async def ten_of_us(p: Player) -> list[End]:
    """One man speaks for a group of ten."""
    case_id = await acts.ask_to_surrender(p, urgency="life_now", party="group", declared_size=10)
    await acts.tell_who(p, case_id, p.person)
    await acts.verify(p, case_id)
    code = await acts.give_code(p, case_id)
    call_id = await acts.arrive(p, case_id, code)
    await acts.guide(p, case_id, call_id)
    return [await acts.hand_over(p, case_id, heads=10)]
