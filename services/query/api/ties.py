"""What belongs to one case: the cases it is tied to, and the messages to its caller."""

from fastapi import APIRouter

from services.query.api.shapes import Shape, shows
from services.query.context import AppContext
from services.query.masking import personal_shown
from services.query.models import links as ties
from services.query.models import outbox as messages
from services.query.reads.cases import CaseHistory
from services.query.reads.slices import FOLDED_MAX, Slice
from services.query.requests.cases import WAITS, CaseId, look_up
from services.query.requests.problems import problems


@shows(ties.LinkRow)
class Link(Shape):
    """Another case that may be the same man's; the reason is sealed."""

    reason: str


class Links(Shape):
    """What a case is tied to: his other episodes, the case it was split from, and links."""

    case_id: str
    previous_case: str | None
    next_case: str | None
    split_from: str | None
    group_id: str | None
    links: list[Link]
    complete: bool
    """False if the case has later links than are read."""
    sequence: int


@shows(messages.MessageRow)
class Message(Shape):
    """A message to a caller; its text and his address are sealed."""

    text: str | None
    to_address: str | None


class Outbox(Shape):
    """The messages to a caller, first queued first."""

    case_id: str
    items: list[Message]
    complete: bool
    """False if the case has later messages, or reports on them, than are read."""
    sequence: int


NOTHING: dict[str, str | None] = {"text": None, "to_address": None}


router = APIRouter(prefix="/api/cases/{case_id}", tags=["cases"], responses=problems(404))


@router.get("/links", dependencies=[WAITS])
def links(context: AppContext, case_id: CaseId) -> Links:
    """The other cases that a case is tied to, and how."""
    answer = look_up(context, case_id, None, Slice(types=ties.TYPES, limit=FOLDED_MAX))
    history = answer.found
    found = ties.links_of(one.event for one in history.events)
    return Links(
        case_id=case_id,
        previous_case=found.previous_case,
        next_case=found.next_case,
        split_from=found.split_from,
        group_id=history.case.group_id,
        links=[Link.showing(one, **_sealed(history, one.version)) for one in found.links],
        complete=not history.more,
        sequence=answer.sequence,
    )


@router.get("/outbox", dependencies=[WAITS])
def outbox(context: AppContext, case_id: CaseId) -> Outbox:
    """The messages to the caller, and what became of each."""
    answer = look_up(context, case_id, None, Slice(types=messages.TYPES, limit=FOLDED_MAX))
    history = answer.found
    rows = messages.outbox_of(one.event for one in history.events)
    return Outbox(
        case_id=case_id,
        items=[Message.showing(one, **NOTHING | _sealed(history, one.version)) for one in rows],
        complete=not history.more,
        sequence=answer.sequence,
    )


def _sealed(history: CaseHistory, version: int) -> dict[str, str | None]:
    """What is shown for the personal values of the event at a version."""
    for item in history.events:
        if item.event.caseversion == version:
            return {**personal_shown(item.event, history.erased)}
    return {}
