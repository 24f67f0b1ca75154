"""The kinds of cases that end on the telephone: advice, relatives, hoaxes, doubtful identity."""

from __future__ import annotations

import asyncio

from passage.demo import acts
from passage.demo.acts import End
from passage.demo.player import Player


async def advice(p: Player) -> list[End]:
    """Not mobilised yet; asks what to do, and is told."""
    case_id, call_id = await p.call("Меня ещё не призвали, что делать? (Вымысел.)")
    await acts.triage(p, case_id, call_id, "advice", "not_mobilised", "later")
    await p.do("AddNote", case_id, text="Invented note: told what to do.")
    await p.do("CloseCase", case_id, reason="advice_given")
    return [End(case_id, "closed", closing_reason="advice_given")]


async def relative(p: Player) -> list[End]:
    """The mother calls about her son."""
    case_id, call_id = await p.call("Я мать солдата. (Вымысел.)")
    await acts.triage(p, case_id, call_id, "relative", "serving", "today")
    await acts.tell_who(p, case_id, p.person, provenance="relative")
    code = await acts.give_code(p, case_id)
    found, _ = await p.call("Мать дала мне код. (Вымысел.)", code=code, new_phone=True)
    p.expect_same_case(found, case_id)
    return [End(case_id, "awaiting_second_call", "partial")]


async def hoax(p: Player) -> list[End]:
    """A joker; it takes two people to say so."""
    case_id, call_id = await p.call("Ха-ха. (Вымысел.)")
    await acts.triage(p, case_id, call_id, "hoax", "unknown", "later")
    await p.refused("CloseCase", case_id, "two_people", reason="hoax")
    await p.refused("CloseCase", case_id, "two_people", reason="hoax", second_by=p.operator)
    await p.do("CloseCase", case_id, reason="hoax", second_by=p.other)
    return [End(case_id, "closed", closing_reason="hoax")]


async def hoax_that_was_real(p: Player) -> list[End]:
    """Closed as a hoax, then it turns out real, and the closing is taken back."""
    ended = await hoax(p)
    case_id = ended[0].case_id
    await p.do("ReopenCase", case_id, reason="invented reason: he was serious")
    await p.do("DeclareSurrender", case_id)
    await acts.tell_who(p, case_id, p.person)
    await acts.verify(p, case_id)
    return [End(case_id, "registered", "verified")]


async def silent(p: Player) -> list[End]:
    """Nobody speaks; nobody is blocked for that."""
    case_id, call_id = await p.call("...")
    await acts.triage(p, case_id, call_id, "silent", "unknown", "later")
    return [End(case_id, "new")]


async def delivered_three_times(p: Player) -> list[End]:
    """The channel delivers one call three times: one call."""
    case_id, call_id = await p.call("Одно сообщение трижды. (Вымысел.)", deliveries=3)
    await acts.triage(p, case_id, call_id, "advice", "mobilised", "later")
    await p.do("CloseCase", case_id, reason="advice_given")
    return [End(case_id, "closed", closing_reason="advice_given")]


async def two_calls_at_once(p: Player) -> list[End]:
    """Two calls from one telephone at the same moment open one case."""
    (case_id, _), (other, _) = await asyncio.gather(
        p.call("Первый. (Вымысел.)"), p.call("Второй. (Вымысел.)")
    )
    p.expect_same_case(other, case_id)
    await p.do("DeclareSurrender", case_id)
    return [End(case_id, "declared")]


async def two_withheld_numbers(p: Player) -> list[End]:
    """Two men, both with a withheld number: two cases; only a code says whose a call is."""
    (first, _), (second, _) = await asyncio.gather(
        p.call("Номер скрыт, первый. (Вымысел.)", withheld=True),
        p.call("Номер скрыт, второй. (Вымысел.)", withheld=True),
    )
    p.expect_other_case(second, first)
    await p.do("DeclareSurrender", first)
    code = await acts.give_code(p, first)
    found, _ = await p.call("Первый, вот код. (Вымысел.)", code=code, withheld=True)
    p.expect_same_case(found, first)
    return [End(first, "awaiting_second_call"), End(second, "new")]


async def calls_again_after_closing(p: Player) -> list[End]:
    """Closed, then he calls again: a new episode, the old case stays closed."""
    first = (await advice(p))[0].case_id
    second, call_id = await p.call("Это снова я. (Вымысел.)")
    p.expect_other_case(second, first)
    await acts.triage(p, second, call_id, "surrender", "mobilised", "today")
    await p.do("DeclareSurrender", second)
    return [
        End(first, "closed", closing_reason="advice_given"),
        End(second, "declared", episode=2),
    ]


async def no_service_number(p: Player) -> list[End]:
    """He doesn't know his number; two people agree who he is."""
    case_id = await acts.ask_to_surrender(p)
    await acts.tell_who(p, case_id, p.person.without_number())
    await p.until_recorded(case_id, "VerificationEscalated")
    await p.refused(
        "VerifyIdentity", case_id, "two_agreeing_sources", basis="registry_and_operator"
    )
    await acts.verify_by_two(p, case_id)
    await acts.give_code(p, case_id)
    return [End(case_id, "awaiting_second_call", "verified")]


async def latin_lookalikes(p: Player) -> list[End]:
    """The number typed with Latin letters is the same number."""
    case_id = await acts.ask_to_surrender(p)
    await acts.tell_who(p, case_id, p.person.in_latin())
    await acts.verify(p, case_id)
    return [End(case_id, "registered", "verified")]


async def nobody_knows_him(p: Player) -> list[End]:
    """No registry has him; a person decides that he isn't who he says."""
    case_id = await acts.ask_to_surrender(p)
    await acts.tell_who(p, case_id, p.person.unknown())
    await p.until_recorded(case_id, "VerificationEscalated")
    await p.do("RejectIdentity", case_id, fields=["surname"], reason="invented: nobody knows him")
    await p.do("CloseCase", case_id, reason="infiltration", second_by=p.other)
    return [End(case_id, "closed", "rejected", "infiltration")]


async def one_field_differs(p: Player) -> list[End]:
    """Right number, wrong birth date: a person looks, and two decide."""
    case_id = await acts.ask_to_surrender(p)
    await acts.tell_who(p, case_id, p.person.born_another_day())
    await p.until_recorded(case_id, "VerificationEscalated")
    await p.refused(
        "VerifyIdentity", case_id, "two_agreeing_sources", basis="registry_and_operator"
    )
    await acts.verify_by_two(p, case_id)
    return [End(case_id, "registered", "verified")]


async def only_the_year(p: Player) -> list[End]:
    """He tells only the year of his birth; the registry knows him all the same."""
    case_id = await acts.ask_to_surrender(p)
    await acts.tell_who(p, case_id, p.person.born_some_day())
    await acts.verify(p, case_id)
    return [End(case_id, "registered", "verified")]


async def contradicted_and_overruled(p: Player) -> list[End]:
    """Two fields speak against him; two people know better, and say why."""
    case_id = await acts.ask_to_surrender(p)
    await acts.tell_who(p, case_id, p.person.another_mans())
    await p.until_recorded(case_id, "IdentityContradicted")
    by_two = {"basis": "two_sources", "second_by": p.other}
    await p.refused("VerifyIdentity", case_id, "no_open_contradiction", **by_two)
    await p.do("VerifyIdentity", case_id, **by_two, reason="invented reason: his papers")
    return [End(case_id, "registered", "verified")]


async def contradicted_then_corrected(p: Player) -> list[End]:
    """Right number, another name and birth date: no verification until they are corrected."""
    case_id = await acts.ask_to_surrender(p)
    await acts.tell_who(p, case_id, p.person.another_mans())
    await p.until_recorded(case_id, "IdentityContradicted")
    await p.refused(
        "VerifyIdentity", case_id, "no_open_contradiction", basis="two_sources", second_by=p.other
    )
    await acts.tell_who(p, case_id, p.person, checks=2)
    await acts.verify(p, case_id)
    return [End(case_id, "registered", "verified")]


async def withdrew(p: Player) -> list[End]:
    """He thinks better of it."""
    case_id = await acts.ask_to_surrender(p, party="group", declared_size=10)
    await p.do("CloseCase", case_id, reason="withdrew")
    return [End(case_id, "closed", closing_reason="withdrew")]
