"""`passage keys seal` as a person uses it: the key holder is gone until it is unsealed."""

from __future__ import annotations

from pathlib import Path

import psutil

from passage.exits import Exit
from tests.journey.system import System, gone, until


def key_holder(system: System) -> psutil.Process:
    return psutil.Process(system.running.pids["keyholder"])


def test_a_sealed_key_holder_stays_away_until_unsealed_and_a_killed_one_comes_back(
    tmp_path: Path,
) -> None:
    with System(tmp_path / "data") as system:
        sealed = key_holder(system)
        system.verb("keys", "seal")
        until(lambda: gone([sealed]), "the key holder ended")
        system.verb("call", "--channel", "phone", "--from", "+380440000001", "--text", "wait")
        refused = system.verb("keys", "rotate", check=False)
        assert refused.returncode == Exit.UNAVAILABLE
        assert "unseal" in refused.stderr
        assert system.json("verify", check=False)["events"] == 0
        assert "keyholder" not in system.running.pids

        system.verb("keys", "unseal")
        killed = key_holder(system)
        assert killed.pid != sealed.pid
        until(lambda: system.json("verify")["events"] == 1, "the call came in")

        killed.terminate()  # Only being sealed ends it with exit code 0.
        until(lambda: gone([killed]), "it ended")
        until(lambda: _lives_again(system, killed.pid), "it was started again")
        assert system.json("keys", "rotate")["cases"] == 1
        assert system.json("verify")["errors"] == 0


def _lives_again(system: System, pid: int) -> bool:
    running = system.running.pids.get("keyholder", pid) != pid
    return running and system.json("health", check=False).get("keyholder") is True
