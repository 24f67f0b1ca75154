"""What intake gives a channel to send: a message of OUTBOUND, subject `outbound.<channel>`.

Address and text are in boxes that only this channel's private key opens. A channel acknowledges
the message before sending it, so it never sends twice, and then reports the outcome on CALLS.
"""

from datetime import datetime

from nacl.public import PublicKey

from shared.events.calls import Boxed
from shared.events.fields import At, Channel, Id, Language
from shared.events.outbound import MessageQueued
from shared.keys.boxes import box_up
from shared.written.models import Exact

CONTENT_TYPE = "application/json"


class OutgoingMessage(Exact):
    """One message to one caller; not to be sent after `valid_until`."""

    message_id: Id
    case_id: Id
    channel: Channel
    language: Language
    to_address: Boxed
    text: Boxed
    valid_until: At


def outgoing(
    case_id: str,
    queued: MessageQueued,
    opened: tuple[str, str],
    key: PublicKey,
    valid_until: datetime,
) -> OutgoingMessage:
    """A queued message as its channel gets it; `opened` are its address and its text."""
    to_address, text = (box_up(key, one.encode()) for one in opened)
    return OutgoingMessage(
        message_id=queued.message_id,
        case_id=case_id,
        channel=queued.channel,
        language=queued.language,
        to_address=to_address,
        text=text,
        valid_until=valid_until,
    )
