"""Groups: given events, when somebody forms, joins, leaves or counts, then this or that guard."""

from services.intake.groups import (
    decide_count,
    decide_form,
    decide_join,
    decide_leave,
    decide_told_of_group,
)
from services.intake.others_state import Told
from services.intake.state import IntakeState
from shared.commands.intake import CountHeads, FormGroup, JoinGroup, LeaveGroup
from shared.events.groups import GroupFormed, GroupJoined, GroupLeft, HeadsCounted
from tests.contexts import ask, refused_by
from tests.examples import CASE, OTHER_CASE, case_opened, handed_over
from tests.intake.receiving import CONTINUED, EXCHANGED, JOINED, LEADING, given

FORM = ask(FormGroup, declared_size=10)
JOIN = ask(JoinGroup, member_case=OTHER_CASE)
LEAVE = ask(LeaveGroup, member_case=OTHER_CASE, reason="separated")
COUNT = ask(CountHeads, kind="observed", count=12, source="team Heron")
LEFT = GroupLeft(group_id=CASE, member_case=OTHER_CASE, reason="separated")
ELSEWHERE = GroupJoined(group_id="ANOTHER00000", member_case=OTHER_CASE)


def member(*more: GroupJoined | GroupFormed | GroupLeft) -> IntakeState:
    return given(case_opened(), *more, case_id=OTHER_CASE)


def test_a_group_has_the_number_of_the_case_that_leads_it_and_is_formed_once() -> None:
    assert decide_form(given(case_opened()), FORM) == [GroupFormed(group_id=CASE, declared_size=10)]
    assert decide_form(given(*LEADING), FORM) == []


def test_who_travels_with_another_group_leads_none() -> None:
    travels = given(case_opened(), GroupJoined(group_id=OTHER_CASE, member_case=CASE))
    refused_by("in_no_other_group", decide_form, travels, FORM)


def test_another_case_is_put_on_the_roll_once() -> None:
    assert decide_join(given(*LEADING), JOIN, member()) == [JOINED]
    assert decide_join(given(*LEADING, JOINED), JOIN, member()) == []
    assert decide_join(given(*LEADING, JOINED, LEFT), JOIN, member(JOINED, LEFT)) == [JOINED]


def test_only_a_group_that_was_formed_is_joined_and_not_by_its_lead() -> None:
    refused_by("group_formed", decide_join, given(case_opened()), JOIN, member())
    own = ask(JoinGroup, member_case=CASE)
    refused_by("member_is_another", decide_join, given(*LEADING), own, given(*LEADING))


def test_only_a_man_who_is_still_on_his_way_joins() -> None:
    for other in (IntakeState(), given(case_opened(), handed_over()), given(*CONTINUED)):
        refused_by("member_known", decide_join, given(*LEADING), JOIN, other)
    refused_by("member_known", decide_join, given(*LEADING), JOIN, given(*EXCHANGED))


def test_he_travels_with_one_group_at_a_time() -> None:
    refused_by("in_no_other_group", decide_join, given(*LEADING), JOIN, member(ELSEWHERE))
    leads = member(GroupFormed(group_id=OTHER_CASE, declared_size=2))
    refused_by("in_no_other_group", decide_join, given(*LEADING), JOIN, leads)


def test_who_is_on_the_roll_leaves_it_once() -> None:
    assert decide_leave(given(*LEADING, JOINED), LEAVE) == [LEFT]
    assert decide_leave(given(*LEADING, JOINED, LEFT), LEAVE) == []
    refused_by("group_formed", decide_leave, given(case_opened()), LEAVE)
    after = given(*LEADING, JOINED, handed_over())
    assert decide_leave(after, LEAVE) == [LEFT]


def test_every_count_of_a_group_is_kept() -> None:
    counted = HeadsCounted(group_id=CASE, kind="observed", count=12, source="team Heron")
    assert decide_count(given(*LEADING), COUNT) == [counted]
    assert decide_count(given(*LEADING, counted), COUNT) == [counted]
    refused_by("group_formed", decide_count, given(case_opened()), COUNT)


def test_after_handover_the_roll_grows_no_more() -> None:
    over = given(*LEADING, handed_over())
    refused_by("not_handed_over", decide_form, over, FORM)
    refused_by("not_handed_over", decide_join, over, JOIN, member())
    refused_by("not_handed_over", decide_count, over, COUNT)


def test_nothing_is_recorded_of_a_group_on_a_case_that_is_not_there_or_was_continued() -> None:
    for guard, state in (("case_known", given()), ("latest_episode", given(*CONTINUED))):
        refused_by(guard, decide_form, state, FORM)
        refused_by(guard, decide_join, state, JOIN, member())
        refused_by(guard, decide_leave, state, LEAVE)
        refused_by(guard, decide_count, state, COUNT)


def test_the_members_log_is_told_in_order_and_nothing_twice() -> None:
    joined = Told("e1", "c1", OTHER_CASE, joined=True)
    left = Told("e2", "c2", OTHER_CASE, left="separated")
    assert decide_told_of_group(member(), joined, CASE, OTHER_CASE) == [JOINED]
    assert decide_told_of_group(member(JOINED), joined, CASE, OTHER_CASE) == []
    assert decide_told_of_group(member(JOINED), left, CASE, OTHER_CASE) == [LEFT]
    assert decide_told_of_group(member(), left, CASE, OTHER_CASE) == []
    # What his log says of his group counts.
    assert decide_told_of_group(member(ELSEWHERE), joined, CASE, OTHER_CASE) == []
    assert decide_told_of_group(member(ELSEWHERE), left, CASE, OTHER_CASE) == []
    assert decide_told_of_group(IntakeState(), joined, CASE, OTHER_CASE) == []


def test_who_leaves_may_go_with_another_group() -> None:
    state = member(JOINED, LEFT)
    assert state.group.member_of is None
    assert given(*LEADING, JOINED, LEFT).group.members == frozenset()
