"""What people at the hotline ask of a town, each command with an id of its own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from shared.commands.base import Command, Decision, Recorded
from shared.log.transact import Outcome
from shared.refusals import RefusedError
from tests.casework.town import Town

OLENA, PETRO, IRYNA = "Olena Example", "Petro Example", "Iryna Example"
PEOPLE = (OLENA, PETRO, IRYNA)
PLACE = {"description": "the mill of Musterdorf"}
HOUR = timedelta(hours=1)
TEAMS = ("Heron", "Stork")


class Desk:
    """Asks a town, and counts what it asked."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.asked = 0

    def command(self, kind: type[Command], case_id: str, by: str, **fields: Any) -> Command:
        self.asked += 1
        who: dict[str, Any] = {"command_id": f"cmd-{self.asked}", "case_id": case_id, "by": by}
        if issubclass(kind, Decision):
            who["seen_version"] = self.town.version(case_id)
        return kind.model_validate({**who, **fields})

    def tries(
        self, kind: type[Command], case_id: str, by: str, **fields: Any
    ) -> Outcome | Recorded | str:
        """What came of it: the answer, or the guard that refused."""
        try:
            return self.town.ask(self.command(kind, case_id, by, **fields))
        except RefusedError as refused:
            return refused.guard.name

    def window(self) -> dict[str, Any]:
        return {"window_from": self.town.now + HOUR, "window_to": self.town.now + 3 * HOUR}
