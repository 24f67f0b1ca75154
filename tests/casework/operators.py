"""Honest but busy operators: they carry out whatever is asked, as far as the guards let them.

They never find that a wrong man is the right one by two sources; everything else they try, by
whoever is free, in any order, again and again.
"""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from shared.commands import handover as h
from shared.commands import intake as i
from shared.commands import verification as v
from shared.commands.base import Recorded
from shared.commands.intake import ConfirmCaller
from tests.casework.town import HOUR, PEOPLE, PETRO, PLACE, TEAMS, Desk, Town

CREDIBILITY = ("credible", "credible", "unclear", "doubtful", "hostile")
OVERRIDES = ("identity_verified", "credibility_allows", "group_cleared", "no_hold")


class Operators:
    def __init__(self, town: Town, chance: random.Random) -> None:
        self.town = town
        self.desk = Desk(town)
        self.chance = chance
        self.may_override = True
        self._routine: tuple[tuple[str, str, Callable[[str], None]], ...] = (
            ("PersonalDataProvided", "IdentityVerified", self.verify),
            ("CallLinked", "CallerConfirmed", self.confirm),
            ("ArrivedInUkraine", "RendezvousPlanned", self.plan),
            ("RendezvousPlanned", "RendezvousApproved", self.approve),
            ("RendezvousApproved", "RendezvousDisclosed", self.disclose),
            ("RendezvousDisclosed", "HandedOver", self.guide),
        )
        """What is done after which event and leads to which; at other times it is tried seldom."""
        self._rarely: tuple[Callable[[str], None], ...] = (
            self.claim,
            self.claim,
            self.take_over,
            self.check,
            self.assess,
            self.replan,
            self.override,
            self.clear_duress,
            self.review,
            self.offer,
            self.contradict,
        )

    def tries(self, kind: Any, case_id: str, by: str | None = None, **fields: Any) -> Any:
        answer = self.desk.tries(kind, case_id, by or self.somebody(), **fields)
        self.town.settle()
        return answer

    def somebody(self) -> str:
        return self.chance.choice(PEOPLE)

    def work_on(self, case_id: str) -> None:
        """Does the next things that might be done on a case."""
        for before, done, step in self._routine:
            newest = next(
                (one for one in reversed(self.town.types(case_id)) if one in {before, done}), done
            )
            if self.chance.random() < (0.6 if newest == before else 0.1):
                step(case_id)
        if self.chance.random() < 0.4:
            self.chance.choice(self._rarely)(case_id)

    def claim(self, case_id: str) -> None:
        self.tries(i.ClaimCase, case_id)

    def take_over(self, case_id: str) -> None:
        self.tries(i.TakeOverCase, case_id, reason="she is on another line")

    def verify(self, case_id: str) -> None:
        past_it = {"second_by": PETRO, "reason": "an invented reason"}
        by_two = past_it if self.may_override and self.chance.random() < 0.2 else {}
        self.tries(v.VerifyIdentity, case_id, basis="registry_and_operator", **by_two)

    def check(self, case_id: str) -> None:
        self.tries(v.CheckRegistry, case_id)

    def assess(self, case_id: str) -> None:
        level, until = self.chance.choice(CREDIBILITY), self.town.now + 5 * HOUR
        self.tries(v.AssessCredibility, case_id, level=level, indicators="x", expires_at=until)

    def confirm(self, case_id: str) -> None:
        calls = self.calls(case_id)
        if calls:
            call = {"call_id": calls[-1].call_id, "channel": calls[-1].channel}
            self.tries(ConfirmCaller, case_id, second_fact="personal_data", **call)

    def plan(self, case_id: str) -> None:
        team = self.chance.choice(TEAMS)
        self.tries(h.PlanRendezvous, case_id, place=PLACE, team=team, **self.desk.window())

    def replan(self, case_id: str) -> None:
        fields = {"replaces": self.meeting(case_id), "reason": "fog", **self.desk.window()}
        self.tries(h.ReplanRendezvous, case_id, place=PLACE, team="Heron", **fields)

    def approve(self, case_id: str) -> None:
        self.tries(h.ApproveRendezvous, case_id, rendezvous_id=self.meeting(case_id))

    def disclose(self, case_id: str) -> None:
        fields = {"rendezvous_id": self.meeting(case_id), "to_whom": "him", **self.told(case_id)}
        self.tries(h.DiscloseRendezvous, case_id, **fields)

    def guide(self, case_id: str) -> None:
        self.tries(h.GiveGuidance, case_id, step=PLACE, **self.told(case_id))

    def offer(self, case_id: str) -> None:
        team, until = self.chance.choice(TEAMS), self.town.now + HOUR
        self.tries(h.OfferHandover, case_id, team=team, deadline_at=until)
        self.tries(h.AcceptHandover, case_id, offer_id=f"cmd-{self.desk.asked}", team=team)

    def override(self, case_id: str) -> None:
        if not self.may_override:
            return
        until = self.town.now + timedelta(hours=self.chance.choice((1, 24, 30)))
        fields: dict[str, Any] = {
            "guard": self.chance.choice(OVERRIDES),
            "reason": "wounded",
            "expires_at": until,
        }
        self.tries(h.UseEmergencyOverride, case_id, second_by=self.somebody(), **fields)

    def clear_duress(self, case_id: str) -> None:
        self.tries(i.ClearDuress, case_id, reason="he is alone")

    def review(self, case_id: str) -> None:
        if self.chance.random() < 0.5:
            self.tries(v.OpenReview, case_id, remark="another voice")
        else:
            self.tries(v.ResolveReview, case_id, outcome="decision_stands", remark="it is he")

    def contradict(self, case_id: str) -> None:
        self.tries(v.ContradictIdentity, case_id, fields=["rank"], reason="knows no ranks")

    def meeting(self, case_id: str) -> str:
        """The rendezvous planned last, or one that there isn't."""
        rendezvous = self.town.state("handover", case_id).meeting.rendezvous
        return rendezvous.rendezvous_id if rendezvous is not None else "meet-none"

    def told(self, case_id: str) -> dict[str, str]:
        """The call or message in which he might be told: his last, if there is one."""
        if self.chance.random() < 0.2:
            return self.told_by_message(case_id)
        calls = self.calls(case_id)
        return {"call_id": calls[-1].call_id} if calls else {}

    def calls(self, case_id: str) -> list[Any]:
        return [
            link.event.data
            for link in self.town.store.cases.get(case_id, [])
            if link.event.type_name in {"CaseOpened", "CallLinked"}
        ]

    def told_by_message(self, case_id: str) -> dict[str, str]:
        """A message of the place, or one that there isn't."""
        fields: dict[str, Any] = {"channel": "phone", "text": "the mill", "again": True}
        answer = self.tries(i.SendMessage, case_id, rendezvous_id=self.meeting(case_id), **fields)
        is_queued = isinstance(answer, Recorded)
        return {"message_id": answer.message_id if is_queued else f"message-{self.desk.asked}"}

    def give_code(self, case_id: str) -> Recorded | None:
        answer = self.tries(i.IssueReturnCode, case_id)
        return answer if isinstance(answer, Recorded) else None
