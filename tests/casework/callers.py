"""Who calls: a genuine man, and infiltrators who say and call whatever a seed makes them."""

import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from services.verification.registry_answers import RegistryAnswer
from shared.commands import handover as h
from shared.commands import intake as i
from shared.events.fields import Channel
from tests.casework.operators import Operators
from tests.casework.town import PLACE, Town

REGISTRY = {
    "Beispiel": RegistryAnswer("match", 100, ("service_number", "surname")),
    "Vzorov": RegistryAnswer("partial", 40, ("surname",)),
    "Primerenko": RegistryAnswer("partial", 60, ("service_number",), ("date_of_birth",)),
    "Muster": RegistryAnswer("unavailable"),
    "Dwoje": RegistryAnswer("ambiguous", 80, ("surname",)),
}
"""A registry that knows one man for certain; whoever else is named isn't in it."""
REAL = "Beispiel"
INVENTED = ("Vzorov", "Primerenko", "Muster", "Dwoje", "Nikto", "Nobody")
CHANNELS: tuple[Channel, ...] = ("phone", "telegram", "whatsapp")


class Caller:
    """A man with a few phones, the case that his last call came to, and his codes."""

    def __init__(self, name: str, operators: Operators, chance: random.Random) -> None:
        self.name = name
        self.operators = operators
        self.town: Town = operators.town
        self.chance = chance
        self.case_id = ""
        self.code: str | None = None
        self.duress: str | None = None

    def call(self, code: str | None = None, address: str | None = None) -> None:
        """He calls; from now on he speaks about the case that the call came to."""
        channel = self.chance.choice(CHANNELS)
        self.case_id = self.town.call(address or f"{self.name}-1", code, channel=channel).case_id
        self.town.settle()

    def says_who_he_is(self, surname: str) -> None:
        identity = {"surname": surname, "service_number": "AB-000123"}
        self.operators.tries(i.ProvidePersonalData, self.case_id, identity=identity)

    def wants_a_code(self) -> None:
        given = self.operators.give_code(self.case_id)
        if given is not None:
            self.code, self.duress = given.return_code, given.duress_code

    def says_he_has_arrived(self) -> None:
        self.operators.tries(h.RecordArrival, self.case_id, place=PLACE)


def genuine(operators: Operators, chance: random.Random) -> bool:
    man = Caller(f"man-{chance.random()}", operators, chance)
    man.call()
    man.says_who_he_is(REAL)
    man.wants_a_code()
    man.says_he_has_arrived()
    for _ in range(12):
        man.call(man.code)
        operators.work_on(man.case_id)
        if "RendezvousDisclosed" in man.town.types(man.case_id):
            return True
    return False


class Infiltrator(Caller):
    """Says and calls what his seed makes him; `stolen`: he has a real man's papers."""

    def __init__(
        self,
        name: str,
        operators: Operators,
        chance: random.Random,
        others: list[str],
        *,
        stolen: bool,
    ) -> None:
        super().__init__(name, operators, chance)
        self.names = (*INVENTED, *(REAL,) * len(INVENTED)) if stolen else INVENTED
        self.others = others
        """Case numbers that he heard of: other infiltrators', and a genuine man's."""
        self._tricks: tuple[tuple[int, Callable[[], None]], ...] = (
            (6, self.calls_somehow),
            (4, self.claims_to_be_somebody),
            (3, self.wants_a_code),
            (4, self.says_he_has_arrived),
            (2, self.says_it_is_urgent),
            (2, self.says_he_may_be_called),
            (2, self.claims_to_lead),
            (2, self.brings_others),
            (1, self.leaves_somebody_behind),
            (1, self.waits),
            (1, self.is_forced),
            (1, self.outlasts_who_answers_for_him),
            (1, self.has_it_erased),
            (1, self.hangs_up_for_good),
            (1, self.is_captured),
        )

    def plays(self, actions: int) -> None:
        """Plays his policy; after each thing the operators do what they can.

        Most begin as a genuine man does: who doesn't is told nothing for the simplest of reasons.
        """
        self.call()
        for step in (self.claims_to_be_somebody, self.wants_a_code, self.says_he_has_arrived):
            if self.chance.random() < 0.7:
                step()
        for _ in range(actions):
            weights = [weight for weight, _ in self._tricks]
            ((_, trick),) = self.chance.choices(self._tricks, weights)
            trick()
            self.operators.work_on(self.case_id)
        self.others.append(self.case_id)

    def calls_somehow(self) -> None:
        guessed = f"{self.chance.randrange(10**10):010d}"
        code = self.chance.choice((None, self.code, self.code, self.duress, guessed, "000"))
        address = self.chance.choice((f"{self.name}-1", f"{self.name}-2", "spoofed-1", "anonymous"))
        self.call(code, address)

    def claims_to_be_somebody(self) -> None:
        self.says_who_he_is(self.chance.choice(self.names))

    def says_it_is_urgent(self) -> None:
        judged = {"intent": "surrender", "situation": "serving", "urgency": "life_now"}
        self._asks(i.TriageCall, call_id=f"call-{self.town.calls}", **judged)

    def says_he_may_be_called(self) -> None:
        window = {"from_time": "00:00", "to_time": "23:59", "zone": "UTC"}
        rule = self.chance.choice(("yes", "never", "window"))
        self._asks(i.SetContactRule, rule=rule, windows=[window] if rule == "window" else [])
        self._asks(i.SendMessage, channel="phone", text="where are you?")

    def claims_to_lead(self) -> None:
        self._asks(i.DeclareSurrender, party="group", declared_size=10)
        self._asks(i.FormGroup, declared_size=10)

    def brings_others(self) -> None:
        """He says that others travel with him, or that he travels with another's group."""
        other = self.chance.choice(self.others)
        self._asks(i.JoinGroup, member_case=other)
        self.operators.tries(i.JoinGroup, other, member_case=self.case_id)

    def leaves_somebody_behind(self) -> None:
        left = self.chance.choice(self.others)
        self._asks(i.LeaveGroup, member_case=left, reason="separated")

    def waits(self) -> None:
        self.town.pass_time(timedelta(minutes=self.chance.choice((6, 90, 60 * 26))))
        self.town.settle()

    def is_forced(self) -> None:
        self.call(self.duress)

    def outlasts_who_answers_for_him(self) -> None:
        """Two people set a guard aside; he says another thing, and calls when that is over."""
        self.operators.override(self.case_id)
        self.operators.work_on(self.case_id)
        self.claims_to_be_somebody()
        self.town.pass_time(timedelta(minutes=90))
        self.call(self.code)

    def has_it_erased(self) -> None:
        self._asks(i.ErasePersonalData, legal_basis="request_of_person", reference="letter")

    def hangs_up_for_good(self) -> None:
        self._asks(i.CloseCase, reason="withdrew")
        self.call()

    def is_captured(self) -> None:
        identity = {"surname": REAL, "service_number": "AB-000123"}
        self._asks(i.ProvidePersonalData, identity=identity, provenance="after_capture")

    def _asks(self, kind: Any, **fields: Any) -> None:
        self.operators.tries(kind, self.case_id, **fields)


def town_of_infiltrators(
    seed: int,
    policies: int,
    *,
    may_override: bool,
    stolen: bool,
    begun: Town | None = None,
) -> Town:
    """Plays so many policies in one town, in which a genuine man waits too."""
    chance = random.Random(seed)
    town = begun or Town(REGISTRY)
    operators = Operators(town, chance)
    operators.may_override = may_override
    genuine(operators, chance)
    others = [town.log[0].subject]
    town.call("spoofed-1")
    town.settle()
    for number in range(policies):
        man = Infiltrator(f"inf-{seed}-{number}", operators, chance, others, stolen=stolen)
        man.plays(chance.randrange(2, 7))
    return town


def seeds(count: int) -> Iterator[int]:
    yield from range(count)
