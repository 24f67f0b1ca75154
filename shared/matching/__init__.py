"""Are two statements about one man? One module for the registry and for candidates alike.

`compare` judges field by field: *agrees* if the readings meet, *conflicts* if it is clearly
another, and *says nothing* if too little was said or one letter is off. No score is compared with
a threshold (docs/decisions/0021).
"""

from shared.matching.dates import judged_dates
from shared.matching.names import forget, judged_names
from shared.matching.numbers import judged_numbers
from shared.matching.units import judged_units
from shared.matching.verdicts import NOT_GIVEN, STATED_FIELDS, Judged, Stated, StatedField, Verdict

__all__ = [
    "NOT_GIVEN",
    "STATED_FIELDS",
    "Judged",
    "Stated",
    "StatedField",
    "Verdict",
    "compare",
    "forget",
]


def compare(one: Stated, other: Stated) -> dict[StatedField, Judged]:
    """Every field is in the answer; a field that either side lacks says nothing."""
    surname, first_names, patronymic = judged_names(one, other)
    return {
        "surname": surname,
        "first_names": first_names,
        "patronymic": patronymic,
        "date_of_birth": judged_dates(one.date_of_birth, other.date_of_birth),
        "service_number": judged_numbers(one.service_number, other.service_number),
        "unit": judged_units(one.unit, other.unit),
    }
