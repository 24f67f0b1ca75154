"""Kinds of cases in which several people or several services have to agree.

Groups, duress, counts that differ, changed plans, exchange and what follows it, a colleague who
takes over, and messages to the caller.
"""

from typing import Any

from passage.demo import acts
from passage.demo.acts import End
from passage.demo.people import people
from passage.demo.player import Player
from shared.events.fields import Channel

HANDED_OVER = "handed_over"
CHAT: Channel = "telegram"


async def journalist(p: Player) -> list[End]:
    """A journalist is told where to ask."""
    case_id, _ = await acts.call(p, "Я журналист. (Вымысел.)", "journalist", "unknown", "later")
    await p.do("GiveAdvice", case_id, text="Invented advice: ask the press office.")
    return [await acts.close(p, case_id, "advice_given")]


async def group_of_four(p: Player) -> list[End]:
    """Four on one telephone; one nobody knows is taken out of the group, three are handed over."""
    lead, first_call = await acts.call(
        p, "Нас четверо. (Вымысел.)", "surrender", "on_ukrainian_territory", "life_now"
    )
    await p.do("DeclareSurrender", lead, party="group", declared_size=4)
    await p.do("FormGroup", lead, declared_size=4)
    # Another man on the line gets a case of his own.
    other: dict[str, Any] = {"call_id": first_call, "channel": p.channel}
    members = [str((await p.do("OpenOtherCase", lead, **other))["case_id"]) for _ in range(3)]
    for member in members:
        await p.do("JoinGroup", lead, member_case=member)
    stranger = members[-1]
    others = p.random.sample(people(), 2)
    for case_id, person in zip((lead, *members[:2]), (p.person, *others), strict=True):
        await acts.tell_who(p, case_id, person)
        await acts.verify(p, case_id)
    await acts.tell_who(p, stranger, p.person.unknown())
    code = await acts.give_code(p, lead)
    call_id = await acts.arrive(p, lead, code, companions=3)
    rendezvous_id = await acts.plan(p, lead)
    await p.refused(
        "ApproveRendezvous", lead, "group_cleared", by=p.other, rendezvous_id=rendezvous_id
    )
    await p.do("LeaveGroup", lead, member_case=stranger, reason="not_cleared")
    await p.do("CountHeads", lead, kind="observed", count=3, source=p.team)
    await acts.approve_and_disclose(p, lead, call_id, rendezvous_id)
    await _receive(p, lead, [lead, *members[:2]])
    ends = [End(one, HANDED_OVER, "verified", counted=False) for one in members[:2]]
    last = End(stranger, "registered", "claimed", counted=False, shows={"group_role": None})
    return [End(lead, HANDED_OVER, "verified", shows={"discrepancy": False}), *ends, last]


async def _receive(p: Player, lead: str, received: list[str]) -> None:
    offer_id = await acts.offer(p, lead, p.team)
    await p.do("AcceptHandover", lead, offer_id=offer_id, team=p.team)
    receipt = acts.receipt_of(p, p.team, len(received))
    await p.do("RecordGroupHandover", lead, received=received, **receipt)
    for case_id in received:
        await p.until_recorded(case_id, "HandedOver")


async def counts_differ(p: Player) -> list[End]:
    """One was expected and two are received: it stays open until two people know why."""
    case_id, _, _ = await acts.be_guided(p)
    await acts.hand_over(p, case_id, heads=2)
    await p.until_recorded(case_id, "HandoverDiscrepancyRaised")
    said = {"explanation": "Invented: a comrade came along."}
    await p.refused(
        "ResolveDiscrepancy", case_id, "signed_by_another", second_by=p.operator, **said
    )
    await p.do("ResolveDiscrepancy", case_id, second_by=p.other, **said)
    return [End(case_id, HANDED_OVER, "verified", shows={"discrepancy": False})]


async def forced_to_call(p: Player) -> list[End]:
    """He gives the duress twin of his code; no place is disclosed until a supervisor has looked."""
    case_id = await acts.become_verified(p)
    twin = str((await p.do("IssueReturnCode", case_id))["duress_code"])
    call_id = await acts.arrive(p, case_id, twin)
    rendezvous_id = await acts.plan(p, case_id)
    told = {"rendezvous_id": rendezvous_id}
    await p.refused("ApproveRendezvous", case_id, "cleared_by_supervisor", by=p.other, **told)
    await p.do("ClearDuress", case_id, by=p.supervisor, reason="Invented: he was seen, alone.")
    await acts.approve_and_disclose(p, case_id, call_id, rendezvous_id)
    return [End(case_id, "guided", "verified")]


async def planned_elsewhere(p: Player) -> list[End]:
    """The place he was told is no longer safe: another one is approved and disclosed."""
    case_id, call_id, before = await acts.be_guided(p)
    planned = await p.do(
        "ReplanRendezvous",
        case_id,
        replaces=before,
        place=acts.CAMP_ROAD,
        team=p.team,
        reason="Invented: the road is watched.",
        **p.window(),
    )
    await acts.approve_and_disclose(p, case_id, call_id, str(planned["command_id"]))
    return [await acts.hand_over(p, case_id)]


async def exchanged_and_calls_again(p: Player) -> list[End]:
    """Exchanged as he wanted; then he calls again: another episode, without the old consent."""
    case_id, _, _ = await acts.be_guided(p)
    await acts.hand_over(p, case_id)
    await p.do("RecordCustody", case_id, custody="arrived_at_camp", changed_at=acts.now())
    await p.do("ConfirmCaptureCard", case_id, reference="CARD-INVENTED", sent_at=acts.now())
    asked: dict[str, Any] = {"language": "ru", "wording": "invented-1"}
    await p.do("OfferExchange", case_id, **asked)
    await p.do("GiveExchangeConsent", case_id, witness=p.other, **asked)
    await p.do("RecordExchange", case_id, exchanged_at=acts.now())
    again, _ = await acts.call(
        p, "Меня снова отправили. (Вымысел.)", "surrender", "serving", "today"
    )
    p.expect_other_case(again, case_id)
    await p.do("DeclareSurrender", again)
    await p.refused("RecordExchange", again, "exchange_consent_stands", exchanged_at=acts.now())
    old = {"exchange_consent": "given", "next_case": again}
    new = {"exchange_consent": "none", "previous_case": case_id}
    return [
        End(case_id, "exchanged", "verified", shows=old),
        End(again, "declared", episode=2, shows=new),
    ]


async def taken_over(p: Player) -> list[End]:
    """An operator vanishes; a colleague takes over, and the first one's commands are refused."""
    case_id, _ = await acts.call(p, "Что мне делать? (Вымысел.)", "advice", "serving", "today")
    await p.do("ClaimCase", case_id)
    await p.do("TakeOverCase", case_id, by=p.other, reason="Invented: her line is dead.")
    await p.refused("CloseCase", case_id, "lease_current", fence=1, reason="advice_given")
    await p.do("GiveAdvice", case_id, by=p.other, fence=2, text="Invented advice.")
    return [await acts.close(p, case_id, "advice_given", by=p.other, fence=2)]


async def message_to_the_caller(p: Player) -> list[End]:
    """Nothing is sent to him until he says it is safe; then the message goes out once."""
    p.use(CHAT)
    case_id = await acts.ask_to_surrender(p)
    message = {"channel": CHAT, "text": "Вымышленное сообщение: позвоните нам."}
    await p.refused("SendMessage", case_id, "contact_allowed", **message)
    await p.do("SetContactRule", case_id, rule="yes")
    await p.do("SendMessage", case_id, **message)
    await p.delivered(case_id, CHAT)
    return [End(case_id, "declared", shows={"contact_rule": "yes"})]
