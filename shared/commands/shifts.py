"""What can be asked of intake about shifts and exports; `case_id` is the number of either."""

from typing import Annotated

from pydantic import Field

from shared.commands.base import Decision, Fact
from shared.commands.case_numbers import CaseNumber, ExportNumber, ShiftNumber
from shared.events.fields import Digest, Person, Text
from shared.events.shifts import SHIFT_CASES_MAX, Day, Operators


class StartShift(Fact):
    """Begin a shift with these operators."""

    case_id: ShiftNumber
    operators: Operators


class HandOverShift(Decision):
    """Name the shift's live cases to those who follow; may be repeated with newer cases."""

    case_id: ShiftNumber
    to: Operators
    case_ids: Annotated[tuple[CaseNumber, ...], Field(max_length=SHIFT_CASES_MAX)]
    remark: Text | None = None


class AcceptShiftCase(Fact):
    """Take responsibility for one live case that a shift hands over."""

    case_id: ShiftNumber
    live_case: CaseNumber


class EndShift(Decision):
    """End a shift, once each of its cases was accepted by name."""

    case_id: ShiftNumber


class RecordExport(Fact):
    """Record that figures of class `public` left the house; query sends it with every export."""

    case_id: ExportNumber
    first_day: Day
    last_day: Day
    digest: Digest
    rows: Annotated[int, Field(ge=0)]
    suppressed: Annotated[int, Field(ge=0)]
    second_by: Person
