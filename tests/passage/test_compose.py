"""docker-compose.yml fits its schema and keeps the promises of the design."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from passage.definitions import SERVICES
from passage.host_names import IN_COMPOSE
from passage.init import make_installation
from passage.nats_server import find_binary
from shared.policy import policy
from shared.settings import Settings
from tests.passage.compose import FILE, ROOT, interpolated, read_compose

COMPOSE = read_compose()
SECRETS = tuple(COMPOSE.secrets.values())
NATS = ("nats-1", "nats-2", "nats-3")


def test_the_file_fits_the_official_schema_of_the_compose_specification() -> None:
    checker = Path(sys.executable).with_name("check-jsonschema")
    checked = subprocess.run(  # noqa: S603 - a pinned tool and our own file
        [str(checker), "--builtin-schema", "vendor.compose-spec", str(FILE)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


def test_three_nats_servers_a_database_the_services_and_one_job_run() -> None:
    assert set(COMPOSE.services) == {*NATS, "postgres", "provision", *SERVICES}


@pytest.mark.parametrize("name", COMPOSE.services)
def test_every_container_is_unprivileged_watched_and_bounded(name: str) -> None:
    service = COMPOSE.services[name]
    assert not service.user.startswith("0:")
    assert service.read_only
    assert service.cap_drop == ["ALL"]
    assert service.security_opt == ["no-new-privileges:true"]
    assert service.healthcheck.test[0] == "CMD"
    assert service.deploy.resources.limits.memory
    assert service.restart in {"unless-stopped", "on-failure"}


def test_only_query_is_published_and_only_on_loopback() -> None:
    published = {name: one.ports for name, one in COMPOSE.services.items() if one.ports}
    assert published == {"query": ["127.0.0.1:8080:8080"]}


def test_the_log_and_the_database_cannot_be_reached_from_outside() -> None:
    assert COMPOSE.networks["log"].internal
    assert COMPOSE.networks["database"].internal
    assert [n for n, one in COMPOSE.services.items() if "database" in one.networks] == [
        "postgres",
        "provision",
        "query",
    ]


@pytest.mark.parametrize("name", COMPOSE.services)
def test_what_a_container_uses_is_declared(name: str) -> None:
    service = COMPOSE.services[name]
    assert set(service.networks) <= set(COMPOSE.networks)
    assert set(service.secrets) <= set(COMPOSE.secrets)
    assert set(service.depends_on) <= set(COMPOSE.services)
    named = {one for one in service.volumes if not one.startswith("${PASSAGE_KEYS")}
    assert {volume.partition(":")[0] for volume in named} <= set(COMPOSE.volumes)


@pytest.mark.parametrize("name", [*SERVICES, "provision"])
def test_every_setting_given_exists(name: str) -> None:
    known = {f"PASSAGE_{field.upper()}" for field in Settings.model_fields}
    assert set(COMPOSE.services[name].environment) <= known


@pytest.mark.parametrize("name", SERVICES)
def test_services_wait_for_the_log_and_hold_their_own_nkey_alone(name: str) -> None:
    service = COMPOSE.services[name]
    assert service.command == [f"services.{name}"]
    assert service.depends_on["provision"].condition == "service_completed_successfully"
    assert service.environment["PASSAGE_REPLICAS"] == "3"
    assert service.environment["PASSAGE_NATS_NKEY"] == f"/run/secrets/{name}.nk"
    assert service.environment["PASSAGE_NATS_CA"] == "/run/secrets/ca.pem"
    public = {"ca.pem", "intake.pub"}
    more = {
        "query": {"query.pem", "query.key"},
        "witness": {"witness.key", "witness.pub"},
    }.get(name, set())
    assert set(service.secrets) - public == {f"{name}.nk"} | more


def test_the_key_holder_alone_has_the_keys_and_stays_sealed() -> None:
    holder = COMPOSE.services["keyholder"]
    assert holder.restart == "on-failure"  # It ends with 0 when it is sealed.
    having = [n for n, one in COMPOSE.services.items() if "holder" in "".join(one.volumes)]
    assert having == ["keyholder"]
    assert not any("holder/" in one.file or one.file.endswith("ca.key") for one in SECRETS)


def test_intake_has_the_channels_public_keys_and_nobody_their_private_ones(tmp_path: Path) -> None:
    make_installation(tmp_path)
    found = [one.partition(":/run/secrets/") for one in COMPOSE.services["intake"].volumes]
    files = [Path(interpolated(one, {"PASSAGE_KEYS": str(tmp_path)})) for one, _, _ in found]
    assert [file.is_file() for file in files] == [True] * len(policy().channels.names)
    assert {inside for _, _, inside in found} == {
        f"channels/{name}.pub:ro" for name in policy().channels.names
    }
    having = [n for n, one in COMPOSE.services.items() if "/channels" in "".join(one.volumes)]
    assert having == ["intake"]
    assert not any("/channels" in one.file for one in SECRETS)


def test_every_secret_is_made_by_init(tmp_path: Path) -> None:
    make_installation(tmp_path, IN_COMPOSE)
    for secret in SECRETS:
        assert Path(interpolated(secret.file, {"PASSAGE_KEYS": str(tmp_path)})).is_file()


@pytest.mark.parametrize("secret", ["routes.key", "server.key", "query.key", "postgres.key"])
def test_the_key_of_a_certificate_is_held_where_it_is_shown(secret: str) -> None:
    role = secret.removesuffix(".key")
    holders = {"routes": NATS, "server": NATS}.get(role, (role,))
    holding = [name for name, one in COMPOSE.services.items() if secret in one.secrets]
    assert holding == list(holders)


def test_the_authoritys_key_is_held_by_nobody() -> None:
    assert not any(one.file.endswith("ca.key") for one in SECRETS)
    shown = {name for name, one in COMPOSE.services.items() if "routes.pem" in one.secrets}
    assert shown == set(NATS)


def test_the_database_is_reached_with_its_name_checked() -> None:
    url = COMPOSE.services["query"].environment["PASSAGE_DATABASE_URL"]
    assert "sslmode=verify-full&sslrootcert=/run/secrets/ca.pem" in url
    assert "--ssl=on" in COMPOSE.services["postgres"].command


def test_no_service_starts_before_the_gate_and_both_see_the_same_witness_file() -> None:
    provision, witness = COMPOSE.services["provision"], COMPOSE.services["witness"]
    assert provision.command == ["passage", "provision", "--gate"]
    files = {one.environment["PASSAGE_WITNESS_FILES"] for one in (provision, witness)}
    assert len(files) == 1
    assert provision.volumes == witness.volumes == ["witness:/witness"]


@pytest.mark.parametrize("name", NATS)
def test_each_nats_server_has_a_store_of_its_own(name: str) -> None:
    assert COMPOSE.services[name].volumes == [f"{name}:/data"]
    assert COMPOSE.services[name].environment == {"NATS_NAME": name}


def test_the_image_is_not_roots_and_its_requirements_are_hashed() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert "--require-hashes" in dockerfile
    for stage in dockerfile.split("FROM ")[1:]:
        target = stage.splitlines()[0].rpartition(" as ")[2].rpartition(" AS ")[2]
        if target in {"nats", "passage"}:
            assert "USER 10001:10001" in stage


def test_the_nats_configuration_is_valid_and_syncs_always(tmp_path: Path) -> None:
    text = (ROOT / "deploy" / "nats.conf").read_text(encoding="utf-8")
    assert "sync_interval: always" in text
    make_installation(tmp_path / "keys", IN_COMPOSE)
    config = tmp_path / "etc" / "nats" / "nats.conf"
    config.parent.mkdir(parents=True)
    secrets = tmp_path / "run" / "secrets"
    secrets.mkdir(parents=True)
    for name in COMPOSE.services["nats-1"].secrets:
        file = interpolated(COMPOSE.secrets[name].file, {"PASSAGE_KEYS": str(tmp_path / "keys")})
        (secrets / name).write_bytes(Path(file).read_bytes())
    here = text.replace("/data", str(tmp_path)).replace('"/run', f'"{tmp_path}/run')
    config.write_text(here, encoding="utf-8")
    checked = subprocess.run(  # noqa: S603 - our own binary and file
        [str(find_binary()), "-t", "-c", str(config)],
        env={**os.environ, "NATS_NAME": "nats-1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr
    assert text.count('min_version: "1.3"') == 2
