"""Provisioning waits for its servers no longer than it is told to, and then names who is silent."""

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from passage.exits import Exit, VerbEndedError
from passage.install.certificates import authority_of, make_certificates
from passage.install.host_names import Names
from passage.install.installation import server_tls
from passage.runner.endpoints import free_port
from passage.runner.nats_server import NatsServer
from passage.runner.waiting_for_servers import provision_within, require_database, silent_servers
from passage.running import Running
from tests import late
from tests.late import late_server, serving
from tests.nats_cluster import postgres

SOON_S = 0.2


def nowhere() -> str:
    return f"nats://127.0.0.1:{free_port('127.0.0.1')}"


def with_database(url: str) -> Running:
    return Running.bare("").model_copy(update={"database": url})


async def test_nobody_there_is_said_after_the_wait_with_names_and_reasons() -> None:
    running = Running.bare(f"{nowhere()},{nowhere()}")
    with pytest.raises(
        VerbEndedError, match=r"127\.0\.0\.1 doesn't answer \(Connection refused\)"
    ) as ended:
        await provision_within(SOON_S, running, False)
    assert ended.value.code == Exit.UNAVAILABLE
    assert str(ended.value).count("doesn't answer") == 2
    assert "\n" not in str(ended.value)


@pytest.mark.wire
async def test_a_server_that_comes_late_is_waited_for(tmp_path: Path) -> None:
    server = NatsServer(tmp_path / "nats", port=free_port("127.0.0.1"), sync_interval='"1m"')
    running = Running.bare(f"nats://127.0.0.1:{server.port}").model_copy(
        update={"database": "sqlite:///x.db"}
    )
    with pytest.raises(VerbEndedError):
        await provision_within(SOON_S, running, False)
    with server:
        done = await provision_within(60, running, False)
    assert {one.state for one in done} == {"made"}


async def test_a_silent_server_is_told_and_keeps_nobody_from_what_the_others_can(
    server: NatsServer, capsys: pytest.CaptureFixture[str]
) -> None:
    running = Running.bare(f"{server.url},{nowhere()}").model_copy(
        update={"database": "sqlite:///x.db"}
    )
    done = await provision_within(60, running, False)
    assert done
    assert "doesn't answer" in capsys.readouterr().err


async def test_too_few_servers_for_the_copies_is_waited_for(server: NatsServer) -> None:
    running = Running.bare(server.url).model_copy(update={"replicas": 3})
    with pytest.raises(VerbEndedError, match="JetStream refused"):
        await provision_within(SOON_S, running, False)


@pytest.mark.wire
async def test_a_server_of_another_authority_is_said_to_have_a_wrong_certificate(
    tmp_path: Path,
) -> None:
    names = Names(nats=("127.0.0.1",))
    make_certificates(tmp_path / "ours", names)
    make_certificates(tmp_path / "others", names)
    with NatsServer(
        tmp_path / "nats", sync_interval='"1m"', tls=server_tls(tmp_path / "others")
    ) as server:
        there = Running.bare(server.url)
        ours = there.model_copy(update={"ca": authority_of(tmp_path / "ours")})
        others = there.model_copy(update={"ca": authority_of(tmp_path / "others")})
        assert "look at the certificates in the key folder, and the clocks" in (
            await silent_servers(ours)
        )
        assert await silent_servers(others) == ""


@pytest.mark.wire
def test_a_database_that_is_not_there_or_a_wrong_password_is_said_at_once() -> None:
    with postgres() as url:
        require_database(with_database(url))
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.execute(text("CREATE ROLE nobody"))  # It may not log in.
        engine.dispose()
        for other in (
            url.replace("/postgres?", "/elsewhere?"),
            url.replace("postgres:@", "nobody:@"),
            url.replace("postgres:@", "who:@"),
        ):
            assert other != url
            with pytest.raises(VerbEndedError, match=r"the database refuses .*FATAL") as ended:
                require_database(with_database(other))
            assert ended.value.code == Exit.FAILED


async def test_a_server_that_takes_connections_and_says_nothing_in_time_is_named_as_silent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("passage.runner.waiting_for_servers.ANSWERS_WITHIN_S", late.SOON_S)
    with late_server(b"INFO {}\r\n") as port:
        said = await silent_servers(Running.bare(f"nats://localhost:{port}"))
        assert "localhost doesn't answer (no answer in time" in said


async def test_a_server_that_ends_each_connection_is_named_too() -> None:
    with serving(lambda _: None) as port:
        running = Running.bare(f"nats://127.0.0.1:{port}")
        assert "(it closes the connection without a greeting)" in await silent_servers(running)


def test_a_database_that_does_not_answer_may_come_yet() -> None:
    port = free_port("127.0.0.1")
    url = f"postgresql+psycopg://passage:secret-word@127.0.0.1:{port}/passage"
    with pytest.raises(VerbEndedError, match="doesn't answer") as ended:
        require_database(with_database(url))
    assert ended.value.code == Exit.UNAVAILABLE
    assert "secret-word" not in str(ended.value)
