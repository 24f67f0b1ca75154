"""Who may ask the nats-servers what they can't write any more, and what they answer."""

from __future__ import annotations

import json

import pytest
from nats.errors import Error as NatsError

from shared.policy import policy
from shared.stores import QUESTION, read_report
from shared.subjects import KEEPER, SERVERS_HEALTH
from tests.identities.conftest import Ground

pytestmark = pytest.mark.wire

MAY = [KEEPER, "query"]


@pytest.mark.parametrize("identity", MAY)
async def test_a_server_whose_streams_are_written_reports_nothing(
    ground: Ground, identity: str
) -> None:
    async with ground.guest(identity) as guest:
        answer = await guest.client.request(SERVERS_HEALTH, QUESTION, timeout=60)
    assert json.loads(answer.data)["data"]["status"] == "ok"
    assert read_report(answer.data) == []


def test_the_policy_gives_it_to_no_other_service() -> None:
    assert [name for name, rights in policy().services.items() if rights.stores] == MAY[1:]


@pytest.mark.parametrize("identity", ["intake", "channel-phone"])
async def test_who_needs_no_report_gets_none(ground: Ground, identity: str) -> None:
    async with ground.guest(identity) as guest:
        with pytest.raises(NatsError):
            await guest.client.request(SERVERS_HEALTH, QUESTION, timeout=1)
        assert any("servers.health" in one for one in guest.refused)
