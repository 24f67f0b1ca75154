"""Histories of one case as intake folds them, and what other cases' are like."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce

from services.intake.guards import Rules
from services.intake.main import rules_of
from services.intake.state import IntakeState, evolve
from shared.events.base import Event
from shared.events.custody import Exchanged
from shared.events.groups import GroupFormed, GroupJoined
from shared.events.intake import EpisodeContinued
from shared.refusals import Supervisors
from shared.settings import Settings
from tests.examples import CASE, NOON, OTHER_CASE, CaseBook, case_opened, handed_over

CONTINUED = (case_opened(), EpisodeContinued(next_case=OTHER_CASE))
EXCHANGED = (case_opened(), handed_over(), Exchanged(exchanged_at=NOON))
LEADING = (case_opened(), GroupFormed(group_id=CASE, declared_size=10))
JOINED = GroupJoined(group_id=CASE, member_case=OTHER_CASE)


def ruled(*supervisors: str) -> Rules:
    """The default settings, with these supervisors, their names folded."""
    return replace(rules_of(Settings()), supervisors=Supervisors(supervisors))


def given(*events: Event, case_id: str = CASE) -> IntakeState:
    return reduce(evolve, CaseBook(case_id).add_all(events), IntakeState())
