"""How numbers and times must be written in input: as a person would.

pydantic accepts more: `true` as 1, `1_0` as 10, `NaN` as a number, and any number as a moment
after 1970. What these mean is anyone's guess, so they are refused, naming the field.
"""

import math
import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Any, get_args

from pydantic import AwareDatetime, BeforeValidator

YEARS = range(1900, 2200)
"""Of moments. nats-server counts nanoseconds in 64 bits, and so has no timer after 2262."""

_WHOLE = re.compile(r"-?[0-9]{1,15}")
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}.*", re.ASCII)


def _whole(value: Any) -> Any:
    if isinstance(value, bool) or not (isinstance(value, int) or _fits(_WHOLE, value)):
        raise ValueError("must be a whole number, in digits")
    return value


def _number(value: Any) -> Any:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (_fits(_NUMBER, value) or (is_number and math.isfinite(value))):
        raise ValueError("must be a number, in digits")
    return value


def _day(value: Any) -> Any:
    if not (_fits(_DAY, value) or (isinstance(value, date) and not isinstance(value, datetime))):
        raise ValueError("must be a day, such as 1990-01-31")
    return value


def _moment(value: Any) -> Any:
    if not (isinstance(value, datetime) or _fits(_MOMENT, value)):
        raise ValueError("must be a date and time with a zone, such as 2030-01-31T10:00:00Z")
    return value


def within_years(value: datetime) -> datetime:
    """Raises ValueError if a moment is too far off for any timer."""
    if value.year not in YEARS:
        raise ValueError(f"must lie in the years {YEARS.start} to {YEARS.stop - 1}")
    return value


def _fits(form: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and form.fullmatch(value) is not None


Whole = Annotated[int, BeforeValidator(_whole)]
Number = Annotated[float, BeforeValidator(_number)]
Day = Annotated[date, BeforeValidator(_day)]
Moment = Annotated[AwareDatetime, BeforeValidator(_moment)]

CHECKS: dict[Any, Callable[[Any], Any]] = {
    int: _whole,
    float: _number,
    date: _day,
    datetime: _moment,
    AwareDatetime: _moment,
}


def check_for(annotation: Any) -> Callable[[Any], Any] | None:
    """What checks how a field of this type is written; None if it has no number."""
    if annotation in CHECKS:
        return CHECKS[annotation]
    found = (check_for(member) for member in get_args(annotation))
    return next((check for check in found if check is not None), None)
