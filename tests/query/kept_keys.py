"""The key holder's own rules before values in memory: people, budgets, and the record first."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from services.keyholder import handlers
from services.keyholder.access import Records
from services.keyholder.budgets import Budgets
from services.keyholder.holder import Holder
from services.keyholder.lock import Lock
from services.keyholder.people import Keeping
from services.query.reads.accesses import Accesses, AccessPage
from shared.jetstream.calls import Outgoing
from shared.jetstream.connection import Connection
from shared.jetstream.stream import Stream
from shared.keys.access import AccessRecord
from shared.keys.client import RemoteKeys
from shared.keys.messages import OpenedValue, SealedValue
from shared.log.case_log import LogError
from shared.people.state import PersonState
from shared.policy import policy
from tests.contexts import context_for
from tests.query.fixed_keys import FixedKeys, hashes_of


@dataclass
class Audit:
    """The stream AUDIT, and what was opened after how many of its records."""

    records: list[AccessRecord] = field(default_factory=list)
    opened: list[tuple[int, tuple[SealedValue, ...]]] = field(default_factory=list)
    is_away: bool = False

    def retry(self, call: Callable[[], Any], _what: str) -> Any:
        if self.is_away:
            raise LogError("away")
        return call()

    def publish_batch(self, messages: Sequence[Outgoing]) -> Any:
        self.records += [AccessRecord.model_validate_json(one.body) for one in messages]
        return SimpleNamespace(error_code=0)

    def newest(self, _case_id: str | None, _begin: int | None, limit: int) -> AccessPage:
        return AccessPage(self.records[::-1][:limit], 0, None, None)

    def of_case(self, case_id: str) -> Accesses:
        return Accesses([one for one in self.records if case_id in one.case_ids], 0)

    @contextmanager
    def away(self) -> Iterator[None]:
        self.is_away = True
        yield
        self.is_away = False


@dataclass
class _Values:
    """Stands for the holder: opens with fixed keys, and notes what was recorded before."""

    audit: Audit

    def open(self, values: Sequence[SealedValue], by: str, purpose: str) -> list[OpenedValue]:
        self.audit.opened.append((len(self.audit.records), tuple(values)))
        return FixedKeys().open(values, by, purpose)

    def hashes(self, values: Sequence[tuple[str, str]]) -> list[tuple[str, ...]]:
        return [hashes_of(purpose, value) for purpose, value in values]


@dataclass
class _Asked:
    """Stands for the connection to the key holder."""

    keeping: Keeping

    def request(self, asked: Outgoing, _timeout_s: float) -> tuple[Any]:
        answer = handlers.respond(self.keeping, asked.subject, asked.body, True)
        return (SimpleNamespace(status=None, body=answer),)


def kept_keys(
    audit: Audit, budgets: Budgets, person: Callable[[str], PersonState], folder: Path
) -> RemoteKeys:
    """As query has them."""
    keeping = Keeping(
        holder=cast("Holder", _Values(audit)),
        records=Records(cast("Stream", audit), lambda: datetime.now(UTC)),
        policy=policy(),
        lock=Lock(),
        log=context_for("keyholder", handlers.ERASURES_OF_CASE).writer.log,
        folder=folder,
        now=lambda: datetime.now(UTC),
        budgets=budgets,
        person=person,
    )
    return RemoteKeys(cast("Connection", _Asked(keeping)), "query", 1.0)
