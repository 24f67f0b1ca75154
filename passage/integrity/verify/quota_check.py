"""Checks how full the streams are that others publish to, before anybody is refused."""

from typing import Any

from nats.aio.client import Client

from passage.install.definitions import OUTBOUND_OF_A_CHANNEL_MAX, PARKED_OF_A_CHANNEL_MAX, TIMED
from passage.install.provisioning import ApiRefusedError, ask
from passage.install.quotas import Quota
from passage.integrity.findings import Findings
from shared import subjects
from shared.policy import policy

CHECK = "quota"
FULL_FROM = 0.8
TIMERS_USUAL_MAX = 1_000_000
"""A few for each live case. Unbounded, since the server would discard old ones."""


async def check_quotas(client: Client, quota: Quota, findings: Findings) -> None:
    for channel in policy().channels.names:
        state = await _state(client, subjects.calls_stream(channel))
        for key, most in (("messages", quota.messages), ("bytes", quota.stream_bytes)):
            _look(findings, f"stream {subjects.calls_stream(channel)}", key, state, most)
    for stream, most in (
        (subjects.PARKED, PARKED_OF_A_CHANNEL_MAX),
        (subjects.OUTBOUND, OUTBOUND_OF_A_CHANNEL_MAX),
    ):
        subjects_of = (await _state(client, stream)).get("subjects") or {}
        for subject, count in sorted(subjects_of.items()):
            if count > 1:  # A channel's, not a single message's place.
                _look(findings, f"subject {subject}", "messages", {"messages": count}, most)
    for service in TIMED:
        stream = subjects.timers_stream(service)
        state = await _state(client, stream)
        _look(findings, f"stream {stream}", "messages", state, TIMERS_USUAL_MAX)


def _look(findings: Findings, where: str, key: str, state: dict[str, Any], most: int) -> None:
    found = state.get(key, 0)
    if found >= FULL_FROM * most:
        findings.add(CHECK, where, f"{found} {key} of at most {most}", "warning")


async def _state(client: Client, stream: str) -> dict[str, Any]:
    try:
        asked = {"subjects_filter": ">"} if stream in {subjects.PARKED, subjects.OUTBOUND} else None
        return dict((await ask(client, f"STREAM.INFO.{stream}", asked))["state"])
    except ApiRefusedError:  # It is missing, which `definitions` reports.
        return {}
