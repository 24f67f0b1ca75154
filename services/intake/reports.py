"""Reads what a channel reports about a message, in whatever words."""

from typing import Any

from services.intake import cleaning
from services.intake.parsing import ChannelMessage
from shared.events.calls import DeliveryOutcome, DeliveryReported
from shared.parked.parking import UnprocessableError

_OUTCOMES: dict[str, DeliveryOutcome] = {
    **dict.fromkeys(("sent", "delivered", "delivrd", "read", "seen", "played", "opened"), "sent"),
    **dict.fromkeys(("ok", "success", "succeeded", "done"), "sent"),
    **dict.fromkeys(("отправлено", "доставлено", "прочитано", "надіслано"), "sent"),
    **dict.fromkeys(("refused", "rejected", "rejectd"), "refused"),
}
_UNDERWAY = frozenset(
    {
        *("accepted", "acceptd", "buffered", "deferred", "enroute", "en route", "pending"),
        *("processing", "queued", "retrying", "scheduled", "sending", "submitted"),
    }
)


def read_report(message: ChannelMessage) -> DeliveryReported:
    """Raises UnprocessableError if the message isn't one of ours."""
    fields = message.upstream.fields
    message_id, case_id = (
        cleaning.plain(fields.get(name, "")).strip() for name in ("message_id", "case_id")
    )
    if not (cleaning.is_token(message_id) and cleaning.is_token(case_id)):
        expected = "a message that this channel was given"
        raise UnprocessableError("wrong_data", "data.message_id", expected)
    happened_at, _ = cleaning.moment(fields.get("happened_at"), message.received_at)
    return DeliveryReported(
        message_id=message_id,
        case_id=case_id,
        channel=message.channel,
        outcome=_outcome(fields.get("outcome")),
        happened_at=happened_at,
        reason=fields.get("reason") if isinstance(fields.get("reason"), str) else None,
    )


def is_underway(message: ChannelMessage) -> bool:
    """Whether a channel only says that it is still working on a message."""
    return _word(message.upstream.fields.get("outcome")) in _UNDERWAY


def _outcome(said: Any) -> DeliveryOutcome:
    # What isn't known to have arrived goes back to the operators.
    return _OUTCOMES.get(_word(said), "failed")


def _word(said: Any) -> str:
    plain = cleaning.plain(said) if said is not None else ""
    return " ".join(plain.casefold().replace("_", " ").replace("-", " ").split()).rstrip(".!")
