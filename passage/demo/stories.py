"""Kinds of cases that end on the telephone: advice, relatives, hoaxes, doubtful identity."""

import asyncio

from passage.demo import acts
from passage.demo.acts import End
from passage.demo.people import Person
from passage.demo.player import Player


async def advice(p: Player) -> list[End]:
    """Not mobilised yet; asks what to do, and is told."""
    case_id, _ = await acts.call(
        p, "Меня ещё не призвали, что делать? (Вымысел.)", "advice", "not_mobilised", "later"
    )
    await p.do("AddNote", case_id, text="Invented note: told what to do.")
    return [await acts.close(p, case_id, "advice_given")]


async def relative(p: Player) -> list[End]:
    """The mother calls about her son."""
    case_id, _ = await acts.call(p, "Я мать солдата. (Вымысел.)", "relative", "serving", "today")
    await acts.tell_who(p, case_id, p.person, provenance="relative")
    code = await acts.give_code(p, case_id)
    await acts.call_again(p, case_id, "Мать дала мне код. (Вымысел.)", code=code, new_phone=True)
    return [End(case_id, "awaiting_second_call", "partial")]


async def hoax(p: Player) -> list[End]:
    """A joker; it takes two people to say so."""
    case_id, _ = await acts.call(p, "Ха-ха. (Вымысел.)", "hoax", "unknown", "later")
    await p.refused("CloseCase", case_id, "signer_may", reason="hoax")
    await p.refused("CloseCase", case_id, "signed_by_another", reason="hoax", second_by=p.operator)
    return [await acts.close(p, case_id, "hoax", second_by=p.other)]


async def hoax_that_was_real(p: Player) -> list[End]:
    """Closed as a hoax, then it turns out real, and the closing is taken back."""
    case_id = (await hoax(p))[0].case_id
    await p.do("ReopenCase", case_id, reason="invented reason: he was serious")
    await p.do("DeclareSurrender", case_id)
    await acts.tell_who(p, case_id, p.person)
    await acts.verify(p, case_id)
    return [End(case_id, "registered", "verified")]


async def silent(p: Player) -> list[End]:
    """Nobody speaks; nobody is blocked for that."""
    case_id, _ = await acts.call(p, "...", "silent", "unknown", "later")
    return [End(case_id, "new")]


async def delivered_three_times(p: Player) -> list[End]:
    """The channel delivers one call three times: one call."""
    case_id, call_id = await p.call("Одно сообщение трижды. (Вымысел.)", deliveries=3)
    await acts.triage(p, case_id, call_id, "advice", "mobilised", "later")
    return [await acts.close(p, case_id, "advice_given")]


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
    await acts.call_again(p, first, "Первый, вот код. (Вымысел.)", code=code, withheld=True)
    return [End(first, "awaiting_second_call"), End(second, "new")]


async def calls_again_after_closing(p: Player) -> list[End]:
    """Closed, then he calls again: a new episode, the old case stays closed."""
    (first,) = await advice(p)
    second = await acts.ask_to_surrender(p, "mobilised")
    p.expect_other_case(second, first.case_id)
    return [first, End(second, "declared", episode=2)]


async def no_service_number(p: Player) -> list[End]:
    """He doesn't know his number; two people agree who he is."""
    case_id = await _verified_by_two(p, p.person.without_number())
    await acts.give_code(p, case_id)
    return [End(case_id, "awaiting_second_call", "verified")]


async def one_field_differs(p: Player) -> list[End]:
    """Right number, wrong birth date: a person looks, and two decide."""
    case_id = await _verified_by_two(p, p.person.born_another_day())
    return [End(case_id, "registered", "verified")]


async def _verified_by_two(p: Player, person: Person) -> str:
    """What the registry leaves open no operator may decide alone."""
    case_id = await acts.state_identity(p, person)
    await p.until_recorded(case_id, "VerificationEscalated")
    await p.refused(
        "VerifyIdentity", case_id, "two_agreeing_sources", basis="registry_and_operator"
    )
    await p.do("VerifyIdentity", case_id, basis="two_sources", second_by=p.other)
    return case_id


async def latin_lookalikes(p: Player) -> list[End]:
    """The number typed with Latin letters is the same number."""
    case_id = await acts.become_verified(p, p.person.in_latin())
    return [End(case_id, "registered", "verified")]


async def nobody_knows_him(p: Player) -> list[End]:
    """No registry has him; a person decides that he isn't who he says."""
    case_id = await acts.state_identity(p, p.person.unknown())
    await p.until_recorded(case_id, "VerificationEscalated")
    await p.do("RejectIdentity", case_id, fields=["surname"], reason="invented: nobody knows him")
    await p.do("CloseCase", case_id, reason="infiltration", second_by=p.other)
    return [End(case_id, "closed", "rejected", "infiltration")]


async def only_the_year(p: Player) -> list[End]:
    """He tells only the year of his birth; the registry knows him all the same."""
    case_id = await acts.become_verified(p, p.person.born_some_day())
    return [End(case_id, "registered", "verified")]


async def contradicted_and_overruled(p: Player) -> list[End]:
    """Two fields speak against him; two people know better, and say why."""
    case_id = await acts.state_identity(p, p.person.another_mans())
    await p.until_recorded(case_id, "IdentityContradicted")
    by_two = {"basis": "two_sources", "second_by": p.other}
    await p.refused("VerifyIdentity", case_id, "no_open_contradiction", **by_two)
    await p.do("VerifyIdentity", case_id, **by_two, reason="invented reason: his papers")
    return [End(case_id, "registered", "verified")]


async def contradicted_then_corrected(p: Player) -> list[End]:
    """Right number, another name and birth date: no verification until they are corrected."""
    case_id = await acts.state_identity(p, p.person.another_mans())
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
    return [await acts.close(p, case_id, "withdrew")]
