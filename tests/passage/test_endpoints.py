"""HOST:PORT is read; a given port that is taken is an error, a usual one moves."""

import socket
from collections.abc import Iterator

import pytest

from passage.exits import Exit, VerbEndedError
from passage.integrity.erasure.copies import LONGEST_OBJECT_BYTES, Erasures
from passage.integrity.findings import KEPT_PER_CHECK, Findings
from passage.runner.endpoints import PORT_MAX, Endpoint, choose_endpoint, free_port, parse_endpoint
from tests.integrity.prepared import some_log


@pytest.fixture
def taken() -> Iterator[Endpoint]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield Endpoint("127.0.0.1", other.getsockname()[1])


@pytest.mark.parametrize("text", ["127.0.0.1:8080", "[::1]:65535", "0.0.0.0:80", "example.org:1"])
def test_an_address_is_read_and_written_alike(text: str) -> None:
    assert str(parse_endpoint("--http", text)) == text


@pytest.mark.parametrize("text", ["8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "::1", "a:b"])
def test_what_is_no_address_is_wrong_usage(text: str) -> None:
    with pytest.raises(VerbEndedError, match="must be HOST:PORT") as ended:
        parse_endpoint("--nats", text)
    assert ended.value.code == Exit.USAGE


def test_a_given_port_that_is_taken_is_an_error(taken: Endpoint) -> None:
    with pytest.raises(VerbEndedError, match="taken") as ended:
        choose_endpoint("--http", str(taken), Endpoint("127.0.0.1", 1))
    assert ended.value.code == Exit.FAILED


def test_no_port_is_given_to_two_servers() -> None:
    api, usual = Endpoint("127.0.0.1", 4222), Endpoint("127.0.0.1", 4222)
    chosen, moved = choose_endpoint("--nats", None, usual, besides=api)
    assert moved
    assert chosen.port != api.port
    free = Endpoint("127.0.0.1", free_port("127.0.0.1"))
    with pytest.raises(VerbEndedError, match="is the API's") as ended:
        choose_endpoint("--nats", str(free), usual, besides=free)
    assert ended.value.code == Exit.USAGE


def test_a_usual_port_that_is_taken_moves_and_says_so(taken: Endpoint) -> None:
    chosen, moved = choose_endpoint("--http", None, taken)
    assert moved
    assert chosen.port != taken.port


def test_a_port_is_no_larger_than_ports_are() -> None:
    assert parse_endpoint("--http", f"127.0.0.1:{PORT_MAX}").port == PORT_MAX
    for beyond in (f"{PORT_MAX + 1}", "9" * 5_000):
        with pytest.raises(VerbEndedError, match="must be HOST:PORT") as ended:
            parse_endpoint("--http", f"127.0.0.1:{beyond}")
        assert ended.value.code == Exit.USAGE


def test_of_one_check_so_many_findings_are_listed_and_all_are_counted() -> None:
    findings = Findings()
    for sequence in range(KEPT_PER_CHECK + 1):
        findings.add("chain", f"sequence {sequence}", "wrong")
    findings.add("index", "entry", "wrong")
    assert [one.check for one in findings.kept] == ["chain"] * KEPT_PER_CHECK + ["index"]
    assert findings.errors == KEPT_PER_CHECK + 2


def test_a_message_is_found_in_a_file_however_long_messages_are_and_nothing_longer() -> None:
    event = some_log(1, 3)[0]
    longest = event.body[:-1].ljust(LONGEST_OBJECT_BYTES - 1) + b"}"
    erasures = Erasures("CASE0001")
    assert erasures.take_bytes("file", b"head" + longest + b"tail") == 1
    assert erasures.take_bytes("file", b"head" + longest[:-1] + b" }" + b"tail") == 0
