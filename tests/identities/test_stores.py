"""Who may ask the nats-servers what they can't write any more, and what they answer."""

from __future__ import annotations

import json

import pytest
from nats.errors import Error as NatsError

from shared.policy import policy
from shared.servers.stores import QUESTIONS, read_report
from shared.subjects import KEEPER, SERVERS_HEALTH
from tests.identities.conftest import Ground
from tests.waiting import WITHIN_S

MAY = [KEEPER, "query"]


@pytest.mark.parametrize("identity", MAY)
async def test_a_server_whose_streams_are_written_reports_nothing(
    ground: Ground, identity: str
) -> None:
    async with ground.guest(identity) as guest:
        answers = [
            await guest.client.request(subject, question, timeout=WITHIN_S)
            for subject, question in QUESTIONS.items()
        ]
    health, usage = (json.loads(one.data)["data"] for one in answers)
    assert health["status"] == "ok"
    assert 0 <= usage["storage"] < usage["config"]["max_storage"]
    assert [read_report(one.data) for one in answers] == [[], []]


def test_the_policy_gives_it_to_no_other_service() -> None:
    assert [name for name, rights in policy().services.items() if rights.stores] == MAY[1:]


@pytest.mark.parametrize("identity", ["intake", "channel-phone"])
async def test_who_needs_no_report_gets_none(ground: Ground, identity: str) -> None:
    async with ground.guest(identity) as guest:
        with pytest.raises(NatsError):
            await guest.client.request(SERVERS_HEALTH, b"", timeout=1)
        assert any("servers.health" in one for one in guest.refused)
