"""A sealed key holder stays away until it is unsealed, and an erased person opens nowhere."""

import json
from pathlib import Path
from typing import Any

import psutil

from passage.demo.player import SUPERVISOR
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
        assert system.json("verify", check=False)["cases"] == 0
        assert "keyholder" not in system.running.pids

        system.verb("keys", "unseal")
        killed = key_holder(system)
        assert killed.pid != sealed.pid
        until(lambda: system.json("verify")["cases"] == 1, "the call came in")

        killed.terminate()  # Only being sealed ends it with exit code 0.
        until(lambda: gone([killed]), "it ended")
        until(lambda: system.has_again("keyholder", killed.pid), "it was started again")
        assert system.json("keys", "rotate")["cases"] == 1
        assert system.json("verify")["errors"] == 0


def looked(system: System, case_id: str, *paths: Path) -> dict[str, Any]:
    named = [part for path in paths for part in ("--in", str(path))]
    done = system.verb("verify", "--erased", case_id, *named, "--json", check=False)
    found: dict[str, Any] = json.loads(done.stdout)
    assert (done.returncode != 0) == bool(found["errors"])
    return found


def test_an_erased_man_opens_nowhere_once_three_rotations_have_followed(tmp_path: Path) -> None:
    with System(tmp_path / "data") as system:
        system.verb("call", "--channel", "phone", "--from", "+380440000001", "--text", "wait")
        until(lambda: bool(system.json("case", "list")["items"]), "the call is a case")
        case_id = system.json("case", "list")["items"][0]["case_id"]
        system.verb("backup", "--to", str(tmp_path / "backups"))
        erase = ("do", "ErasePersonalData", "--case", case_id)
        why = ("--set", "legal_basis=request_of_person", "--set", "reference=letter 5")
        system.verb(*erase, *why, "--set-json", 'classes=["identity","narrative"]')
        (waiting,) = system.json("agree", "--as", SUPERVISOR)["items"]
        system.verb("agree", waiting["decision_id"], "--as", SUPERVISOR, "--yes")
        until(lambda: not looked(system, case_id)["errors"], "its keys are destroyed")

        assert looked(system, case_id, tmp_path / "backups")["errors"] > 0
        for _ in range(3):
            system.verb("keys", "rotate")
        found = looked(system, case_id, tmp_path / "backups")
        assert found["errors"] == 0
        # His own, and of the decision to erase, now; and of the backup, whose entries name no case,
        # his and an earlier decision's.
        assert found["key_entries"] == 4
        assert found["told_in"] == [waiting["decision_id"]]
        accesses = system.json("audit", case_id)
        assert accesses == []
        shown = system.verb(
            "case", "show", case_id, "--purpose", "oversight", "--reveal", "narrative"
        )
        assert "erased" in shown.stdout
        assert "wait" not in shown.stdout
        assert len(system.json("audit", case_id)) == 1
