"""The buckets of logging in: what is forgotten, and when, is the server's doing."""

import pytest
from nats.js.client import JetStreamContext

from passage.install import definitions
from passage.install.definitions import NANOSECONDS, streams
from passage.install.provisioning import provision
from shared.jetstream.raw_client import RawClient
from shared.people.sessions import CHALLENGE_MAX_S, SESSION_MAX_S
from tests.waiting import WITHIN_S


def _config(name: str) -> dict[str, object]:
    return next(one.config for one in streams(1) if one.name == name)


def test_sessions_and_challenges_are_forgotten_once_they_are_over() -> None:
    assert _config("KV_SESSIONS")["max_age"] == SESSION_MAX_S * NANOSECONDS
    assert _config("KV_CHALLENGES")["max_age"] == CHALLENGE_MAX_S * NANOSECONDS
    assert "max_age" not in _config("KV_LOGIN_COUNTERS")


async def test_of_too_many_challenges_the_oldest_is_forgotten(
    client: RawClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(definitions, "CHALLENGES_MAX", 3)
    await provision(client, replicas=1)
    jetstream: JetStreamContext = client.jetstream(timeout=WITHIN_S)
    for number in range(5):
        await jetstream.publish(f"$KV.CHALLENGES.{number}", b"given")
    info = await jetstream.stream_info("KV_CHALLENGES", subjects_filter=">")
    assert sorted(info.state.subjects or {}) == [f"$KV.CHALLENGES.{one}" for one in (2, 3, 4)]
