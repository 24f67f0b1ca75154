"""A set of containers from docker-compose.yml, as the drill starts, asks and kills it.

Uses only the standard library, so that a drill needs nothing but Python and the engine.
"""

import json
import os
import shlex
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SERVERS = ("nats-1", "nats-2", "nats-3", "postgres")
SERVICES = ("keyholder", "intake", "verification", "handover", "desk", "query", "witness")
CASES_MAX = 500
PATIENCE_S = 300.0
LOOK_EVERY_S = 0.5


class DrillFailedError(Exception):
    """Something went wrong; the text says what was seen."""


class Site:
    """A set of containers: its project, its key folder, its backups, and its people's key files."""

    def __init__(self, project: str, keys: Path, backups: Path, people: Path, port: int) -> None:
        self.project = project
        self.keys = keys
        self.environment = {
            **os.environ,
            "COMPOSE_PROJECT_NAME": project,
            "PASSAGE_KEYS": str(keys),
            "PASSAGE_BACKUPS": str(backups),
            "PASSAGE_KEY_FILES": str(people),
            "PASSAGE_PORT": str(port),
        }

    def compose(
        self, *words: str, check: bool = True, **more: str
    ) -> subprocess.CompletedProcess[str]:
        """`more` is added to the environment."""
        file = str(ROOT / "docker-compose.yml")
        done = _ran("compose", "--file", file, *words, environment={**self.environment, **more})
        if check and done.returncode:
            said = (done.stdout + done.stderr).strip()
            raise DrillFailedError(f"docker compose {shlex.join(words)}: {said[-1_500:]}")
        return done

    def verb(self, *words: str, options: tuple[str, ...] = (), **more: str) -> str:
        return self.compose("run", "--rm", "-T", *options, "passage", *words, **more).stdout

    def call(self, channel: str, number: str) -> None:
        words = ("--channel", channel, "--from", number, "--text", "invented")
        self.compose("run", "--rm", "-T", "channel", "call", *words, PASSAGE_CHANNEL=channel)

    def cases(self) -> set[str]:
        """At most CASES_MAX of them."""
        listed = json.loads(self.verb("case", "list", "--limit", str(CASES_MAX), "--json"))
        return {one["case_id"] for one in listed["items"]}

    def healthy(self) -> set[str]:
        listed = self.compose("ps", "--format", "{{.Service}} {{.Status}}").stdout
        return {line.split()[0] for line in listed.splitlines() if "(healthy)" in line}

    def container(self, service: str) -> str:
        """Its id."""
        return self.compose("ps", "--all", "--quiet", service).stdout.strip()

    def until_healthy(self, wanted: tuple[str, ...] = SERVERS + SERVICES) -> float:
        """Returns how many seconds it took."""
        return until(lambda: self.healthy() >= set(wanted), f"{self.project}: all healthy")

    def kill(self, service: str) -> None:
        """Ends its first process, as a crash does; after `docker kill` it would stay down."""
        found = docker("inspect", "--format", "{{.State.Pid}}", self.container(service)).strip()
        if found != "0":
            os.kill(int(found), signal.SIGKILL)

    def down(self) -> None:
        self.compose("--profile", "verbs", "down", "--volumes", "--timeout", "5", check=False)


def docker(*words: str) -> str:
    """Returns the output. Raises DrillFailedError."""
    done = _ran(*words)
    if done.returncode:
        raise DrillFailedError(f"docker {shlex.join(words)}: {done.stderr.strip()}")
    return done.stdout


def _ran(
    *words: str, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - the engine's own client
        ["docker", *words],  # noqa: S607
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def until(condition: Callable[[], bool], what: str) -> float:
    """Returns how many seconds it took."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > PATIENCE_S:
            raise DrillFailedError(f"not within {PATIENCE_S:.0f} s: {what}")
        time.sleep(LOOK_EVERY_S)
    return time.monotonic() - began
