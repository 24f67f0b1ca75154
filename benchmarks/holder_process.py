"""The key holder as a process of its own on a benchmark's server."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from passage.runner.children import ServiceProcess
from shared.callers.return_codes import to_hash
from shared.jetstream.connection import Connection
from shared.keys.client import KeysUnavailableError, RemoteKeys
from shared.settings import Settings

ANSWERS_WITHIN_S = 60.0
STOPPED_WITHIN_S = 5.0
PLENTY = {
    f"PASSAGE_PERSON_{measure}_AN_HOUR": "1000000"
    for measure in ("SEARCHES", "HASHES", "CASES", "VALUES")
}
"""Settings under which one invented person may ask as much as a benchmark or drill does."""


@contextmanager
def key_holder(settings: Settings, folder: Path) -> Iterator[None]:
    """Starts the key holder, waits until it answers, and ends it after the block."""
    environment = {
        **os.environ,
        **PLENTY,
        "PASSAGE_NATS_URL": settings.nats_url,
        "PASSAGE_KEYS_DIR": str(settings.keys_dir),
        "PASSAGE_LOG_LEVEL": "WARNING",
    }
    process = ServiceProcess("keyholder", environment, folder / "keyholder.log")
    process.launch()
    try:
        wait_for_keys(settings)
        yield
    finally:
        process.ask_to_stop()
        process.end_by(time.monotonic() + STOPPED_WITHIN_S)


def wait_for_keys(settings: Settings) -> None:
    """Waits until the key holder answers, as after a restart of the server."""
    connection = Connection({"servers": settings.nats_url.split(",")})
    keys = RemoteKeys(connection, "intake", settings.request_timeout_s)
    deadline = time.monotonic() + ANSWERS_WITHIN_S
    try:
        while True:
            try:
                keys.hashes([to_hash("")])
            except KeysUnavailableError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
            else:
                return
    finally:
        connection.close()
