"""Who works on a case: given events, when somebody claims, then these events or this guard."""

from datetime import datetime, timedelta
from functools import reduce

import pytest

from services.intake.claims import decide_claim, decide_lease_over, decide_release, decide_take_over
from shared.commands.intake import ClaimCase, ReleaseCase, TakeOverCase
from shared.events.base import Event
from shared.events.claims import CaseClaimed, CaseReleased, ReleaseReason
from shared.events.fields import Plain
from shared.log.fencing import Fencing
from tests.contexts import OLENA, PETRO, ask, refused_by
from tests.examples import NOON, case_opened
from tests.intake.receiving import CONTINUED, given, ruled

RULES = ruled()
AT = NOON + timedelta(minutes=1)
LATER = AT + timedelta(minutes=5)
TAKE_OVER = ask(TakeOverCase, PETRO, reason="she doesn't answer")


def claimed(by: str = OLENA, fence: int = 1, at: datetime = AT) -> CaseClaimed:
    return CaseClaimed(operator=by, lease_until=at + RULES.lease, fence=fence, basis="free")


def released(reason: ReleaseReason = "done") -> CaseReleased:
    return CaseReleased(operator=OLENA, fence=1, reason=reason)


HELD = given(case_opened(), claimed())


def test_a_free_case_is_claimed_for_the_lease() -> None:
    events = decide_claim(given(case_opened()), ask(ClaimCase), AT, RULES)
    assert events == [claimed()]


def test_an_own_claim_that_runs_is_renewed_and_keeps_its_fence() -> None:
    (event,) = decide_claim(HELD, ask(ClaimCase, "olena example"), AT + RULES.lease / 2, RULES)
    assert isinstance(event, CaseClaimed)
    assert (event.fence, event.basis) == (1, "renewal")
    assert event.lease_until == AT + RULES.lease * 1.5


def test_anothers_claim_that_runs_wins() -> None:
    refused_by("unclaimed", decide_claim, HELD, ask(ClaimCase, PETRO), AT, RULES)


def test_after_its_end_whoever_claims_gets_the_next_fence() -> None:
    for by in (OLENA, PETRO):
        (event,) = decide_claim(HELD, ask(ClaimCase, by), LATER, RULES)
        assert event == claimed(by, 2, LATER).model_copy(update={"basis": "free"})
    free = given(case_opened(), claimed(), released())
    assert decide_claim(free, ask(ClaimCase, PETRO), AT, RULES) == [claimed(PETRO, 2)]


def test_nobody_claims_what_is_not_there_or_was_continued() -> None:
    refused_by("case_known", decide_claim, given(), ask(ClaimCase), AT, RULES)
    refused_by("case_known", decide_take_over, given(), TAKE_OVER, AT, RULES)
    refused_by("latest_episode", decide_claim, given(*CONTINUED), ask(ClaimCase), AT, RULES)
    refused_by("latest_episode", decide_take_over, given(*CONTINUED), TAKE_OVER, AT, RULES)


def test_another_person_takes_over_whether_or_not_the_lease_runs() -> None:
    for state in (HELD, given(case_opened(), claimed(), released("expired"))):
        (event,) = decide_take_over(state, TAKE_OVER, LATER, RULES)
        assert isinstance(event, CaseClaimed)
        assert (event.operator, event.fence, event.basis) == (PETRO, 2, "takeover")
        assert event.reason == Plain("she doesn't answer")


def test_nobody_takes_over_from_himself_or_from_nobody() -> None:
    own = ask(TakeOverCase, reason="mine")
    refused_by("held_by_another", decide_take_over, HELD, own, AT, RULES)
    for free in (given(case_opened()), given(case_opened(), claimed(), released())):
        refused_by("held_by_another", decide_take_over, free, TAKE_OVER, AT, RULES)


def test_who_holds_it_lets_it_go_and_says_why_he_skips_it() -> None:
    assert decide_release(HELD, ask(ReleaseCase)) == [released()]
    refused_by("remark_given", decide_release, HELD, ask(ReleaseCase, reason="skipped"))
    (event,) = decide_release(HELD, ask(ReleaseCase, reason="skipped", remark="no line"))
    assert event == CaseReleased(operator=OLENA, fence=1, reason="skipped", remark=Plain("no line"))


def test_nobody_lets_go_what_another_holds_and_what_is_free_stays_so() -> None:
    refused_by("held_by_you", decide_release, HELD, ask(ReleaseCase, PETRO))
    refused_by("case_known", decide_release, given(), ask(ReleaseCase))
    assert decide_release(given(case_opened(), claimed(), released()), ask(ReleaseCase)) == []


def test_after_the_lease_has_ended_there_is_nothing_left_to_let_go() -> None:
    ended = given(case_opened(), claimed(), released("expired"))
    assert decide_release(ended, ask(ReleaseCase)) == []
    assert decide_release(ended, ask(ReleaseCase, PETRO)) == []


RELEASES: list[tuple[Event, ...]] = [
    (),
    (released("expired"),),
    (released("done"),),
    (released("expired"), claimed(PETRO, 2)),
    (released("expired"), claimed(PETRO, 2), released("expired")),
    (claimed(PETRO, 2), released("done")),
]


@pytest.mark.parametrize("after", RELEASES)
def test_every_service_knows_the_same_holder_and_fence_as_intake(after: tuple[Event, ...]) -> None:
    events = (claimed(), *after)
    claim = given(case_opened(), *events).claim
    fencing = reduce(Fencing.after, events, Fencing())
    assert (fencing.fence, fencing.holder) == (claim.fence, claim.holder)


def test_a_lease_that_is_over_is_released_once() -> None:
    assert decide_lease_over(HELD) == [released("expired")]
    assert decide_lease_over(given(case_opened(), claimed(), released("expired"))) == []
    assert decide_lease_over(given(case_opened(), claimed(), released())) == []
