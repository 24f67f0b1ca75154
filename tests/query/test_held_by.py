"""The answer to a command on a case that another person holds."""

from __future__ import annotations

import pytest

from shared.commands.base import Ignored
from shared.events.claims import CaseClaimed
from tests import examples as e
from tests.examples import CASE, NOON
from tests.query.stage import ServerLog, book_with
from tests.query.test_commands import NOTE, Site, site

__all__ = ["site"]  # A fixture.


@pytest.mark.parametrize(
    ("by", "held_by"),
    [("Petro Example", "Olena Example"), ("olena  EXAMPLE", None), ("Olena Example", None)],
)
async def test_an_answer_says_who_else_works_on_the_case(
    site: Site, server_log: ServerLog, by: str, held_by: str | None
) -> None:
    claim = CaseClaimed(operator="Olena Example", lease_until=NOON, fence=1, basis="free")
    sequence = server_log.write(book_with([e.case_opened(), claim]))
    await site.answer("intake", lambda _: Ignored(case_id=CASE, version=2, sequence=sequence))
    answer = await site.post("AddNote", {**NOTE, "by": by})
    assert (answer.status_code, answer.json().get("held_by")) == (200, held_by)
