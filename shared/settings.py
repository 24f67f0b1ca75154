"""The settings of every Passage process, read from the environment (`PASSAGE_...`)."""

from __future__ import annotations

from datetime import time
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.database_url import require_room_for_password, with_password

CALL_MAX_BYTES = 393_216
"""The largest call that a channel's stream takes: one of a text of 250 kB; in a box on PARKED it is
within what the server takes."""


class Settings(BaseSettings):
    """One flat list; each has a default that suits `passage up` on one machine."""

    model_config = SettingsConfigDict(
        env_prefix="PASSAGE_", extra="ignore", hide_input_in_errors=True
    )

    nats_url: str = Field("nats://127.0.0.1:4222", description="nats-servers, separated by commas")
    nats_nkey: Path | None = Field(
        None,
        description="file `NAME.nk` of the seed by which nats-server knows this process as NAME. "
        "None: a server without accounts",
    )
    nats_ca: Path | None = Field(
        None,
        description="authority to trust: set, nats-server must show a certificate of its, for the"
        " name in the URL, by TLS 1.3. The verbs trust it for the API too",
    )
    fsync: Literal["demanded", "trusted"] = Field(
        "demanded",
        description="intake handles calls only once every nats-server says that it syncs always; "
        "`trusted` doesn't ask, for a test's server without accounts",
    )
    replicas: int = Field(
        1, ge=1, le=5, description="copies of every stream, 1 to 5; read by `passage provision`"
    )
    calls_max_bytes: int = Field(
        268_435_456,
        ge=1_048_576,
        description="how much may wait of one channel, bytes; beyond it the channel gets an error "
        "and keeps its calls. Read by `passage provision`, which reserves so much disk a channel",
    )
    calls_max_messages: int = Field(
        100_000,
        ge=1,
        description="how many messages may wait of one channel; read by `passage provision`",
    )
    calls_bytes_an_hour: int = Field(
        268_435_456,
        ge=1_048_576,
        description="how much of one channel intake takes an hour, and at once, bytes, each "
        "message 4,096 longer than it is; what is above waits in the channel's own stream, so "
        "that no channel fills the log's disk in a day",
    )
    call_message_max_bytes: int = Field(
        CALL_MAX_BYTES,
        ge=16_384,
        le=CALL_MAX_BYTES,
        description="the largest message that a channel may publish, headers included, bytes; "
        "recordings go by reference. Read by `passage provision`",
    )
    keys_dir: Path = Field(Path(".passage.keys"), description="folder of the key files")
    database_url: str = Field(
        "sqlite:///.passage/query.db",
        pattern="^(sqlite:///.|postgresql\\+psycopg://)",
        description="query's read models; PostgreSQL as `postgresql+psycopg://USER@HOST:PORT/NAME`",
    )
    database_password_file: Path | None = Field(
        None,
        validate_default=True,
        description="file of PostgreSQL's password: one line of any characters, mode 600; the URL "
        "holds none then. `passage init` makes `database.password`",
    )
    http: str = Field(
        "127.0.0.1:8080",
        pattern=r"^.+:[0-9]{1,5}$",
        description="where query serves the API and the pages; must be HOST:PORT",
    )
    http_certificate: Path | None = Field(
        None,
        description="certificate of the API: set, it speaks TLS 1.3 only; off loopback query "
        "doesn't start without",
    )
    http_key: Path | None = Field(
        None,
        validate_default=True,
        description="private key of that certificate; set where the certificate is",
    )
    registry_file: Path = Field(
        Path(".passage.keys/registry.db"),
        description="the personnel registry, a SQLite file; `passage up` sets it to "
        "`DIR.keys/registry.db`",
    )
    request_timeout_s: float = Field(5.0, gt=0, description="one request to nats-server, seconds")
    command_timeout_s: float = Field(
        10.0, gt=0, description="how long query waits for a service's answer, seconds"
    )
    rotate_at: time = Field(
        time(3),
        description="when the key holder wraps all data keys under a new key-encryption key every"
        " night, UTC",
    )
    seal_after_idle_s: float = Field(
        0.0,
        ge=0,
        description="the key holder seals itself after so many seconds in which nobody asked for "
        "anything; 0: never",
    )
    names_idle_s: float = Field(
        900.0,
        gt=0,
        description="query forgets the names that it holds in memory when nobody searched by name"
        " for so long, seconds",
    )
    person_searches_an_hour: int = Field(
        240,
        ge=1,
        description="how many searches by number, caller, code or name, and questions who a caller "
        "is, one person may make in an hour",
    )
    person_hashes_an_hour: int = Field(
        2_000,
        ge=1,
        description="how many numbers, callers and codes are hashed for one person's searches in "
        "an hour; a search hashes each reading of a number",
    )
    person_cases_an_hour: int = Field(
        120,
        ge=1,
        description="of how many cases one person may have personal values shown in an hour; the "
        "same case again within it counts once",
    )
    person_values_an_hour: int = Field(
        5_000, ge=1, description="how many personal values one person may have shown in an hour"
    )
    new_names_an_hour: int = Field(
        60,
        ge=1,
        description="under how many names that nobody used within the hour values may be shown and "
        "searches made",
    )
    small_numbers_below: int = Field(
        5, ge=2, description="public exports show numbers below this as smaller, not as they are"
    )
    retention_days: int = Field(
        3650, ge=1, description="how long a case is closed before it may be erased unasked, days"
    )
    location_retention_hours: float = Field(
        72.0, ge=0, description="how long places are kept after handover, hours"
    )
    registry_answer_minutes: float = Field(
        15.0, ge=0, description="how long a registry has to answer before a person looks, minutes"
    )
    registry_overdue_hours: float = Field(
        24.0, ge=0, description="how long a statement may be without a registry's word, hours"
    )
    outbound_report_minutes: float = Field(
        10.0, gt=0, description="how long a channel may take to report on a message, minutes"
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
    lease_minutes: float = Field(5.0, gt=0, description="how long a claim lasts, minutes")
    life_now_s: float = Field(
        60.0, gt=0, description="how long a case of urgency life_now may wait unclaimed, seconds"
    )
    second_call_days: float = Field(
        30.0, gt=0, description="how long after his code a man may be silent, days"
    )
    supervisors: str = Field(
        "",
        description="the supervisors' names, separated by commas. Named, they alone clear a duress "
        "alarm, and close as hoax or infiltration without a second person; with none named anybody "
        "clears an alarm, and closing so takes two",
    )
    incarnation: str = Field(
        "",
        pattern=r"^([0-9a-f]{32})?$",
        description="the incarnation of CASES that services may write into; set by `passage up` "
        "from the gate; empty: the one they find",
    )
    witness_files: str = Field(
        ".passage.witness/checkpoints.jsonl",
        description="where checkpoints are kept, separated by commas; `passage up` takes "
        "`DIR.witness/checkpoints.jsonl` where it isn't set. Name a second one on "
        "another disk",
    )
    witness_interval_s: float = Field(
        60.0, gt=0, description="how often the witness signs what is new, seconds"
    )
    witness_ends: bool = Field(
        False,
        description="whether the witness is stopped after all other services, so that its last "
        "line is the log's end; set by `passage up`, and by nobody else",
    )
    sealed_file: Path | None = Field(
        None,
        description="where the key holder notes that it is sealed, so that no restart unseals it: "
        "while the file is there it holds no keys and waits for `passage keys unseal`. None: "
        "sealed, it ends with exit code 0, and whoever runs it keeps it so",
    )
    health_file: Path | None = Field(
        None,
        description="where a service writes every few seconds that it is ready, or why not, for "
        "a container's health check",
    )
    disks: str = Field(
        "",
        description="folders whose disks query looks at, separated by commas: /readyz is 503 where "
        "one is full; set by `passage up`",
    )
    stuck_after_s: float = Field(
        60.0,
        gt=0,
        description="`passage up` and the verbs that start a nats-server end where a start makes "
        "no progress for so long, seconds; what makes progress is waited for",
    )
    threads: int = Field(64, ge=1, description="messages that a service works on at once")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="DEBUG, INFO, WARNING or ERROR"
    )

    @field_validator("database_password_file")
    @classmethod
    def _fits_the_url(cls, path: Path | None, given: ValidationInfo) -> Path | None:
        if path is not None:
            require_room_for_password(str(given.data.get("database_url", "")))
        return path

    @field_validator("http_key")
    @classmethod
    def _has_the_certificates(cls, path: Path | None, given: ValidationInfo) -> Path | None:
        if path is None and given.data.get("http_certificate") is not None:
            raise ValueError("must be set where PASSAGE_HTTP_CERTIFICATE is")
        return path

    @property
    def database(self) -> str:
        """The URL of the read models with the password of its file. Raises KeyFilesError."""
        return with_password(self.database_url, self.database_password_file)

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
        return _listed(self.supervisors)

    @property
    def witness_paths(self) -> tuple[Path, ...]:
        """The witness files."""
        return tuple(map(Path, _listed(self.witness_files)))

    @property
    def disk_paths(self) -> tuple[Path, ...]:
        """The folders whose disks are looked at."""
        return tuple(map(Path, _listed(self.disks)))


def _listed(text: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in text.split(",") if one.strip())
