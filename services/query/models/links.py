"""links: which other cases a case is tied to, and how; folded from its log on request."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from shared.events import intake
from shared.events.base import CaseEvent

TYPES = frozenset({"CaseOpened", "EpisodeContinued", "CasesLinked", "CasesUnlinked"})


class LinkRow(NamedTuple):
    """Another case that may be the same man's; a person accepted that, and can take it back."""

    other_case: str
    basis: intake.CaseLinkBasis
    linked_at: datetime
    by: str
    version: int
    """The case version that holds the reason."""


class Links(NamedTuple):
    previous_case: str | None = None
    next_case: str | None = None
    split_from: str | None = None
    """The case from whose call it was opened, because another man was on the line too."""
    links: tuple[LinkRow, ...] = ()


def links_of(events: Iterable[CaseEvent[Any]]) -> Links:
    found, linked = Links(), dict[str, LinkRow]()
    for event in events:
        match event.data:
            case intake.CaseOpened() as opened:
                found = found._replace(
                    previous_case=opened.previous_case, split_from=opened.split_from
                )
            case intake.EpisodeContinued() as continued:
                found = found._replace(next_case=continued.next_case)
            case intake.CasesLinked() as link:
                linked[link.other_case] = LinkRow(
                    link.other_case, link.basis, event.time, event.actor, event.caseversion
                )
            case intake.CasesUnlinked() as unlinked:
                linked.pop(unlinked.other_case, None)
            case _:
                pass
    return found._replace(links=tuple(linked[one] for one in sorted(linked)))
