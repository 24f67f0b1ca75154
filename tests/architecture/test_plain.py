"""A test without a mark starts nothing and reaches no other machine: it fails where it tries."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from passage.runner.nats_server import NatsServer


def test_a_plain_test_starts_no_server(tmp_path: Path) -> None:
    with pytest.raises(pytest.fail.Exception, match="mark it `process` or `wire`"):
        NatsServer(tmp_path).launch()


def test_a_plain_test_reaches_no_other_machine() -> None:
    with socket.socket() as other, pytest.raises(pytest.fail.Exception, match=r"192\.0\.2\.1"):
        other.connect(("192.0.2.1", 4222))
