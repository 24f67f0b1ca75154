"""The settings of every Passage process, read from the environment (`PASSAGE_...`)."""

from __future__ import annotations

from datetime import time
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """One flat list; each has a default that suits `passage up` on one machine."""

    model_config = SettingsConfigDict(
        env_prefix="PASSAGE_", extra="ignore", hide_input_in_errors=True
    )

    nats_url: str = Field("nats://127.0.0.1:4222", description="nats-servers, separated by commas")
    nats_nkey: Path | None = Field(
        None, description="file NAME.nk of the seed by which nats-server knows this process as NAME"
    )
    nats_ca: Path | None = Field(
        None, description="certificates to trust; set, nats-server must show one of theirs"
    )
    fsync: Literal["demanded", "trusted"] = Field(
        "demanded", description="whether intake waits until nats-server says that it syncs always"
    )
    replicas: int = Field(1, ge=1, le=5, description="copies of every stream (`provision`)")
    keys_dir: Path = Field(
        Path(".passage.keys"), description="folder of the key files; never inside the data folder"
    )
    database_url: str = Field(
        "sqlite:///.passage/query.db", description="where query keeps its read models"
    )
    http: str = Field(
        "127.0.0.1:8080",
        pattern=r"^.+:[0-9]{1,5}$",
        description="HOST:PORT of the API and the pages",
    )
    http_certificate: Path | None = Field(None, description="certificate of the API, with TLS")
    http_key: Path | None = Field(None, description="private key of the API's certificate")
    registry_file: Path = Field(
        Path(".passage.keys/registry.db"), description="the personnel registry, a SQLite file"
    )
    request_timeout_s: float = Field(
        5.0, gt=0, description="how long one request to the server may take, seconds"
    )
    command_timeout_s: float = Field(
        10.0, gt=0, description="how long query waits for a service's answer, seconds"
    )
    rotate_at: time = Field(time(3), description="when keys are rotated every night, HH:MM in UTC")
    seal_after_idle_s: float = Field(
        0.0, ge=0, description="the key holder seals itself after so long unused, seconds; 0: never"
    )
    names_idle_s: float = Field(
        900.0, gt=0, description="query forgets names when nobody searched for so long, seconds"
    )
    small_numbers_below: int = Field(
        5, ge=2, description="public exports show numbers below this as smaller, not as they are"
    )
    retention_days: int = Field(
        3650, ge=1, description="how long a closed case is kept before it may be erased, days"
    )
    location_retention_hours: float = Field(
        72.0, ge=0, description="how long places are kept after handover, hours"
    )
    registry_answer_minutes: float = Field(
        15.0, ge=0, description="how long a registry has to answer before a person looks, minutes"
    )
    registry_overdue_hours: float = Field(
        24.0, ge=0, description="how long a claim may be without a registry's word, hours"
    )
    outbound_report_minutes: float = Field(
        10.0,
        gt=0,
        description="how long a channel may take to say what became of a message, minutes",
    )
    contact_due_hours: float = Field(
        6.0, ge=0, description="after so long without contact he should be heard of, hours"
    )
    contact_silent_hours: float = Field(
        12.0, ge=0, description="after so long without contact he counts as silent, hours"
    )
    decide_lost_hours: float = Field(
        72.0,
        ge=0,
        description="after so long without contact a person decides if he is lost, hours",
    )
    rendezvous_expiry_hours: float = Field(
        2.0, ge=0, description="how long after its window a rendezvous expires, hours"
    )
    offer_unanswered_minutes: float = Field(
        30.0, ge=0, description="after so long a team should have answered an offer, minutes"
    )
    offer_unanswered_again_minutes: float = Field(
        120.0, ge=0, description="after so long without the team's answer it is said again, minutes"
    )
    capture_card_days: float = Field(
        7.0, ge=0, description="how long after he came to a camp his card is to be sent, days"
    )
    outbound_report_minutes: float = Field(
        10.0,
        gt=0,
        description="how long a channel may take to say what became of a message, minutes",
    )
    lease_minutes: float = Field(5.0, gt=0, description="how long a claim lasts, minutes")
    life_now_s: float = Field(
        60.0, gt=0, description="how long a case of urgency life_now may wait unclaimed, seconds"
    )
    second_call_days: float = Field(
        30.0, gt=0, description="how long after his code a man may be silent, days"
    )
    supervisors: str = Field("", description="the supervisors' names, separated by commas")
    incarnation: str = Field(
        "",
        pattern=r"^([0-9a-f]{32})?$",
        description="the incarnation of CASES that the gate let through; the one found if empty",
    )
    witness_files: str = Field(
        ".passage.witness/checkpoints.jsonl",
        description="where checkpoints are kept, separated by commas; best on another disk each",
    )
    witness_interval_s: float = Field(
        60.0, gt=0, description="how often the witness signs what is new, seconds"
    )
    witness_ends: bool = Field(
        False, description="whether the witness is stopped last, so that the log ends with it"
    )
    threads: int = Field(64, ge=1, description="messages that a service works on at once, threads")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="DEBUG, INFO, WARNING or ERROR"
    )

    @property
    def identity(self) -> str:
        """Who this process is to nats-server; empty where no nkey is set."""
        return self.nats_nkey.stem if self.nats_nkey is not None else ""

    @property
    def nats_servers(self) -> list[str]:
        """The URLs of nats-servers, one an element."""
        return [server.strip() for server in self.nats_url.split(",")]

    @property
    def supervisor_names(self) -> tuple[str, ...]:
        """Who is a supervisor."""
        return tuple(one.strip() for one in self.supervisors.split(",") if one.strip())

    @property
    def witness_paths(self) -> tuple[Path, ...]:
        """The witness files."""
        return tuple(Path(one.strip()) for one in self.witness_files.split(",") if one.strip())
