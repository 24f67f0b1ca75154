"""The settings of every Passage process, read from the environment (`PASSAGE_...`)."""

from datetime import time
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import SettingsConfigDict

from shared.database_url import require_room_for_password, with_password
from shared.site_names import read_site
from shared.waits import Waits

CALL_MAX_BYTES = 393_216
"""The largest call that a channel's stream takes: one of a text of 250 kB; in a box on PARKED it is
within what the server takes."""


class Settings(Waits):
    """Each has a default that suits `passage up` on one machine."""

    model_config = SettingsConfigDict(
        env_prefix="PASSAGE_", extra="ignore", hide_input_in_errors=True
    )

    nats_url: str = Field("nats://127.0.0.1:4222", description="nats-servers, separated by commas")
    nats_nkey: Path | None = Field(
        None,
        description="file `NAME.nk` with the seed by which nats-server knows this process as "
        "NAME. None: a server without accounts",
    )
    nats_ca: Path | None = Field(
        None,
        description="the authority to trust. If set, nats-server must use TLS 1.3, with its "
        "certificate for the name in the URL. The verbs trust it for the API too",
    )
    fsync: Literal["demanded", "trusted"] = Field(
        "demanded",
        description="intake handles calls only if every nats-server says that it always syncs; "
        "`trusted` doesn't ask, for a test's server without accounts",
    )
    replicas: int = Field(
        1, ge=1, le=5, description="copies of every stream, 1 to 5; read by `passage provision`"
    )
    calls_max_bytes: int = Field(
        268_435_456,
        ge=1_048_576,
        description="how many bytes of one channel may wait; beyond that the channel gets an error "
        "and keeps its calls. `passage provision` reads it and reserves as much disk a channel",
    )
    calls_max_messages: int = Field(
        100_000,
        ge=1,
        description="how many messages may wait of one channel; read by `passage provision`",
    )
    calls_bytes_an_hour: int = Field(
        268_435_456,
        ge=1_048_576,
        description="how many bytes of one channel intake takes an hour, and at once, with 4,096 "
        "added for each message, or what it leaves in the log if that is more; the rest waits in "
        "the channel's own stream, so that no channel fills the log's disk in a day",
    )
    call_message_max_bytes: int = Field(
        CALL_MAX_BYTES,
        ge=16_384,
        le=CALL_MAX_BYTES,
        description="the largest message that a channel may publish, headers included, bytes; "
        "recordings are sent as references. Read by `passage provision`",
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
        description="file with PostgreSQL's password: one line of any characters, mode 600; the "
        "URL must have none then. `passage init` makes `database.password`",
    )
    http: str = Field(
        "127.0.0.1:8080",
        pattern=r"^.+:[0-9]{1,5}$",
        description="where query serves the API and the pages; must be HOST:PORT",
    )
    http_certificate: Path | None = Field(
        None,
        description="the API's certificate, with those that lead to its authority behind it; if "
        "set, it uses TLS 1.3 only. query needs one to listen off loopback",
    )
    http_key: Path | None = Field(
        None,
        validate_default=True,
        description="that certificate's private key; set both or neither",
    )
    site: str = Field(
        "",
        description="the address that people's browsers show, as `https://passage.example`; the "
        "same for all services. Passkeys are made for its host name and no other, so that a later "
        "change makes them useless. Empty: the certificate's first host name, or `localhost`, "
        "with the port of `PASSAGE_HTTP`",
    )
    registry_file: Path = Field(
        Path(".passage.keys/registry.db"),
        description="the personnel registry, a SQLite file; `passage up` sets it to "
        "`DIR.keys/registry.db`",
    )
    request_timeout_s: float = Field(
        5.0, gt=0, description="how long a request to nats-server may take, seconds"
    )
    command_timeout_s: float = Field(
        10.0, gt=0, description="how long query waits for a service's answer, seconds"
    )
    rotate_at: time = Field(
        time(3),
        description="the time (UTC) of the nightly rotation: the key holder wraps all data keys "
        "under a new key-encryption key",
    )
    seal_after_idle_s: float = Field(
        0.0,
        ge=0,
        description="the key holder seals itself after this many seconds without a request; 0: "
        "never",
    )
    names_idle_s: float = Field(
        900.0,
        gt=0,
        description="query forgets the names in its memory after this many seconds without a "
        "search by name",
    )
    person_searches_an_hour: int = Field(
        240,
        ge=1,
        description="how many searches by number, caller, code or name, and questions about who a "
        "caller is, an operator may make in an hour; other roles as ADR 42 says",
    )
    person_hashes_an_hour: int = Field(
        2_000,
        ge=1,
        description="how many numbers, callers and codes are hashed for an operator's searches in "
        "an hour; a search hashes each reading of a number",
    )
    person_cases_an_hour: int = Field(
        120,
        ge=1,
        description="of how many cases an operator may see personal values in an hour; a case "
        "counts once within the hour",
    )
    person_values_an_hour: int = Field(
        5_000, ge=1, description="how many personal values an operator may see in an hour"
    )
    reads_many_cases: int = Field(
        40,
        ge=2,
        description="of how many cases one person may have values shown within an hour before "
        "supervisors see it among the alarms",
    )
    new_names_an_hour: int = Field(
        60,
        ge=1,
        description="while nobody has a key: how many new names people may see values and search "
        "under in an hour; a name used within the hour isn't new",
    )
    small_numbers_below: int = Field(
        5, ge=2, description="public exports show a number below this only as smaller than this"
    )
    retention_days: int = Field(
        3650,
        ge=1,
        description="how long a case must be closed to be erased without a request, days",
    )
    supervisors: str = Field(
        "",
        description="the names of those who were supervisors before people had accounts, separated "
        "by commas; for `passage verify` of older logs alone. Supervisors are who has the role",
    )
    incarnation: str = Field(
        "",
        pattern=r"^([0-9a-f]{32})?$",
        description="the incarnation of CASES that services may write into; `passage up` sets it "
        "from the gate. Empty: the one they find",
    )
    witness_files: str = Field(
        ".passage.witness/checkpoints.jsonl",
        description="files for checkpoints, separated by commas; if not set, `passage up` uses "
        "`DIR.witness/checkpoints.jsonl`. Name a second one on another disk",
    )
    witness_interval_s: float = Field(
        60.0, gt=0, description="how often the witness signs new events, seconds"
    )
    witness_ends: bool = Field(
        False,
        description="whether the witness is stopped after all other services, so that its last "
        "line is the log's end; only `passage up` sets it",
    )
    sealed_file: Path | None = Field(
        None,
        description="where the key holder notes that it is sealed, so that no restart unseals it: "
        "while the file exists it reads no keys and waits for `passage keys unseal`. None: it "
        "ends with exit code 0 when sealed, and must not be restarted",
    )
    health_file: Path | None = Field(
        None,
        description="where a service writes every few seconds whether it is ready, or why not, for "
        "a container's health check",
    )
    disks: str = Field(
        "",
        description="folders whose disks query checks, separated by commas: /readyz is 503 if one "
        "is full; `passage up` sets it",
    )
    stuck_after_s: float = Field(
        60.0,
        gt=0,
        description="how long a start may make no progress, seconds; then `passage up` and the "
        "verbs that start a nats-server end",
    )
    threads: int = Field(64, ge=1, description="how many messages a service processes at once")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="DEBUG, INFO, WARNING or ERROR"
    )

    @field_validator("database_password_file")
    @classmethod
    def _fits_the_url(cls, path: Path | None, given: ValidationInfo) -> Path | None:
        if path is not None:
            require_room_for_password(str(given.data.get("database_url", "")))
        return path

    @field_validator("site")
    @classmethod
    def _is_a_site(cls, text: str) -> str:
        return read_site(text) if text else ""

    @field_validator("http_key")
    @classmethod
    def _has_the_certificates(cls, path: Path | None, given: ValidationInfo) -> Path | None:
        if path is None and given.data.get("http_certificate") is not None:
            raise ValueError("must be set where PASSAGE_HTTP_CERTIFICATE is")
        return path

    @property
    def database(self) -> str:
        """The URL of the read models with the password from its file. Raises KeyFilesError."""
        return with_password(self.database_url, self.database_password_file)

    @property
    def identity(self) -> str:
        """Who this process is to nats-server; empty if no nkey is set."""
        return self.nats_nkey.stem if self.nats_nkey is not None else ""

    @property
    def nats_servers(self) -> list[str]:
        return [server.strip() for server in self.nats_url.split(",")]

    @property
    def supervisor_names(self) -> tuple[str, ...]:
        return _listed(self.supervisors)

    @property
    def witness_paths(self) -> tuple[Path, ...]:
        return tuple(map(Path, _listed(self.witness_files)))

    @property
    def disk_paths(self) -> tuple[Path, ...]:
        return tuple(map(Path, _listed(self.disks)))


def _listed(text: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in text.split(",") if one.strip())
