"""What `passage health` makes of a service's answer."""

from __future__ import annotations

import pytest

from passage.runner.health import read_health, state_of


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (b'{"ready":true,"reason":""}', "ready"),
        (b'{"ready":false}', "not ready"),
        (b'{"ready":false,"reason":"it signs no more"}', "not ready: it signs no more"),
        (b'{"ready":false,"missing":["one","two"],"read":3,"of":9}', "not ready: one; two"),
        (b'{"ready":false,"read":null}', "no answer"),
        (b"[]", "no answer"),
        (b"?", "no answer"),
    ],
)
def test_a_service_that_answers_is_not_told_as_one_that_does_not(answer: bytes, state: str) -> None:
    assert state_of(read_health(answer)) == state
