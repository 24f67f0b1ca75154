"""docker-compose.yml fits its schema and keeps the promises of the design."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from passage.install.definitions import SERVICES
from passage.install.host_names import IN_COMPOSE
from passage.install.installation import make_installation
from passage.own_keys import FOLDER_VARIABLE
from passage.runner.nats_server import find_binary
from passage.running import HTTP_URL_VARIABLE, PINNED_VARIABLE
from shared.policy import policy
from shared.settings import Settings
from tests.passage.compose import FILE, ROOT, interpolated, read_compose

COMPOSE = read_compose()
SECRETS = tuple(COMPOSE.secrets.values())
NATS = ("nats-1", "nats-2", "nats-3")
OF_THE_DATABASE = ("postgres", "provision", "query", "passage")


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
    assert {n for n, one in COMPOSE.services.items() if one.runs_by_itself} == {
        *NATS,
        "postgres",
        "provision",
        *SERVICES,
    }


def test_verbs_and_channels_have_services_that_run_only_when_asked_for() -> None:
    asked_for = {n: one for n, one in COMPOSE.services.items() if not one.runs_by_itself}
    assert set(asked_for) == {"init", "passage", "channel"}
    for service in asked_for.values():
        assert service.entrypoint == ["python", "-m", "passage"]
        assert service.restart == "no"
        assert not service.depends_on  # They work with what runs, whatever else is down.


def test_a_channels_container_holds_that_channels_secrets_alone() -> None:
    channel = COMPOSE.services["channel"]
    assert channel.held == {"ca.pem", "intake.pub", "channel.nk", "outbox.nk"}


def test_a_channels_container_reaches_nats_server_and_nothing_else() -> None:
    with_it = {n for n, one in COMPOSE.services.items() if "channels" in one.networks}
    assert with_it == {*NATS, "channel"}
    assert COMPOSE.services["channel"].networks == ["channels"]
    assert COMPOSE.networks["channels"].internal


def test_one_image_is_built_once() -> None:
    built = [one.image for one in COMPOSE.services.values() if one.build is not None]
    assert built.count("passage:0.1.0") == 1
    assert {one.image for one in COMPOSE.services.values()} == set(built)


def test_nothing_that_up_waits_for_can_go_on_for_ever() -> None:
    provision = COMPOSE.services["provision"]
    assert provision.restart == "no"
    assert "--wait" in provision.command
    # Whether they are healthy is for provision to say: compose would wait for a crash loop.
    assert set(provision.depends_on) == {*NATS, "postgres"}
    for name in SERVICES:
        assert set(COMPOSE.services[name].depends_on) == {"provision"}


def test_probes_start_no_python_and_no_shell_of_ours_needs_it() -> None:
    tests = {n: one.healthcheck.test for n, one in COMPOSE.services.items() if one.runs_by_itself}
    assert {n for n, test in tests.items() if test == ["CMD", "probe.sh"]} == set(SERVICES)
    assert not any("python" in word for test in tests.values() for word in test)


@pytest.mark.parametrize("name", COMPOSE.services)
def test_every_container_is_unprivileged_watched_and_bounded(name: str) -> None:
    service = COMPOSE.services[name]
    assert not service.user.startswith("0:")
    assert service.read_only
    assert service.cap_drop == ["ALL"]
    assert service.security_opt == ["no-new-privileges:true"]
    ends = not service.runs_by_itself or name == "provision"
    assert service.healthcheck.disable if ends else service.healthcheck.test[0] == "CMD"
    assert service.deploy.resources.limits.memory
    assert service.deploy.resources.limits.pids
    assert ends or service.restart in {"always", "on-failure"}


def test_the_log_and_the_database_cannot_be_reached_from_outside() -> None:
    assert COMPOSE.networks["log"].internal
    assert COMPOSE.networks["database"].internal
    inside = [name for name, one in COMPOSE.services.items() if "database" in one.networks]
    assert inside == list(OF_THE_DATABASE)


@pytest.mark.parametrize("name", COMPOSE.services)
def test_what_a_container_uses_is_declared(name: str) -> None:
    service = COMPOSE.services[name]
    assert set(service.networks) <= set(COMPOSE.networks)
    assert service.held <= set(COMPOSE.secrets)
    assert set(service.depends_on) <= set(COMPOSE.services)
    named = {interpolated(one, {}) for one in service.volumes if "PASSAGE_KEYS" not in one}
    assert {volume.partition(":")[0] for volume in named} <= set(COMPOSE.volumes)


@pytest.mark.parametrize("name", [*SERVICES, "provision", "passage", "channel"])
def test_every_setting_given_exists(name: str) -> None:
    known = {f"PASSAGE_{field.upper()}" for field in Settings.model_fields} | {
        HTTP_URL_VARIABLE,
        PINNED_VARIABLE,
        FOLDER_VARIABLE,
    }
    assert set(COMPOSE.services[name].environment) <= known


@pytest.mark.parametrize("name", SERVICES)
def test_services_wait_for_the_log_and_hold_their_own_nkey_alone(name: str) -> None:
    service = COMPOSE.services[name]
    assert service.command == [f"services.{name}"]
    assert isinstance(service.depends_on, dict)
    assert service.depends_on["provision"].condition == "service_completed_successfully"
    assert service.environment["PASSAGE_REPLICAS"] == "3"
    assert service.environment["PASSAGE_NATS_NKEY"] == f"/run/secrets/{name}.nk"
    assert service.environment["PASSAGE_NATS_CA"] == "/run/secrets/ca.pem"
    public = {"ca.pem", "intake.pub"}
    more = {
        "query": {"query.pem", "query.key", "database.password"},
        "witness": {"witness.key", "witness.pub"},
    }.get(name, set())
    assert service.held - public == {f"{name}.nk"} | more


def test_the_key_holder_alone_has_the_keys_and_stays_sealed() -> None:
    holder = COMPOSE.services["keyholder"]
    assert holder.restart == "on-failure"  # It ends with 0 where it can't note that it is sealed.
    # No restart unseals: it finds its note, which `passage keys unseal` takes away.
    for name in ("keyholder", "passage"):
        assert COMPOSE.services[name].environment["PASSAGE_SEALED_FILE"] == "/sealed/sealed"
        assert "sealed:/sealed" in COMPOSE.services[name].volumes
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
    assert having == ["intake", "channel"]
    assert not any("/channels" in one.file for one in SECRETS)


def test_every_secret_is_made_by_init(tmp_path: Path) -> None:
    make_installation(tmp_path, IN_COMPOSE)
    for secret in SECRETS:
        assert Path(interpolated(secret.file, {"PASSAGE_KEYS": str(tmp_path)})).is_file()


@pytest.mark.parametrize("secret", ["routes.key", "server.key", "query.key", "postgres.key"])
def test_the_key_of_a_certificate_is_held_where_it_is_shown(secret: str) -> None:
    role = secret.removesuffix(".key")
    holders = {"routes": NATS, "server": NATS}.get(role, (role,))
    holding = [name for name, one in COMPOSE.services.items() if secret in one.held]
    assert holding == list(holders)


def test_the_authoritys_key_is_held_by_nobody() -> None:
    assert not any(one.file.endswith("ca.key") for one in SECRETS)
    shown = {name for name, one in COMPOSE.services.items() if "routes.pem" in one.held}
    assert shown == set(NATS)


def test_the_database_is_reached_with_its_name_checked() -> None:
    url = COMPOSE.services["query"].environment["PASSAGE_DATABASE_URL"]
    assert "sslmode=verify-full&sslrootcert=/run/secrets/ca.pem" in url


def test_no_password_stands_in_an_environment() -> None:
    for service in COMPOSE.services.values():
        for name, value in service.environment.items():
            assert "PASSWORD" not in name or value == "/run/secrets/database.password"
            assert "passage:" not in value
    holding = [name for name, one in COMPOSE.services.items() if "database.password" in one.held]
    assert holding == list(OF_THE_DATABASE)


def test_the_database_lets_nobody_in_but_query_by_tls_and_no_superuser_by_tcp() -> None:
    lines = (ROOT / "deploy" / "pg_hba.conf").read_text(encoding="utf-8").splitlines()
    allowed = [line.split() for line in lines if line and not line.startswith("#")]
    assert allowed == [
        ["local", "all", "postgres", "peer"],
        ["hostssl", "passage", "passage", "all", "scram-sha-256"],
    ]
    script = (ROOT / "deploy" / "postgres.sh").read_text(encoding="utf-8")
    for setting in ("ssl=on", "ssl_min_protocol_version=TLSv1.3", "hba_file=/etc/postgres/"):
        assert f"-c {setting}" in script
    assert "NOSUPERUSER" in script


def test_no_service_starts_before_the_gate_and_both_see_the_same_witness_file() -> None:
    provision, witness = COMPOSE.services["provision"], COMPOSE.services["witness"]
    assert provision.command[:3] == ["passage", "provision", "--gate"]
    files = {one.environment["PASSAGE_WITNESS_FILES"] for one in (provision, witness)}
    assert len(files) == 1
    assert provision.volumes == witness.volumes == ["witness:/witness"]


@pytest.mark.parametrize("name", NATS)
def test_each_nats_server_has_a_store_of_its_own(name: str) -> None:
    assert COMPOSE.services[name].volumes == [f"{name}:/data"]
    environment = dict(COMPOSE.services[name].environment)
    assert environment.pop("NATS_NAME") == name
    # Their sizes are the container's; by themselves they would take the host's.
    assert set(environment) == {"GOMEMLIMIT", "NATS_STORE_MAX", "NATS_SYNC"}
    assert interpolated(environment["NATS_SYNC"], {}) == "always"


def test_the_image_is_not_roots_and_its_requirements_are_hashed() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert "--require-hashes" in dockerfile
    for stage in dockerfile.split("FROM ")[1:]:
        target = stage.splitlines()[0].rpartition(" as ")[2].rpartition(" AS ")[2]
        if target in {"nats", "postgres", "passage"}:
            assert "USER 10001:10001" in stage


def test_the_nats_configuration_is_valid_and_syncs_always(tmp_path: Path) -> None:
    text = (ROOT / "deploy" / "nats.conf").read_text(encoding="utf-8")
    assert "sync_interval: $NATS_SYNC" in text
    make_installation(tmp_path / "keys", IN_COMPOSE)
    config = tmp_path / "etc" / "nats" / "nats.conf"
    config.parent.mkdir(parents=True)
    secrets = tmp_path / "run" / "secrets"
    secrets.mkdir(parents=True)
    for name in COMPOSE.services["nats-1"].held:
        file = interpolated(COMPOSE.secrets[name].file, {"PASSAGE_KEYS": str(tmp_path / "keys")})
        (secrets / name).write_bytes(Path(file).read_bytes())
    here = text.replace("/data", str(tmp_path)).replace('"/run', f'"{tmp_path}/run')
    config.write_text(here, encoding="utf-8")
    checked = subprocess.run(  # noqa: S603 - our own binary and file
        [str(find_binary()), "-t", "-c", str(config)],
        env={
            **os.environ,
            **{k: interpolated(v, {}) for k, v in COMPOSE.services["nats-1"].environment.items()},
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr
    assert text.count('min_version: "1.3"') == 2
