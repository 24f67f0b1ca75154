"""What `passage up --enrol` says of the keys that it leaves here."""

import pytest

from passage.cli.up import print_people
from passage.enrolling import Enrolled


def test_whoever_enrols_is_told_that_two_supervisors_keys_are_in_one_hand(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_people(Enrolled("olena", ["amber"], None))
    said = capsys.readouterr()
    assert "demo and training only: two supervisors' keys" in said.err
    assert "olena" in said.out
    print_people(None)
    assert "training" not in capsys.readouterr().err
