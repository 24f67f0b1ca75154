"""The public keys of cases that a service has in memory."""

from __future__ import annotations

import asyncio
import json

import pytest
from nats.aio.msg import Msg

from shared import subjects
from tests.examples import CASE, OTHER_CASE
from tests.waiting import WITHIN_S
from tests.wire.conftest import Site


async def test_the_keys_of_the_case_first_kept_are_asked_for_again(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.keys.client.CASES_KEPT", 1)
    asked: asyncio.Queue[Msg] = asyncio.Queue()
    await site.client.subscribe(subjects.keyholder("seal", "intake"), cb=asked.put)
    await site.client.flush()
    keys, order = site.keys_of("intake"), (CASE, CASE, OTHER_CASE, CASE, CASE)
    made = [await asyncio.to_thread(keys.for_sealing, case_id, 1, "") for case_id in order]
    await asyncio.to_thread(keys.for_sealing, OTHER_CASE, 1, "")  # The last that is heard of.
    heard = [await asyncio.wait_for(asked.get(), WITHIN_S) for _ in range(4)]
    assert [json.loads(one.data)["case_id"] for one in heard] == [CASE, OTHER_CASE] * 2
    ids = [{name: one.key_id for name, one in keys.items()} for keys in made]
    assert ids[0] == ids[1] == ids[3] == ids[4]
