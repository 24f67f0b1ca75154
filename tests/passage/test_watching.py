"""A child that keeps ending is started again ever later, up to a bound; logs stay bounded."""

from __future__ import annotations

from pathlib import Path

from passage.children import bound_log
from passage.supervising import FIRST_DELAY_S, LONGEST_DELAY_S, STEADY_AFTER_S, Watch


def test_delays_double_up_to_the_longest() -> None:
    watch = Watch()
    delays = []
    for second in range(12):
        watch.begin(float(second))
        delays.append(watch.end(second + 0.5))
    assert delays[:3] == [FIRST_DELAY_S, 2 * FIRST_DELAY_S, 4 * FIRST_DELAY_S]
    assert delays[-1] == LONGEST_DELAY_S


def test_a_child_that_ran_for_long_starts_again_at_once() -> None:
    watch = Watch()
    for _ in range(6):
        watch.begin(0.0)
        watch.end(0.1)
    watch.begin(0.0)
    assert watch.end(STEADY_AFTER_S + 1) == FIRST_DELAY_S


def test_a_log_beyond_its_limit_is_moved_aside_while_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "intake.log"
    with path.open("ab", buffering=0) as writer:
        writer.write(b"x" * 200)
        bound_log(path, limit_bytes=100)
        writer.write(b"next\n")
    assert path.read_bytes() == b"next\n"
    assert (tmp_path / "intake.log.1").read_bytes() == b"x" * 200


def test_a_log_within_its_limit_stays(tmp_path: Path) -> None:
    path = tmp_path / "intake.log"
    path.write_bytes(b"x")
    bound_log(path, limit_bytes=100)
    assert path.read_bytes() == b"x"
