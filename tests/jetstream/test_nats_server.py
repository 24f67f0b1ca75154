"""The server as a child process: it starts ready, keeps its port and never outlives its parent."""

import asyncio
import os
import resource
import select
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import nats
import pytest

from passage.runner.endpoints import free_port
from passage.runner.nats_server import PORT_ATTEMPTS, NatsServer, NatsServerError
from tests.waiting import WITHIN_S

pytestmark = pytest.mark.wire

FILES, STREAMS = 256, 10
PARENT = """
import sys
from pathlib import Path
from passage.runner.nats_server import NatsServer
server = NatsServer(Path(sys.argv[1]))
server.start()
print(server.pid, flush=True)
sys.stdin.read()
"""


def test_a_server_keeps_port_and_data_over_a_restart(tmp_path: Path) -> None:
    with NatsServer(tmp_path) as server:
        url, pid = server.url, server.pid
        server.restart()
        assert server.url == url
        assert server.pid != pid
    assert server.pid is None


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux to end the child")
def test_a_server_dies_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    parent = subprocess.Popen(  # noqa: S603 - this Python
        [sys.executable, "-c", PARENT, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with parent:
        assert parent.stdout is not None
        server = os.pidfd_open(int(parent.stdout.readline()))
        parent.kill()
        ended, _, _ = select.select([server], [], [], WITHIN_S)
        os.close(server)
    assert ended


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    server = NatsServer(tmp_path, extra_config="no such: {")
    with pytest.raises(NatsServerError, match=r"nats\.log.*Parse error"):
        server.start()


def test_its_log_has_a_bound_whatever_it_is_made_to_say(tmp_path: Path) -> None:
    with NatsServer(tmp_path) as server:
        assert "ready" in server.log_tail()
    lines = dict(line.split(": ", 1) for line in server.config_text().splitlines() if ": " in line)
    assert int(lines["logfile_size_limit"]) * int(lines["logfile_max_num"]) <= 100_000_000


@pytest.mark.parametrize("taken", [PORT_ATTEMPTS - 1, PORT_ATTEMPTS])
def test_a_port_that_somebody_else_takes_first_is_given_up_for_another_so_often(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: int
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        free = free_port("127.0.0.1")
        ports = [other.getsockname()[1]] * taken + [free]
        monkeypatch.setattr("passage.runner.nats_server.free_port", lambda _: ports.pop(0))
        server = NatsServer(tmp_path, sync_interval='"1m"')
        if taken < PORT_ATTEMPTS:
            with server:
                assert server.port == free
        else:
            with pytest.raises(NatsServerError, match="address already in use"):
                server.start()
            assert ports == [free]


@pytest.mark.skipif(sys.platform != "linux", reason="gives the server fewer files")
def test_who_connects_and_never_logs_in_takes_no_file_from_the_streams(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (FILES, FILES))
    with NatsServer(tmp_path) as server, ExitStack() as held:
        resource.prlimit(server.pid or 0, resource.RLIMIT_NOFILE, (FILES, FILES))
        asyncio.run(_store(server, held))


async def _store(server: NatsServer, held: ExitStack) -> None:
    client = await nats.connect(server.url)
    for _ in range(FILES):
        one = held.enter_context(socket.create_connection((server.host, server.port)))
        while not (select.select([one], [], [], 0.1)[0] or _has_all_its_files(server)):
            pass
    for number in range(STREAMS):
        await client.jetstream(timeout=WITHIN_S).add_stream(
            name=f"S{number}", subjects=[f"s{number}"]
        )
        assert (await client.jetstream(timeout=WITHIN_S).publish(f"s{number}", b"")).seq == 1
    await client.close()


def _has_all_its_files(server: NatsServer) -> bool:
    return len(list(Path(f"/proc/{server.pid}/fd").iterdir())) == FILES
