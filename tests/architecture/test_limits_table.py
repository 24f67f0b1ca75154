"""docs/operating.md lists every fixed limit of the code, with what happens at it."""

from __future__ import annotations

import re

from tests.architecture.fixed_limits import HEAD, WORDS, limits, rows
from tests.architecture.sources import ROOT


def test_every_limit_has_one_row() -> None:
    listed = [row.of for row in rows()]
    assert set(limits()) - set(listed) == set(), "write a row of it"
    assert set(listed) - set(limits()) == set(), "take out its row"
    assert len(listed) == len(set(listed))


def test_a_limit_is_known_by_a_word_of_its_name() -> None:
    limit = ("QUEUE_MAX", "MAX_PAYLOAD_BYTES", "LONGEST_OVERRIDE", "BODY_WITHIN_S", "KEYS_KEPT")
    other = ("RETRY_S", "BATCH_EVENTS", "MAXIMAL", "HEARTBEAT_S", "SAMPLE", "SHOWN", "TIMEOUTS")
    assert [name for name in (*limit, *other) if WORDS.search(name)] == list(limit)


def test_every_row_says_what_happens_and_which_test_reaches_it() -> None:
    assert HEAD in (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    for row in rows():
        assert row.limit
        assert row.at_it
        tests = re.findall(r"`(tests/[\w/]+\.py)`", row.reached_by)
        assert tests, f"{row.limit}: write a test that reaches it"
        assert all((ROOT / one).is_file() for one in tests), row.reached_by
