"""Takes a backup while calls come in, kills everything, restores elsewhere and compares.

By hand:  python -m tests.journey.restore_drill --events 20000
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx

from passage.own_keys import AsPerson, as_person
from tests.journey.system import System, until
from tests.waiting import WITHIN_S

EVENTS_A_STORY = 9
"""A little less than there are, so that there are enough in the end."""
STORIES_MEANWHILE = 48
SHOWN_MAX = 200
"""Cases that are compared with timeline and personal data; of all, the row is."""
DEMO_TIMEOUT_S = 1_800
PAGE = 500
NOT_OPENED: dict[str, Any] = {}
"""The row of a case that was opened later."""
_HTTP = httpx.Client(timeout=WITHIN_S, trust_env=False)

Json = dict[str, Any]


@dataclass(frozen=True)
class Drilled:
    """Figures of a drill; `differences` and `verified` say whether all came back."""

    events_before: int
    """In the log when it was killed."""
    events_during_backup: int
    backup_seconds: float
    backup_bytes: int
    restore_seconds: float
    until_ready_seconds: float
    events_restored: int
    events_since: int
    """What became due, and what services answered anew, from the restored system's start on."""
    events_lost: int
    cases_compared: int
    timelines_compared: int
    revealed: int
    differences: list[str]
    verified: Json

    @property
    def clean(self) -> bool:
        return not self.differences and not self.verified["errors"] and self.revealed > 0


def drill(folder: Path, events: int, stories_meanwhile: int = STORIES_MEANWHILE) -> Drilled:
    system, new = System(folder / "data"), System(folder / "new")
    system.start()
    _finish(_demo(system, events // EVENTS_A_STORY + 1))
    begun = _last_sequence(system)
    meanwhile = _demo(system, stories_meanwhile)
    until(lambda: _last_sequence(system) > begun, "calls come in")
    before = _last_sequence(system)
    backup = system.json("backup", "--to", str(folder / "backups"))
    during = _last_sequence(system) - before
    _finish(meanwhile)
    last, copied = _last_sequence(system), backup["events"]
    rows = _rows(system, copied)
    shown = _shown(system, sorted(rows)[:SHOWN_MAX])
    _kill(system)
    (folder / "witness.jsonl").write_text(json.dumps({"sequence": last}) + "\n", encoding="utf-8")
    # The keeper brings the key folder from where it is kept.
    shutil.copytree(folder / "data.keys", folder / "new.keys")
    witness = ("--witness", str(folder / "witness.jsonl"))
    restored = new.json("restore", "--from", str(folder / "backups"), *witness)
    started = time.monotonic()
    new.start()
    ready = time.monotonic() - started
    verified = new.json("verify", check=False)
    rows_after, shown_after = _rows(new, copied), _shown(new, list(shown))
    new.stop()
    return Drilled(
        events_before=last,
        events_during_backup=during,
        backup_seconds=backup["seconds"],
        backup_bytes=backup["bytes"],
        restore_seconds=restored["seconds"],
        until_ready_seconds=round(ready, 2),
        events_restored=restored["events"],
        events_since=verified["events"] - restored["events"],
        events_lost=restored["lost"]["events"],
        cases_compared=len(rows_after),
        timelines_compared=len(shown_after),
        revealed=sum(json.dumps(one).count('"surname"') for one in shown_after.values()),
        differences=_differences((rows, rows_after), (shown, shown_after), copied),
        verified=verified,
    )


def _who(system: System) -> AsPerson:
    return as_person(system.running, None)


def _demo(system: System, stories: int) -> subprocess.Popen[str]:
    return system.demo("--cases", stories, "--patience", DEMO_TIMEOUT_S)


def _finish(demo: subprocess.Popen[str]) -> None:
    played, _ = demo.communicate(timeout=DEMO_TIMEOUT_S)
    assert demo.returncode == 0, played[-2_000:]


def _kill(system: System) -> None:
    """Kills all at once, the runner first so that it starts nothing again."""
    pids = system.running.pids.values()
    for pid in (system.runner.pid, *pids):
        with contextlib.suppress(ProcessLookupError):  # A child dies with the runner.
            os.kill(pid, signal.SIGKILL)
    system.runner.wait(WITHIN_S)


def _last_sequence(system: System) -> int:
    """How many events the log has; sequences of CASES have no holes."""
    answer = _HTTP.get(f"{system.running.http}/readyz").json()
    return int(answer["sequence"])


def _rows(system: System, copied: int) -> dict[str, Json]:
    """The row of every case, as of the sequence up to which the log was copied."""
    found: dict[str, Json] = {}
    after: str | None = None
    while True:
        parameters = {"limit": PAGE} | ({} if after is None else {"cursor": after})
        page = _HTTP.get(
            f"{system.running.http}/api/cases", auth=_who(system), params=parameters
        ).json()
        found |= {item["case_id"]: _as_of(system, item, copied) for item in page["items"]}
        after = page.get("next")
        if not after:
            return found


def _as_of(system: System, row: Json, copied: int) -> Json:
    if row["sequence"] <= copied:
        return row
    url = f"{system.running.http}/api/cases/{row['case_id']}"
    then = _HTTP.get(url, auth=_who(system), params={"as_of_sequence": copied})
    if then.status_code == httpx.codes.NOT_FOUND:
        return NOT_OPENED
    case: Json = then.raise_for_status().json()["case"]
    return case


def _shown(system: System, case_ids: list[str]) -> dict[str, Json]:
    found = {}
    for case_id in case_ids:
        url = f"{system.running.http}/api/cases/{case_id}"
        asked = {"purpose": "oversight", "classes": ["identity"]}
        who = _who(system)
        shown = _HTTP.get(url, auth=who)
        revealed = _HTTP.post(f"{url}/reveal", auth=who, json=asked)
        if shown.status_code == revealed.status_code == httpx.codes.OK:
            found[case_id] = {**shown.json(), "revealed": revealed.json()["values"]}
    return found


def _differences(
    rows: tuple[dict[str, Json], dict[str, Json]],
    shown: tuple[dict[str, Json], dict[str, Json]],
    copied: int,
) -> list[str]:
    """Compares what came back with what was, as of what was copied: time goes on in both."""
    before, after = rows
    found = [
        f"row of {case_id}"
        for case_id in sorted(before.keys() | after.keys())
        if before.get(case_id, NOT_OPENED) != after.get(case_id, NOT_OPENED)
    ]
    for case_id, case in shown[1].items():
        pasts = [
            [entry for entry in one["timeline"] if entry["sequence"] <= copied]
            for one in (case, shown[0][case_id])
        ]
        if pasts[0] != pasts[1]:
            found.append(f"timeline of {case_id}")
        values = case["revealed"]
        if values != shown[0][case_id]["revealed"][: len(values)]:
            found.append(f"personal values of {case_id}")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--meanwhile", type=int, default=STORIES_MEANWHILE, help="stories")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="passage-drill-") as folder:
        drilled = drill(Path(folder), options.events, options.meanwhile)
    sys.stdout.write(json.dumps(asdict(drilled), ensure_ascii=False, indent=2) + "\n")
    return 0 if drilled.clean else 1


if __name__ == "__main__":
    sys.exit(main())
