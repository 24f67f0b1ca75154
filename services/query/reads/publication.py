"""The statistics, who may see each, and the file of those that may be published.

The file reveals nothing about small numbers: they are shown as `<5`, and totals count only what is
shown. So the file is the same whatever the small numbers are, and comparing files of overlapping
days reveals nothing.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from hashlib import sha256
from typing import Literal, NamedTuple, get_args

from services.query.models.statistics import CallsRow
from shared.events.fields import Channel

PublicationClass = Literal["public", "internal", "secret"]
"""public: may leave the house. internal: for the hotline alone. secret: internal, and never counted
in anything that leaves the house: how many surrendered, and how many came back."""

StatisticName = Literal["calls", "queue", "stages", "closings", "handed_over", "exchanged"]


class Statistic(NamedTuple):
    publication: PublicationClass
    counts: str
    path: str


STATISTICS: dict[StatisticName, Statistic] = {
    "calls": Statistic("public", "calls a day (UTC) by channel", "/api/statistics/calls"),
    "queue": Statistic("internal", "open cases that wait for a person", "/api/queue"),
    "stages": Statistic(
        "internal", "cases that ever came to a stage before handover", "/api/statistics/funnel"
    ),
    "closings": Statistic("internal", "closed cases by reason", "/api/statistics/funnel"),
    "handed_over": Statistic("secret", "men handed over", "/api/statistics/funnel"),
    "exchanged": Statistic("secret", "men exchanged or come back", "/api/statistics/funnel"),
}
SECRET_STAGES: dict[str, StatisticName] = {
    "accepted": "handed_over",
    "handed_over": "handed_over",
    "in_custody": "handed_over",
    "exchanged": "exchanged",
}
CHANNELS: tuple[Channel, ...] = get_args(Channel)
TOTAL = "total"


class NotPublicError(Exception):
    """A statistic that must stay in the house."""


class PublicFile(NamedTuple):
    """A file of public figures; `rows` are its days, `suppressed` its numbers not shown."""

    text: str
    rows: int
    suppressed: int

    @property
    def digest(self) -> str:
        return sha256(self.text.encode()).hexdigest()


def class_of_stage(stage: str) -> PublicationClass:
    return STATISTICS[SECRET_STAGES.get(stage, "stages")].publication


def require_public(name: StatisticName) -> None:
    """Raises NotPublicError unless the statistic may leave the house."""
    if STATISTICS[name].publication != "public":
        raise NotPublicError(name)


def public_file(rows: Iterable[CallsRow], first: date, last: date, small: int) -> PublicFile:
    """Calls per day by channel as CSV; hides numbers below `small`.

    Every day and channel is listed, so that gaps reveal nothing.
    """
    require_public("calls")
    counts = {(row.day, row.channel): row.calls for row in rows}
    table = [[counts.get((day, channel), 0) for channel in CHANNELS] for day in _days(first, last)]
    columns = [list(column) for column in zip(*table, strict=True)]
    output = io.StringIO()
    writer = csv.writer(output, lineterminator="\n")
    writer.writerow(["day", *CHANNELS, TOTAL])
    for day, cells in zip(_days(first, last), table, strict=True):
        writer.writerow([day, *(_shown(cell, small) for cell in cells), _total(cells, small)])
    every = [cell for cells in table for cell in cells]
    totals = [_total(column, small) for column in columns]
    writer.writerow([TOTAL, *totals, _total(every, small)])
    return PublicFile(output.getvalue(), len(table), sum(cell < small for cell in every))


def _shown(cell: int, small: int) -> str:
    return str(cell) if cell >= small else f"<{small}"


def _total(cells: Sequence[int], small: int) -> str:
    """The sum of the shown numbers; `>=` if some are hidden."""
    shown = [cell for cell in cells if cell >= small]
    if not shown:
        return ""
    return str(sum(shown)) if len(shown) == len(cells) else f">={sum(shown)}"


def _days(first: date, last: date) -> Iterator[str]:
    return ((first + timedelta(days=n)).isoformat() for n in range((last - first).days + 1))
