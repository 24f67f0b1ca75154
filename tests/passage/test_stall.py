"""A start is stuck only where nothing at all goes on."""

import os
import subprocess
import sys

from passage.runner.stall import BUSY_BYTES, Activity, Stall, activity_of


def test_what_says_that_it_gets_on_is_never_stuck() -> None:
    stall = Stall(60.0, 0.0)
    assert not any(stall.look(50.0 * hour, told=hour) for hour in range(1_000))


def test_what_works_is_not_stuck_though_it_says_nothing() -> None:
    stall = Stall(60.0, 0.0)
    assert not any(
        stall.look(30.0 * half, activity=Activity(2.0 * half, 0)) for half in range(1_000)
    )


def test_what_only_waits_is_stuck_though_it_uses_a_little_of_a_processor() -> None:
    stall = Stall(60.0, 0.0)
    looks = [stall.look(float(s), told=7, activity=Activity(0.02 * s, 10 * s)) for s in range(120)]
    assert not any(looks[:60])
    assert looks[-1]


def test_what_reads_from_a_slow_disk_is_not_stuck() -> None:
    stall = Stall(60.0, 0.0)
    assert not any(
        stall.look(30.0 * half, activity=Activity(0.0, BUSY_BYTES * half)) for half in range(100)
    )


def test_what_was_started_again_begins_anew() -> None:
    stall = Stall(60.0, 0.0)
    stall.look(1.0, activity=Activity(9.0, 0))
    assert not stall.look(61.0, activity=Activity(0.1, 0))
    assert not stall.look(120.0, activity=Activity(0.1, 0))
    assert stall.look(122.0, activity=Activity(0.1, 0))


def test_the_kernel_says_what_a_process_has_used() -> None:
    before = activity_of(os.getpid())
    assert before is not None
    subprocess.run([sys.executable, "-c", ""], check=True)
    sum(range(3_000_000))
    after = activity_of(os.getpid())
    assert after is not None
    assert after.cpu_s > before.cpu_s
    assert after.bytes_moved >= before.bytes_moved > 0
    assert activity_of(None) is None
