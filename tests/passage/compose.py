"""docker-compose.yml as a typed model of the parts that it uses, for the tests of its promises.

The official schema leaves much open; here unknown keys and wrong types are refused as well.
"""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.yml"

Span = Annotated[str, StringConstraints(pattern=r"^([0-9]+(ms|s|m|h))+$")]
Size = Annotated[str, StringConstraints(pattern=r"^[0-9]+[bkmgBKMG]$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Healthcheck(_Strict):
    test: list[str] = []
    interval: Span = "0s"
    timeout: Span = "0s"
    retries: int = 0
    start_period: Span = "0s"
    disable: bool = False


class Dependency(_Strict):
    condition: Literal["service_started", "service_healthy", "service_completed_successfully"]


class Resources(_Strict):
    class Amount(_Strict):
        memory: Size
        cpus: str | None = None
        pids: int | None = None

    limits: Amount
    reservations: Amount


class Deploy(_Strict):
    resources: Resources


class Build(_Strict):
    context: str
    target: str
    network: Literal["none"] | None = None


class Logging(_Strict):
    driver: str
    options: dict[str, str]


class Placed(_Strict):
    """A secret under another name than its own."""

    source: str
    target: str


class Service(_Strict):
    image: str
    build: Build | None = None
    profiles: list[str] = []
    entrypoint: list[str] = []
    command: list[str] = []
    working_dir: str | None = None
    user: Annotated[str, StringConstraints(pattern=r"^[0-9]+:[0-9]+$")]
    read_only: bool
    cap_drop: list[str]
    security_opt: list[str]
    restart: Annotated[
        str, StringConstraints(pattern=r"^(no|always|unless-stopped|on-failure(:[0-9]+)?)$")
    ]
    logging: Logging
    healthcheck: Healthcheck
    deploy: Deploy
    stop_grace_period: Span
    stop_signal: Literal["SIGINT"] | None = None
    networks: list[str] = []
    network_mode: Literal["none"] | None = None
    environment: dict[str, str] = {}
    volumes: list[str] = []
    tmpfs: list[str] = []
    secrets: list[str | Placed] = []
    ports: list[str] = []
    depends_on: dict[str, Dependency] | list[str] = {}

    @property
    def held(self) -> set[str]:
        return {one if isinstance(one, str) else one.source for one in self.secrets}

    @property
    def runs_by_itself(self) -> bool:
        return not self.profiles


class Network(_Strict):
    internal: bool = False


class Volume(_Strict):
    pass


class Secret(_Strict):
    file: str


class Compose(_Strict):
    name: str
    services: dict[str, Service]
    networks: dict[str, Network]
    volumes: dict[str, Volume]
    secrets: dict[str, Secret]
    extensions: dict[str, Any] = Field(default_factory=dict)


def read_compose() -> Compose:
    """Reads the file; `x-` extensions are the only keys that may be anything."""
    content = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    extensions = {key: content.pop(key) for key in list(content) if key.startswith("x-")}
    return Compose.model_validate({**content, "extensions": extensions})


def interpolated(text: str, variables: dict[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        return variables.get(found["name"], found["default"] or "")

    inner = r"\$\{(?P<name>\w+)(?::-(?P<default>[^{}]*)|:\?[^{}]*)?\}"
    while (replaced := re.sub(inner, value, text)) != text:  # A default may name another variable.
        text = replaced
    return text
