"""The policy file, which is enforced, and the catalogue of events agree on who records what."""

from __future__ import annotations

import pytest

from shared.events.catalogue import OWNER
from shared.policy import policy


@pytest.mark.parametrize("service", policy().services)
def test_a_service_may_record_its_own_events_and_no_others(service: str) -> None:
    own = {event.__name__ for event, owner in OWNER.items() if owner == service}
    assert {*policy().services[service].records} == own
