"""The reader's rules about groups, whose members have logs of their own."""

from __future__ import annotations

import pytest

from passage.integrity.verify.rules.trail import Trail, Who
from shared.events import groups
from shared.events.base import Event
from tests.passage.judged import (
    ACCEPTED,
    APPROVED,
    GUIDED,
    KNOWN,
    NOON,
    OFFERED,
    PLANNED,
    RECEIPT,
    broken,
)
from tests.passage.test_rules import FORMED, HOUR, JOINED, overridden


def test_a_group_s_receipt_names_every_member_that_is_handed_over_with_it() -> None:
    member = [groups.GroupJoined(group_id="LEAD", member_case="CASE")]
    with_group = RECEIPT.model_copy(update={"group_id": "LEAD"})
    assert broken([*member, with_group], receipts={("LEAD", "CASE")}) == []
    (rule,) = broken([*member, with_group], receipts=set())
    assert "does not name him" in rule
    assert broken([*member, with_group]) == []


@pytest.mark.parametrize(
    ("member", "rule"),
    [
        (Trail(who=Who(verified=True)), ""),
        (Trail(who=Who(verified=True, level="hostile", level_until=NOON - HOUR)), ""),
        (Trail(), "was not cleared"),
        (Trail(who=Who(verified=True, level="hostile", level_until=NOON + HOUR)), "not cleared"),
        (Trail(who=Who(verified=True), duress=True), "forcing one of his group"),
    ],
)
def test_a_group_s_members_are_read_in_their_own_logs(member: Trail, rule: str) -> None:
    group = [FORMED, JOINED, *KNOWN, PLANNED]
    left = groups.GroupLeft(group_id="CASE", member_case="OTHER", reason="not_cleared")
    found = broken([*group, APPROVED], others={"OTHER": member})
    assert found == [] if not rule else any(rule in one for one in found)
    assert broken([*group, left, APPROVED], others={"OTHER": member}) == []
    assert broken([*group, APPROVED]) == []


@pytest.mark.parametrize(("answer", "done"), [([], "offered"), ([ACCEPTED], "accepted")])
def test_no_team_is_sent_to_a_group_of_which_one_may_be_forced(
    answer: list[Event], done: str
) -> None:
    group = [FORMED, JOINED, *GUIDED, OFFERED, *answer]
    found = broken(group, others={"OTHER": Trail(who=Who(verified=True), duress=True)})
    assert f"{done} while somebody might be forcing one of his group" in "\n".join(found)
    assert broken(group, others={"OTHER": Trail(who=Who(verified=True))}) == []


def test_a_member_who_is_in_no_log_was_not_cleared() -> None:
    group = [FORMED, JOINED, *KNOWN, PLANNED]
    (rule,) = broken([*group, APPROVED], others={})
    assert "was not cleared" in rule
    assert broken([*group, overridden("group_cleared"), APPROVED], others={}) == []
