"""What `passage verify` finds in the logs of people and proposed decisions."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from passage.integrity.verify.rules.trail import Trail
from passage.integrity.verify.transitions import broken_rules
from shared.events import people
from shared.events.base import Event
from tests.examples import NOON, CaseBook, digest
from tests.rarer_examples import of_decisions, of_people, signature

PERSON, DECISION = "PERSON-olena", "DECISION-1"
ADDED, _, OFFERED, KEY = of_people()[:4]
PROPOSED, AGREED, WITHDRAWN, EXPIRED, CARRIED_OUT, NOT_CARRIED_OUT, WORDS_ERASED = of_decisions()
OTHER_LINK = OFFERED.model_copy(update={"token_hash": digest("the other link")})
OTHER_KEY = KEY.model_copy(update={"key_id": "b3RoZXI", "token_hash": digest("the other link")})
LINK_OVER = people.EnrolmentExpired(token_hash=digest("the link"))
SET, USED = of_people()[4:6]
OLD_LINK = people.EnrolmentOffered(
    token_hash=digest("the link"), expires_at=NOON - timedelta(hours=1), by="petro"
)


def broken(log_id: str, events: Sequence[Event]) -> list[str]:
    trail = Trail()
    return [
        rule for event in CaseBook(log_id).add_all(events) for rule in broken_rules(trail, event)
    ]


@pytest.mark.parametrize(
    ("log_id", "events"),
    [
        (PERSON, of_people()),
        (PERSON, [ADDED, OFFERED, LINK_OVER, SET, USED, SET, USED]),
        (PERSON, [ADDED, OFFERED, KEY, OTHER_LINK, OTHER_KEY]),
        (DECISION, [PROPOSED, AGREED]),
        (DECISION, [PROPOSED, WITHDRAWN]),
        (DECISION, [PROPOSED, EXPIRED, WORDS_ERASED]),
        (DECISION, [PROPOSED, AGREED, CARRIED_OUT, WORDS_ERASED]),
        (DECISION, [PROPOSED, AGREED, NOT_CARRIED_OUT, WITHDRAWN]),
    ],
)
def test_what_desk_records_breaks_no_rule(log_id: str, events: Sequence[Event]) -> None:
    assert broken(log_id, events) == []


@pytest.mark.parametrize(
    ("log_id", "events", "rule"),
    [
        (PERSON, [ADDED, ADDED], "added twice"),
        (PERSON, [ADDED, people.RoleGranted(role="supervisor", by="olena")], "about themself"),
        (PERSON, [ADDED, people.PersonResumed(by="olena")], "about themself"),
        (PERSON, [ADDED, people.SignaturesSeen(through=1, by="petro")], "for somebody else"),
        (PERSON, [OFFERED.model_copy(update={"by": "olena"})], "offered themself"),
        (PERSON, [OFFERED, OFFERED], "offered twice"),
        (PERSON, [ADDED, KEY], "by a link that was not offered"),
        (PERSON, [OFFERED, KEY, KEY], "by a link that was not offered"),
        (PERSON, [OFFERED, LINK_OVER, KEY], "by a link that was not offered"),
        (PERSON, [OFFERED, OTHER_LINK, KEY, OTHER_KEY], "by a link that was not offered"),
        (PERSON, [OLD_LINK, KEY], "by a link that was over"),
        (PERSON, [SET, USED, USED], "accepted twice"),
        (DECISION, [PROPOSED, PROPOSED], "proposed twice"),
        (DECISION, [AGREED], "does not wait"),
        (DECISION, [PROPOSED, AGREED, AGREED], "does not wait"),
        (DECISION, [PROPOSED, WITHDRAWN, AGREED], "does not wait"),
        (DECISION, [PROPOSED, AGREED, EXPIRED], "does not wait"),
        (DECISION, [PROPOSED, AGREED, CARRIED_OUT, CARRIED_OUT], "carried out twice"),
        (DECISION, [PROPOSED, CARRIED_OUT], "nobody agreed to"),
        (DECISION, [PROPOSED, AGREED, NOT_CARRIED_OUT, EXPIRED], "does not wait"),
        (PERSON, [ADDED, WORDS_ERASED], "neither a shift's nor a decision's"),
        (DECISION, [PROPOSED, people.DecisionAgreed(signature=signature("olena"))], "whoever"),
        (
            DECISION,
            [PROPOSED.model_copy(update={"expires_at": NOON - timedelta(hours=1)}), AGREED],
            "too late",
        ),
    ],
)
def test_what_desk_would_refuse_is_found(log_id: str, events: Sequence[Event], rule: str) -> None:
    assert [one for one in broken(log_id, events) if rule in one]
