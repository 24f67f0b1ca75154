"""query as a process of its own on a real server: killed, stopped, started again."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from benchmarks.sessions import session_on
from passage.runner.endpoints import free_port
from passage.runner.nats_server import NatsServer
from services.query.logins.tries import TRIES_MAX
from services.query.main import PORT_MAX, AddressError, listen
from tests import examples as e
from tests.examples import CASE, CaseBook
from tests.query.stage import ServerLog, book_with, books_of, followed, settings_for
from tests.waiting import WITHIN_S


class Process:
    def __init__(self, server: NatsServer, folder: Path, database_url: str) -> None:
        settings = settings_for(server.url, folder, database_url)
        self.port = free_port("127.0.0.1")
        self.log_path = folder / "query.log"
        self.environment = {
            **os.environ,
            "PASSAGE_NATS_URL": server.url,
            "PASSAGE_KEYS_DIR": str(settings.keys_dir),
            "PASSAGE_DATABASE_URL": database_url,
            "PASSAGE_HTTP": f"127.0.0.1:{self.port}",
        }
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=WITHIN_S)
        self.settings = settings
        self.running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log_path.open("ab") as log:
            self.running = subprocess.Popen(
                [sys.executable, "-W", "error", "-m", "services.query"],
                env=self.environment,
                stderr=log,
                stdout=log,
            )

    def ready(self, sequence: int = 0) -> dict[str, Any]:
        deadline = time.monotonic() + WITHIN_S
        while time.monotonic() < deadline:
            assert self.running is not None
            assert self.running.poll() is None, self.said()
            try:
                body: dict[str, Any] = self.http.get("/readyz").json()
            except httpx.TransportError:
                continue
            if body["ready"] and body["sequence"] >= sequence:
                return body
        raise AssertionError(self.said())

    def end(self, number: signal.Signals) -> int:
        assert self.running is not None
        self.running.send_signal(number)
        return self.running.wait(WITHIN_S)

    def said(self) -> str:
        return self.log_path.read_text(encoding="utf-8")


@contextmanager
def running_on(server: NatsServer, folder: Path, url: str) -> Iterator[Process]:
    process = Process(server, folder, url)
    process.start()
    try:
        yield process
    finally:
        process.http.close()
        if process.running is not None and process.running.poll() is None:
            process.running.kill()
            process.running.wait(WITHIN_S)


def test_killed_between_batches_it_loses_and_doubles_nothing(
    server: NatsServer, server_log: ServerLog, tmp_path: Path, database_url: str, sqlite_url: str
) -> None:
    books = books_of(12)
    for book in books:
        book.add_all(e.whole_way(book.case_id))
    with running_on(server, tmp_path, database_url) as process:
        process.ready()
        last = 0
        for part in range(4):
            for book in books:
                piece = CaseBook(book.case_id, written=book.written)
                piece.stored = book.stored[: (part + 1) * 5]
                last = server_log.write(piece)
                book.written = piece.written
            # In the middle of what it is applying, or before, or after: all must be the same.
            process.end(signal.SIGKILL)
            process.start()
        process.ready(last)
        assert process.end(signal.SIGTERM) == 0
        assert "projection_stopped" not in process.said()
    recorder = server_log.recorder
    assert last == 12 * 17
    assert followed(recorder, database_url, last) == followed(recorder, sqlite_url, last)


def test_nobody_says_themself_from_which_address_they_try(
    server: NatsServer, server_log: ServerLog, tmp_path: Path, sqlite_url: str
) -> None:
    last = server_log.write(book_with(e.whole_way()))
    with running_on(server, tmp_path, sqlite_url) as process:
        process.ready(last)
        said = [{"x-forwarded-for": f"192.0.2.{one}"} for one in range(TRIES_MAX.tries + 20)]
        tries = [process.http.post("/api/login/passkey/options", headers=one) for one in said]
    assert 429 in {one.status_code for one in tries}


def test_open_connections_do_not_hold_up_the_end(
    server: NatsServer, server_log: ServerLog, tmp_path: Path, sqlite_url: str
) -> None:
    server_log.write(book_with(e.whole_way()))
    with running_on(server, tmp_path, sqlite_url) as process:
        process.ready(17)
        address = ("127.0.0.1", process.port)
        idle = socket.create_connection(address)
        halfway = socket.create_connection(address)
        halfway.sendall(
            b"POST /api/search HTTP/1.1\r\nhost: 127.0.0.1\r\n"
            b"content-type: application/json\r\ncontent-length: 100\r\n\r\n{"
        )
        waiting = socket.create_connection(address)
        waiting.sendall(b"GET /api/queue?min_sequence=99999 HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
        assert process.http.get("/livez").status_code == 200
        code = process.end(signal.SIGTERM)
        for one in (idle, halfway, waiting):
            one.close()
    assert code == 0


def test_it_starts_before_the_server_and_finds_it(
    server: NatsServer, server_log: ServerLog, tmp_path: Path, sqlite_url: str
) -> None:
    server_log.write(book_with(e.whole_way()))
    server.stop()
    with running_on(server, tmp_path, sqlite_url) as process:
        deadline = time.monotonic() + WITHIN_S
        while b"HTTP" not in _greeting(process.port):
            assert time.monotonic() < deadline
        answer = process.http.get("/readyz")
        assert answer.status_code == 503
        server.start()
        process.ready(17)
        headers = session_on(process.settings)
        assert process.http.get(f"/api/cases/{CASE}", headers=headers).status_code == 200


def _greeting(port: int) -> bytes:
    try:
        with socket.create_connection(("127.0.0.1", port), 1.0) as connection:
            connection.sendall(b"GET /livez HTTP/1.0\r\nhost: localhost\r\n\r\n")
            return connection.recv(100)
    except OSError:
        return b""


def test_an_address_that_is_taken_is_said_and_ends(
    server: NatsServer, tmp_path: Path, sqlite_url: str
) -> None:
    process = Process(server, tmp_path, sqlite_url)
    with socket.create_server(("127.0.0.1", process.port)):
        process.start()
        assert process.running is not None
        assert process.running.wait(WITHIN_S) == 1
    process.http.close()
    assert "address_taken" in process.said()


@pytest.mark.parametrize("address", ["18099", ":18099", "[]:18099", "localhost:", "::1:99999"])
def test_an_address_without_a_host_or_port_is_refused(address: str) -> None:
    with pytest.raises(AddressError, match="HOST:PORT"):
        listen(address)


def test_a_port_is_no_larger_than_ports_are() -> None:
    with suppress(OSError):  # It may be taken, but it is one.
        listen(f"127.0.0.1:{PORT_MAX}").close()
    for beyond in (f"{PORT_MAX + 1}", "9" * 5_000):
        with pytest.raises(AddressError, match="HOST:PORT"):
            listen(f"127.0.0.1:{beyond}")


def test_its_log_is_lines_of_json_without_anything_personal(
    server: NatsServer, server_log: ServerLog, tmp_path: Path, sqlite_url: str
) -> None:
    server_log.write(book_with(e.whole_way()))
    with running_on(server, tmp_path, sqlite_url) as process:
        process.ready(17)
        process.http.headers.update(session_on(process.settings))
        body = {"case_id": CASE, "text": "Kanarienvogel"}
        process.http.post("/api/commands/AddNote", json=body)
        process.http.post("/api/commands/AddNote", json={**body, "by": "Kanarienvogel\u0000"})
        process.http.get("/Kanarienvogel")
        process.end(signal.SIGTERM)
        said = process.said()
    assert all(line.startswith("{") for line in said.splitlines())
    assert "Kanarienvogel" not in said
    assert "olena" not in said
    assert '"handler": "AddNote"' in said
