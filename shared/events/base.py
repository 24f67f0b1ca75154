"""The envelope every event travels in: a CloudEvents 1.0 JSON event, and the base of event data.

A stored message, an exported line and what a consumer parses are the same bytes.
Source: CloudEvents 1.0.2, JSON event format, structured mode.
"""

import hashlib
from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar

from pydantic import Field
from typing_extensions import override

from shared.events.fields import At, Digest, Id, PersonalClass, Word, personal_fields
from shared.events.signatures import StoredSignatures
from shared.written.models import Exact

CONTENT_TYPE = "application/cloudevents+json"
TYPE_PREFIX = "passage."
FIRST_PREVHASH = "0" * 64
"""The `prevhash` of a case's first event."""


class Event(Exact):
    """The data of one event: what happened, in the past tense. Nothing derivable is in it."""

    VERSION: ClassVar[int] = 1
    PERSONAL: ClassVar[dict[str, PersonalClass]] = {}

    @classmethod
    @override
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        cls.PERSONAL = personal_fields(cls)


EventT = TypeVar("EventT", bound=Event)


class Envelope(Exact, Generic[EventT]):
    """The CloudEvents attributes common to everything Passage publishes."""

    specversion: Literal["1.0"] = "1.0"
    id: Id
    source: Annotated[str, Field(pattern=r"^/[a-z_/]{1,60}$")]
    type: str
    subject: Id
    time: At
    """When it happened; the stream's own timestamp says when it was recorded."""
    datacontenttype: Literal["application/json"] = "application/json"
    data: EventT


class CallEnvelope(Envelope[EventT]):
    """A message on CALLS; `subject` is the call's id. Channels choose both, in any form."""

    id: str
    subject: str


class CaseEvent(Envelope[EventT]):
    """An event in a case's log; `subject` is the case's id."""

    caseversion: Annotated[int, Field(ge=1)]
    correlationid: Id
    """The call or command that started the chain of causes."""
    causationid: Id
    """The message that this event answers; repeated messages are recognised by it."""
    actor: Word
    """`operator:NAME`, `service:NAME` or `channel:NAME`."""
    prevhash: Digest
    """SHA-256 over the stored bytes of the case's previous event."""
    signatures: StoredSignatures | None = None
    """Of those who decided it, if they had to sign; on the first event of their command."""

    @property
    def originator_id(self) -> str:
        return self.subject

    @property
    def originator_version(self) -> int:
        return self.caseversion

    @property
    def type_name(self) -> str:
        return type(self.data).__name__


def type_of(event: type[Event]) -> str:
    """The CloudEvents type of an event class: `passage.CaseOpened.v1`."""
    return f"{TYPE_PREFIX}{event.__name__}.v{event.VERSION}"


def chain_hash(stored: bytes) -> str:
    """The hash by which a case's next event refers to these stored bytes."""
    return hashlib.sha256(stored).hexdigest()
