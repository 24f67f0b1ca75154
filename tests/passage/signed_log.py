"""A log with people and the decisions they signed, as `passage verify` reads it."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from passage.integrity.findings import Findings
from passage.integrity.verify.case_logs import CaseLogs
from shared.commands.base import Command
from shared.events.base import FIRST_PREVHASH, Event, chain_hash, type_of
from shared.events.catalogue import OWNER, envelope_of
from shared.events.people import PersonAdded, RoleGranted, log_of
from shared.events.signatures import Signature
from shared.jetstream.stored import StoredMessage
from shared.people.signed import SIGNED
from tests.contexts import NOW
from tests.examples import sealed
from tests.signing_place import EVERY_ROLE, MARIA, OLENA, PETRO, SigningPlace

Change = dict[str, Any]


@dataclass
class SignedLog:
    place: SigningPlace = field(default_factory=SigningPlace)
    stored: list[StoredMessage] = field(default_factory=list)
    seconds: int = 0
    _heads: dict[str, tuple[int, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """The keeper adds OLENA; she, PETRO, who can't sign yet, and MARIA, an operator."""
        for account in (OLENA, PETRO, MARIA):
            self.add(log_of(account), PersonAdded(name=account, by="keeper"), by_keeper=True)
            roles = EVERY_ROLE if account != MARIA else ("operator",)
            for role in roles:
                granted = RoleGranted(role=role, by="keeper")
                self.add(log_of(account), granted, by_keeper=True)
        for account in (OLENA, PETRO, MARIA):
            for key in (self.place.passkeys[account], self.place.key_files[account]):
                self.add(log_of(account), key.registered())

    def add(
        self,
        log_id: str,
        event: Event,
        *,
        by_keeper: bool = False,
        actor: str = "service:desk",
        causation_id: str = "cause",
        signatures: tuple[Signature, ...] = (),
    ) -> None:
        """A second after the one before, by the server's clock."""
        version, prevhash = self._heads.get(log_id, (0, FIRST_PREVHASH))
        self.seconds += 1
        at = NOW + timedelta(seconds=self.seconds)
        envelope = envelope_of(event)(
            id=f"event-{len(self.stored)}",
            source="/keeper" if by_keeper else f"/services/{OWNER[type(event)]}",
            type=type_of(type(event)),
            subject=log_id,
            time=at,
            data=event,
            caseversion=version + 1,
            correlationid="correlation",
            causationid=causation_id,
            actor="service:keeper" if by_keeper else actor,
            prevhash=prevhash,
            signatures=signatures or None,
        )
        body = envelope.model_dump_json(exclude_none=True).encode()
        self._heads[log_id] = (version + 1, chain_hash(body))
        subject = f"cases.{log_id}.{version + 1}.{type(event).__name__}"
        stored_at = at.strftime("%Y-%m-%dT%H:%M:%S.000000000Z")
        self.stored.append(StoredMessage(len(self.stored) + 1, subject, body, stored_at))

    def decided(self, command: Command, **changes: Any) -> None:
        """Records what a signed command leads to."""
        event = recorded_by(command)
        what: Change = {
            "actor": f"operator:{command.by}",
            "causation_id": command.cause_id,
            "signatures": command.signatures,
        }
        what |= changes
        self.add(command.case_id, what.pop("event", event), **what)

    def found(self, check: str = "signatures") -> list[str]:
        findings = Findings()
        CaseLogs(findings).take(self.stored)
        return [one.what for one in findings.kept if one.check == check]


def recorded_by(command: Command) -> Event:
    event = SIGNED[type(command)].records[0]
    said = {name: value for name, value in command if name in event.model_fields}
    more: Change = {name: sealed() for name in event.PERSONAL if said.get(name) is not None}
    if "expires_at" in event.model_fields:
        more.setdefault("expires_at", said.get("expires_at", NOW + timedelta(hours=1)))
    return event.model_validate({**said, **more})
