"""Limits of the command line: ports, findings that are listed, what is looked for in files."""

from __future__ import annotations

import pytest

from passage.exits import Exit, VerbEndedError
from passage.integrity.erasure.copies import LONGEST_OBJECT_BYTES, Erasures
from passage.integrity.findings import KEPT_PER_CHECK, Findings
from passage.runner.endpoints import PORT_MAX, parse_endpoint
from tests.integrity.prepared import some_log


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
