"""The reader's rules where a later event takes an earlier one back, a message tells of a place, or
the members of a group have logs of their own.
"""

from collections.abc import Sequence

import pytest

from passage.integrity.verify.rules.trail import Trail, Who
from shared.events import groups, handover, outbound
from shared.events.base import Event
from tests.passage import test_rules as rules
from tests.passage.test_transitions import (
    ACCEPTED,
    APPROVED,
    ARRIVED,
    DISCLOSED,
    GIVEN,
    GUIDED,
    KNOWN,
    MATCH,
    NOON,
    OFFERED,
    PLANNED,
    RECEIPT,
    SEALED,
    VERIFIED,
    broken,
)

UNAVAILABLE = MATCH.model_copy(update={"outcome": "unavailable"})
NONE = MATCH.model_copy(update={"outcome": "none"})
APPROVED_ANEW = APPROVED.model_copy(update={"rendezvous_id": "r-2", "by": "amber"})
TOLD_ANEW = DISCLOSED.model_copy(update={"rendezvous_id": "r-2"})
REPLACED = [rules.REPLANNED, APPROVED_ANEW, TOLD_ANEW]
LETTER = rules.queued().model_copy(update={"rendezvous_id": "r-1"})
OTHER = LETTER.model_copy(update={"message_id": "m-2"})
TOLD = handover.RendezvousDisclosed(rendezvous_id="r-1", to_whom=SEALED, message_id="m-1")
TOLD_BY_OTHER = TOLD.model_copy(update={"message_id": "m-2"})
STEP = handover.GuidanceGiven(step=SEALED, message_id="m-2")
BLOCKED = outbound.MessageFailed(message_id="m-1", reason="blocked")
TOO_LATE = outbound.MessageRefused(message_id="m-1", reason="too_late")
UNTOLD = handover.DisclosureWithdrawn(rendezvous_id="r-1", message_id="m-1", reason="failed")
PERHAPS = UNTOLD.model_copy(update={"reason": "no_report"})
READY: list[Event] = [*KNOWN, PLANNED, APPROVED, rules.YES]
BY_MESSAGE = [*READY, LETTER, TOLD, *rules.SENT]


@pytest.mark.parametrize(
    "lawful",
    [
        [*GUIDED, OFFERED, ACCEPTED, *REPLACED, OFFERED, ACCEPTED, RECEIPT],
        [GIVEN, MATCH, UNAVAILABLE, ARRIVED, PLANNED],
        [GIVEN, MATCH, UNAVAILABLE, VERIFIED],
        [*BY_MESSAGE, rules.OUT, OFFERED],
        [*BY_MESSAGE, rules.OUT, OTHER, STEP],
        [*BY_MESSAGE, BLOCKED, UNTOLD, OTHER, TOLD_BY_OTHER],
        [*BY_MESSAGE, BLOCKED, UNTOLD, DISCLOSED, OFFERED],
        [*BY_MESSAGE, rules.GIVEN_UP, PERHAPS, rules.OUT, OFFERED],
        [*BY_MESSAGE, rules.GIVEN_UP, PERHAPS, BLOCKED, rules.REPLANNED],
        [*READY, LETTER, TOO_LATE],
        [*BY_MESSAGE, OFFERED, ACCEPTED, RECEIPT, rules.GIVEN_UP, PERHAPS],
    ],
)
def test_what_the_guards_allow_breaks_no_rule(lawful: Sequence[Event]) -> None:
    assert broken(lawful) == []


@pytest.mark.parametrize(
    ("unlawful", "rule"),
    [
        ([*GUIDED, OFFERED, ACCEPTED, *REPLACED, RECEIPT], "had not accepted"),
        ([*GUIDED, OFFERED, *REPLACED, ACCEPTED], "not open for this team"),
        ([*KNOWN[:2], MATCH, NONE, VERIFIED], "doesn't know him as stated"),
        ([*READY[:-1], LETTER, TOLD], "contact rule did not allow"),
        ([*READY, LETTER, rules.NEVER, TOLD], "disclosed by a message that the contact rule"),
        ([*READY, TOLD], "that this case doesn't have"),
        ([*READY, rules.queued(), TOLD], "doesn't tell of the rendezvous"),
        ([*READY, LETTER, TOO_LATE, TOLD], "had gone, failed or was too late"),
        ([*BY_MESSAGE, BLOCKED, UNTOLD, TOLD], "had gone, failed or was too late"),
        ([*READY, LETTER, *rules.SENT], "before its disclosure was recorded"),
        ([*BY_MESSAGE, rules.OUT, UNTOLD], "a message that had not failed"),
        ([*BY_MESSAGE, UNTOLD], "a message that had not failed"),
        ([*READY, LETTER, UNTOLD], "that was not made by that message"),
        ([*BY_MESSAGE, BLOCKED, UNTOLD, OFFERED], "before a rendezvous was disclosed"),
        ([*BY_MESSAGE, rules.GIVEN_UP, PERHAPS, PLANNED], "while one was disclosed"),
        ([*BY_MESSAGE, BLOCKED, UNTOLD, OTHER, STEP], "guided to no place"),
    ],
)
def test_what_no_guard_would_allow_is_found(unlawful: Sequence[Event], rule: str) -> None:
    assert any(rule in one for one in broken(unlawful))


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
        (Trail(who=Who(verified=True, level="hostile", level_until=NOON - rules.HOUR)), ""),
        (Trail(), "was not cleared"),
        (
            Trail(who=Who(verified=True, level="hostile", level_until=NOON + rules.HOUR)),
            "not cleared",
        ),
        (Trail(who=Who(verified=True), duress=True), "forcing one of his group"),
    ],
)
def test_a_group_s_members_are_read_in_their_own_logs(member: Trail, rule: str) -> None:
    group = [rules.FORMED, rules.JOINED, *KNOWN, PLANNED]
    left = groups.GroupLeft(group_id="CASE", member_case="OTHER", reason="not_cleared")
    found = broken([*group, APPROVED], others={"OTHER": member})
    assert found == [] if not rule else any(rule in one for one in found)
    assert broken([*group, left, APPROVED], others={"OTHER": member}) == []
    assert broken([*group, APPROVED]) == []


@pytest.mark.parametrize(("answer", "done"), [([], "offered"), ([ACCEPTED], "accepted")])
def test_no_team_is_sent_to_a_group_of_which_one_may_be_forced(
    answer: list[Event], done: str
) -> None:
    group = [rules.FORMED, rules.JOINED, *GUIDED, OFFERED, *answer]
    found = broken(group, others={"OTHER": Trail(who=Who(verified=True), duress=True)})
    assert f"{done} while somebody might be forcing one of his group" in "\n".join(found)
    assert broken(group, others={"OTHER": Trail(who=Who(verified=True))}) == []


def test_a_member_who_is_in_no_log_was_not_cleared() -> None:
    group = [rules.FORMED, rules.JOINED, *KNOWN, PLANNED]
    (rule,) = broken([*group, APPROVED], others={})
    assert "was not cleared" in rule
    assert broken([*group, rules.overridden("group_cleared"), APPROVED], others={}) == []
