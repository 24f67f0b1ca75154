"""docker-compose.yml: what people and the command line reach, and how they are let in."""

import pytest

from passage.install.definitions import SERVICES
from shared.settings import Settings
from tests.passage.compose import ROOT, interpolated, read_compose

COMPOSE = read_compose()


@pytest.mark.parametrize(
    ("variables", "port", "site"),
    [
        ({}, "127.0.0.1:8080:8080", "https://localhost:8080"),
        ({"PASSAGE_PORT": "9000"}, "127.0.0.1:9000:8080", "https://localhost:9000"),
        (
            {
                "PASSAGE_PUBLISH": "0.0.0.0",  # noqa: S104 - what is published where is said
                "PASSAGE_PORT": "443",
                "PASSAGE_SITE": "https://desk.passage.example",
            },
            "0.0.0.0:443:8080",
            "https://desk.passage.example",
        ),
    ],
)
def test_only_query_is_published_and_elsewhere_than_on_loopback_only_where_it_is_said(
    variables: dict[str, str], port: str, site: str
) -> None:
    published = {name: one.ports for name, one in COMPOSE.services.items() if one.ports}
    assert list(published) == ["query"]
    assert [interpolated(one, variables) for one in published["query"]] == [port]
    for name in (*SERVICES, "provision", "passage"):
        told = interpolated(COMPOSE.services[name].environment["PASSAGE_SITE"], variables)
        assert told == site == Settings(site=told).site


def test_what_is_published_uses_tls_with_a_certificate_and_key_that_are_secrets() -> None:
    query, verbs = COMPOSE.services["query"], COMPOSE.services["passage"]
    for setting, secret in (("CERTIFICATE", "query.pem"), ("KEY", "query.key")):
        assert query.environment[f"PASSAGE_HTTP_{setting}"] == f"/run/secrets/{secret}"
        assert secret in query.held
    # Verbs believe the certificate that is put in, whoever signed it and for whatever name.
    assert verbs.environment["PASSAGE_HTTP_PINNED"] == "/run/secrets/query.pem"
    assert "query.pem" in verbs.held


def test_desk_runs_as_the_other_services_do_with_an_identity_of_its_own() -> None:
    desk, handover = COMPOSE.services["desk"], COMPOSE.services["handover"]
    assert desk.held == {"desk.nk", "intake.pub", "ca.pem"}
    assert (desk.deploy, desk.healthcheck) == (handover.deploy, handover.healthcheck)
    assert (desk.networks, desk.restart, desk.ports) == (["log"], "always", [])


def test_the_key_files_of_people_stay_where_the_verbs_find_them() -> None:
    verbs = COMPOSE.services["passage"]
    assert verbs.environment["PASSAGE_PEOPLE"] == "/people"
    assert "people:/people" in [interpolated(one, {}) for one in verbs.volumes]
    having = [n for n, one in COMPOSE.services.items() if "/people" in "".join(one.volumes)]
    assert having == ["passage"]
    assert "/people" in (ROOT / "Dockerfile").read_text(encoding="utf-8")
