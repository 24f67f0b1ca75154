"""What `passage health` makes of a service's answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from passage.runner.health import (
    NO_ANSWER,
    READY,
    SEALED,
    read_health,
    state_by_note,
    state_of,
)


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


def test_a_key_holder_that_is_sealed_is_told_as_sealed(tmp_path: Path) -> None:
    note = tmp_path / "sealed"
    assert [state_by_note(NO_ANSWER, one) for one in (note, None)] == [NO_ANSWER, NO_ANSWER]
    note.touch()
    assert state_by_note(NO_ANSWER, note) == SEALED
    assert state_by_note(READY, note) == READY  # It is about to end, or the note to go.
