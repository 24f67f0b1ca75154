"""Reads what channels publish on CALLS: a call is a fact, never refused for its form.

Any message readable as one JSON object with a call in it is a call: in any Unicode encoding, with
unknown attributes, with or without an envelope. Numbers stay as they were written.
"""

import json
import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from shared.events.base import TYPE_PREFIX
from shared.events.calls import CallEnded, CallReceived, Change, DeliveryReported, UpstreamEvent
from shared.events.parsing import UnreadableEventError

Kind = Literal["call", "end", "report"]

DEPTH_MAX = 32
"""Deeper nesting stays text: nothing of ours is so deep, and a parser's stack is finite."""

_TYPE = re.compile("|".join(one.__name__ for one in get_args(UpstreamEvent)))
_KINDS: dict[str, Kind] = {
    "CallReceived": "call",
    "CallEnded": "end",
    "DeliveryReported": "report",
}
_FIELDS: dict[Kind, frozenset[str]] = {
    "call": frozenset(CallReceived.model_fields),
    "end": frozenset(CallEnded.UPSTREAM),
    "report": frozenset(DeliveryReported.model_fields),
}
_NOT_LETTERS = re.compile(r"[-_ ]")
_NAMES = {name.replace("_", ""): name for fields in _FIELDS.values() for name in fields}
_TELLING: dict[str, Kind] = {
    "ended_at": "end",
    "outcome": "report",
    **dict.fromkeys(("call_id", "caller_address", "text", "return_code", "started_at"), "call"),
}
"""Fields that identify a message if its type says nothing; the first one found counts."""

# An unterminated text is one token as well: searching again at each quote would take hours.
_NESTING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[\]{}]', re.DOTALL)
_BLANK = " \t\r\n\0\ufeff"
_BOM = b"\xef\xbb\xbf"
_ENVELOPE = frozenset({"specversion", "id", "source", "type", "subject", "time"})


class Number(str):
    """A number as written: no digit is lost."""

    __slots__ = ()


class _Object(dict[str, Any]):
    """A JSON object; the last of a duplicate key counts and the others are kept."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        seen: set[str] = set()
        self.repeated: dict[str, list[Any]] = {}
        for key, value in reversed(pairs):
            if key in seen:
                self.repeated.setdefault(key, []).append(value)
            seen.add(key)


def _object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Plain where possible: each of a hundred thousand `{}` would weigh hundreds of bytes.
    found = dict(pairs)
    return found if len(found) == len(pairs) else _Object(pairs)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object_of,
    parse_int=Number,
    parse_float=Number,
    parse_constant=Number,
    strict=False,
)


@dataclass(frozen=True, slots=True)
class Upstream:
    """A channel's message: its fields as they came, and what had to be set aside to read it."""

    kind: Kind
    message_id: str
    """The channel's own; empty if it gave none."""
    fields: Mapping[str, Any]
    changed: frozenset[Change] = frozenset()
    set_aside: Mapping[str, Any] = field(default_factory=dict)
    """Unknown fields, by name: personal, and kept sealed."""


def read_upstream(received: bytes) -> Upstream:
    """Raises UnreadableEventError for anything but a JSON object that is a channel's message."""
    top, rest = _object(received)
    data, beside = _data(top)
    named = _TYPE.search(_as_text(top.get("type")))
    told = next((kind for name, kind in _TELLING.items() if name in data), None)
    kind = _KINDS[named.group()] if named else told
    if kind is None:
        expected = "a CallReceived, CallEnded or DeliveryReported"
        raise UnreadableEventError("wrong_envelope", "data", expected)
    set_aside = {key: value for key, value in data.items() if key not in _FIELDS[kind]}
    set_aside |= beside | ({"after": rest} if rest else {})
    changed: set[Change] = {"more_fields"} if set_aside else set()
    if "type" in top and not _is_ours(_as_text(top["type"])):
        changed.add("type_unknown")
        set_aside["type"] = top["type"]
    fields = {key: value for key, value in data.items() if key in _FIELDS[kind]}
    id_field = "message_id" if kind == "report" else "call_id"
    message_id = _as_text(top.get("id")) if "data" in top or "data_base64" in top else ""
    if not fields.get(id_field):
        fields[id_field] = _as_text(top.get("subject")) or message_id
    return Upstream(kind, message_id, fields, frozenset(changed), set_aside)


def _is_ours(named: str) -> bool:
    return named in {f"{TYPE_PREFIX}{name}.v1" for name in _KINDS}


def _data(top: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The data of an envelope, and duplicates in either."""
    data = top.get("data", top.get("data_base64"))
    if "data" not in top and isinstance(data, str):
        data = _decoded(data)
    if data is None and "data" not in top:
        # Not in an envelope, or in one whose attributes travelled elsewhere.
        data = {key: value for key, value in top.items() if key not in _ENVELOPE}
    if isinstance(data, str):
        data = _nested(data)
    repeated = {**_repeated(top), **_repeated(data)}
    beside = {"repeated": repeated} if repeated else {}
    if isinstance(data, list) and len(data) == 1 and isinstance(data[0], dict):
        (data,) = data
    if isinstance(data, dict):
        return _by_name(_unwrapped(data)), beside
    return ({} if data is None else {"text": data}), beside


def _unwrapped(data: dict[str, Any]) -> dict[str, Any]:
    """The data of an envelope that a bridge has wrapped in another."""
    inner = data.get("data")
    return inner if isinstance(inner, dict) and "specversion" in data else data


def _by_name(data: dict[str, Any]) -> dict[str, Any]:
    """The fields under our names: `callId`, `CALL-ID` and `Call_ID` are `call_id`."""
    found: dict[str, Any] = {}
    for key, value in data.items():
        name = _NAMES.get(_NOT_LETTERS.sub("", key).casefold(), key)
        found[key if name in data or name in found else name] = value
    return found


def _repeated(found: Any) -> dict[str, list[Any]]:
    return found.repeated if isinstance(found, _Object) else {}


def _decoded(text: str) -> str:
    try:
        return b64decode(text).decode("utf-8", "surrogateescape")
    except ValueError:
        return text


def _nested(text: str) -> Any:
    try:
        found, _ = _object(text.encode("utf-8", "surrogatepass"))
    except UnreadableEventError:
        return text
    return found


def _object(received: bytes, *, inside: bool = False) -> tuple[dict[str, Any], str]:
    """The one JSON object in a message, and what follows it."""
    for text in _texts(received):
        stripped = _shallow(text.strip(_BLANK))
        try:
            found, end = _DECODER.raw_decode(stripped)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, list) and len(found) == 1:
            (found,) = found  # A batch of CloudEvents, with one in it.
        if isinstance(found, str) and found.lstrip(_BLANK).startswith("{") and not inside:
            return _object(found.encode("utf-8", "surrogatepass"), inside=True)  # JSON in JSON.
        if isinstance(found, dict):
            return found, stripped[end:].strip(_BLANK)
    raise UnreadableEventError("not_json", "", "one JSON object")


def _texts(received: bytes) -> list[str]:
    """Possible texts, by encoding; undecodable bytes stay as surrogates."""
    encoding = json.detect_encoding(received)
    plain = received.removeprefix(_BOM).decode("utf-8", "surrogateescape")
    if encoding.startswith("utf-8"):
        return [plain]
    return [received.decode(encoding, "replace"), plain]


def _shallow(text: str) -> str:
    """The same JSON, with anything nested too deep as a text."""
    if text.count("[") + text.count("{") <= DEPTH_MAX:
        return text
    depth, begin, done, parts = 0, 0, 0, []
    for found in _NESTING.finditer(text):
        mark = found.group()
        if mark in "[{":
            depth += 1
            if depth == DEPTH_MAX:
                begin = found.start()
        elif mark in "]}":
            if depth == DEPTH_MAX:
                parts += [text[done:begin], json.dumps(text[begin : found.end()])]
                done = found.end()
            depth = max(depth - 1, 0)
    return "".join((*parts, text[done:]))


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else ""
