"""A secret that is missing or wrong: the process ends, and one line says what would do."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from passage.install.host_names import IN_COMPOSE
from passage.install.installation import make_installation
from shared.keys.keyfiles import A_FOLDER, DAMAGED, DO, EMPTY, MISSING, NO_PAIR, NOT_ONE_LINE
from shared.settings import Settings
from shared.skeleton.own_settings import require_files
from tests.waiting import WITHIN_S

CANARY = "Kanarienvogel"
FILES = {
    "nats_nkey": "nkeys/query.nk",
    "nats_ca": "tls/ca.pem",
    "http_certificate": "tls/query.pem",
    "http_key": "tls/query.key",
    "database_password_file": "database.password",
}

Spoil = Callable[[Path], object]


def mount_nothing(path: Path) -> None:
    """What an engine does where the file to mount isn't there."""
    path.unlink()
    path.mkdir()


SPOILED: list[tuple[str, Spoil, str]] = [
    *((name, Path.unlink, MISSING) for name in FILES),
    *((name, mount_nothing, A_FOLDER) for name in FILES),
    *((name, lambda path: path.write_bytes(b""), EMPTY) for name in FILES),
    *(
        (name, lambda path: path.write_bytes(CANARY.encode()), DAMAGED)
        for name in FILES
        if name != "database_password_file"
    ),
    ("database_password_file", lambda path: path.write_bytes(b"two\nlines"), NOT_ONE_LINE),
    ("http_key", lambda path: path.write_bytes(path.with_name("server.key").read_bytes()), NO_PAIR),
    ("nats_nkey", lambda path: path.write_bytes(path.with_suffix(".pub").read_bytes()), DAMAGED),
]


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    make_installation(tmp_path / "keys", IN_COMPOSE)
    return tmp_path / "keys"


def environment(keys: Path) -> dict[str, str]:
    return {f"PASSAGE_{name.upper()}": str(keys / file) for name, file in FILES.items()} | {
        "PASSAGE_KEYS_DIR": str(keys),
        "PASSAGE_HTTP": "127.0.0.1:0",
        "PASSAGE_DATABASE_URL": "postgresql+psycopg://passage@127.0.0.1:1/passage",
        "PASSAGE_NATS_URL": "nats://127.0.0.1:1",
    }


def ended(module: str, *arguments: str, keys: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", module, *arguments],
        env={**os.environ, **environment(keys)},
        capture_output=True,
        text=True,
        check=False,
        timeout=WITHIN_S,
    )


@pytest.mark.parametrize(("setting", "spoil", "wrong"), SPOILED)
def test_each_file_is_looked_at_and_what_is_wrong_is_said(
    keys: Path, monkeypatch: pytest.MonkeyPatch, setting: str, spoil: Spoil, wrong: str
) -> None:
    for name, value in environment(keys).items():
        monkeypatch.setenv(name, value)
    require_files(Settings())
    spoil(keys / FILES[setting])
    with pytest.raises(Exception, match=f"^PASSAGE_{setting.upper()}: ") as ended:
        require_files(Settings())
    assert str(ended.value).endswith(f"{FILES[setting]} {wrong}: {DO[wrong]}")
    assert CANARY not in str(ended.value)


@pytest.mark.parametrize(
    ("service", "setting"),
    [
        ("query", "http_key"),
        ("intake", "nats_nkey"),
        ("keyholder", "nats_ca"),
        ("witness", "nats_nkey"),
    ],
)
def test_a_service_ends_with_one_line(keys: Path, service: str, setting: str) -> None:
    mount_nothing(keys / FILES[setting])
    done = ended(f"services.{service}", keys=keys)
    (line,) = [json.loads(one) for one in done.stderr.splitlines()]
    said: dict[str, Any] = {
        name: line[name] for name in ("event", "setting", "file", "wrong", "do")
    }
    assert said == {
        "event": "secret_unusable",
        "setting": setting,
        "file": Path(FILES[setting]).name,
        "wrong": A_FOLDER,
        "do": DO[A_FOLDER],
    }
    assert (done.returncode, done.stdout) == (1, "")


def test_a_verb_ends_with_one_line(keys: Path) -> None:
    (keys / FILES["nats_ca"]).write_bytes(b"")
    done = ended("passage", "health", keys=keys)
    said = " ".join(done.stderr.split())
    assert said.startswith("passage: PASSAGE_NATS_CA: ")
    assert said.endswith(DO[EMPTY])
    assert done.returncode == 1
