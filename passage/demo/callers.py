"""Callers as they really are: hidden numbers, one man's two spellings, edits, a flood at noon."""

import asyncio
from dataclasses import replace

from passage.demo import acts
from passage.demo.acts import End
from passage.demo.player import Player

FLOOD_CALLS = 200
"""How many messages one address sends at noon."""
HIDDEN = ("+266696687", "sip:anonymous@anonymous.invalid", "Private Number", "Скрытый номер")


async def hidden_in_many_words(p: Player) -> list[End]:
    """However a network says that a number is hidden, each call counts as another man's."""
    p.use("phone")
    cases: list[str] = []
    for word in HIDDEN:
        call = replace(p.made("Номер скрыт. (Вымысел.)"), address=word)
        case_id, call_id = await p.put_through(call)
        for other in cases:
            p.expect_other_case(case_id, other)
        await acts.triage(p, case_id, call_id, "silent", "unknown", "later")
        cases.append(case_id)
    return [End(case_id, "new") for case_id in cases]


async def both_spellings_of_a_number(p: Player) -> list[End]:
    """Dialled at home, then from abroad: one number, one man."""
    p.use("phone")
    p.address, at_home = two_spellings(p.address)
    case_id, _ = await p.put_through(
        replace(p.made("Звоню из дома. (Вымысел.)"), address=at_home, region="UA")
    )
    await acts.call_again(p, case_id, "Звоню снова. (Вымысел.)")
    await p.do("DeclareSurrender", case_id)
    return [End(case_id, "declared")]


def two_spellings(address: str) -> tuple[str, str]:
    """A number made from an invented one: in full, and as it is dialled in Ukraine."""
    national = f"440{address[-6:]}"  # No telephone number in Kyiv begins with 0.
    return f"+380{national}", f"0{national}"


async def spelled_as_in_his_passport(p: Player) -> list[End]:
    """He spells his name in Latin letters; the registry has it in Cyrillic ones."""
    case_id = await acts.become_verified(p, p.person.spelled_in_latin())
    return [End(case_id, "registered", "verified")]


async def edited(p: Player) -> list[End]:
    """He corrects a message: the new words come into his case too, as a message of their own."""
    p.use("telegram")
    call = p.made("Я не один, нас двое. (Вымысел.)")
    case_id, _ = await p.put_through(call)
    await p.put_through(replace(call, text="Я не один, нас трое. (Вымысел.)"), is_edit=True)
    await p.do("DeclareSurrender", case_id, party="group", declared_size=3)
    return [End(case_id, "declared")]


async def code_among_words(p: Player) -> list[End]:
    """He gives his code in full-width digits, with the date beside it."""
    case_id, code = await acts.register(p)
    full_width = code.translate({ord("0") + n: chr(0xFF10 + n) for n in range(10)})
    await acts.call_again(p, case_id, "Вот код. (Вымысел.)", code=f"код {full_width} от 12.11")
    return [End(case_id, "awaiting_second_call", "verified")]


async def flood_at_noon(p: Player) -> list[End]:
    """One address sends message after message; a man on another channel isn't kept waiting."""
    p.use("web")
    flood = [p.made(f"Сообщение {number}. (Вымысел.)") for number in range(FLOOD_CALLS)]
    await asyncio.gather(*(p.stage.publish(call) for call in flood))
    p.use("phone")
    mans = await acts.ask_to_surrender(p)
    (flooded, *others) = [(await p.put_through(call))[0] for call in flood]
    for other in others:
        p.expect_same_case(other, flooded)
    p.expect_other_case(mans, flooded)
    return [End(mans, "declared"), await acts.close(p, flooded, "other")]
