"""Compares streams and consumers with their definitions, key by key.

A key that only the server reports counts too, unless it is false, zero or empty: `republish`,
`sources` or `sealed` would change the stream's behaviour.
"""

from dataclasses import dataclass
from typing import Any, Literal

from passage.install.definitions import Definition, Kind, Wanted
from passage.printing import print_table
from shared import subjects

SERVERS_OWN = "_nats."
"""Prefix of what nats-server itself puts into metadata."""
OWN_INBOXES = "_INBOX"

State = Literal["made", "moved", "as defined", "updated", "differs", "missing", "unknown"]


@dataclass(frozen=True)
class Difference:
    key: str
    expected: Any
    found: Any


@dataclass(frozen=True)
class Provisioned:
    """What became of a definition; `problem` is the server's reason, or a remark."""

    kind: Kind
    name: str
    state: State
    differences: tuple[Difference, ...] = ()
    problem: str = ""

    @property
    def is_sound(self) -> bool:
        return self.state in {"made", "moved", "as defined", "updated"}

    @property
    def is_usable(self) -> bool:
        """Whether Passage may run on it; a person should look at what is unknown."""
        return self.is_sound or self.state == "unknown"

    @property
    def summary(self) -> str:
        """One line, with the keys that differ."""
        keys = ", ".join(f"{one.key} is {one.found!r}" for one in self.differences)
        return ": ".join(part for part in (self.state, keys, self.problem) if part)


def print_provisioned(done: list[Provisioned]) -> None:
    """One row for each definition, and one for each key that differs."""
    rows: list[tuple[object, ...]] = []
    for one in done:
        rows.append((one.kind, one.name, one.state, "", "", one.problem))
        rows += [("", "", "", d.key, d.expected, d.found) for d in one.differences]
    print_table("Provisioned", ("kind", "name", "state", "key", "expected", "found"), rows)


def differences(wanted: Definition, found: Definition) -> tuple[Difference, ...]:
    """The keys of either side whose values differ; false, zero, empty and absent are equal."""
    keys = dict.fromkeys((*wanted, *found))
    return tuple(
        Difference(key, wanted.get(key), found.get(key))
        for key in keys
        if _plain(wanted.get(key)) != _plain(found.get(key))
    )


def stream_differences(wanted: Wanted, found: Definition) -> tuple[Difference, ...]:
    """CASES must have an incarnation, which its definition doesn't name."""
    config = wanted.config
    if wanted.name == subjects.CASES:
        config = {**config, "metadata": {subjects.INCARNATION: incarnation_of(found) or None}}
    unlike = differences(config, _without_servers_own(found))
    if wanted.name == subjects.CASES and not incarnation_of(found):
        # The log of an older version gets one and keeps it.
        unlike += (Difference("metadata", subjects.INCARNATION, None),)
    return unlike


def differences_of(wanted: Wanted, found: Definition) -> tuple[Difference, ...]:
    """A consumer may begin wherever `passage repair` let it begin."""
    if wanted.kind == "stream":
        return stream_differences(wanted, found)
    return differences(begun_where(wanted.config, found), _without_servers_own(found))


def begun_where(config: Definition, found: Definition) -> Definition:
    """A consumer's definition with its start, which can't be changed afterwards."""
    if found.get("deliver_policy") != "by_start_sequence":
        return config
    began = {key: found.get(key) for key in ("deliver_policy", "opt_start_seq")}
    return {**config, **began}


def incarnation_of(config: Definition) -> str:
    """Empty if the stream has none."""
    return str((config.get("metadata") or {}).get(subjects.INCARNATION, ""))


def is_foreign(config: Definition, known: set[str]) -> bool:
    """Whether a consumer is neither defined nor a reader's own short-lived one."""
    name = str(config.get("durable_name") or "")
    if name:
        return name not in known
    target = str(config.get("deliver_subject") or "")
    return bool(target) and not target.startswith(OWN_INBOXES)


def _without_servers_own(found: Definition) -> Definition:
    kept = dict(found)
    if "filter_subject" in kept:
        kept["filter_subjects"] = [kept.pop("filter_subject")]
    metadata = (found.get("metadata") or {}).items()
    kept["metadata"] = {key: value for key, value in metadata if not key.startswith(SERVERS_OWN)}
    return kept


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: plain for key, one in value.items() if (plain := _plain(one))} or None
    if isinstance(value, list):
        return sorted(value, key=str) or None
    return value or None
