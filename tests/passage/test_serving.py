"""Where `passage up` serves the API: on loopback as it is, elsewhere with a good certificate."""

from pathlib import Path

import pytest

from passage.exits import Exit, VerbEndedError
from passage.folders import Folders, folders_of
from passage.install.certificates import QUERY
from passage.install.host_names import Names
from passage.install.installation import make_installation
from passage.runner.endpoints import parse_endpoint
from passage.runner.serving import Served, served_at
from shared.settings import Settings
from tests.passage.conftest import RunPassage

ELSEWHERE = ["0.0.0.0:8443", "192.0.2.1:8443", "[::]:8443", "desk.passage.example:8443"]


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return folders_of(tmp_path / "data")


def served(folders: Folders, http: str, **settings: object) -> Served:
    return served_at(folders, parse_endpoint("--http", http), Settings(**settings))  # type: ignore[arg-type]


def refusal(folders: Folders, http: str, **settings: object) -> str:
    with pytest.raises(VerbEndedError) as ended:
        served(folders, http, **settings)
    assert ended.value.code == Exit.FAILED
    return str(ended.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost"])
def test_on_loopback_it_uses_no_tls_and_its_site_is_localhost(folders: Folders, host: str) -> None:
    make_installation(folders.keys, Names(query=("desk.passage.example",)))
    found = served(folders, f"{host}:8080")
    assert (found.site, found.url.partition(":")[0]) == ("http://localhost:8080", "http")
    assert set(found.environment) == {"PASSAGE_HTTP"}


@pytest.mark.parametrize("http", ELSEWHERE)
def test_elsewhere_it_is_refused_without_a_certificate_and_said_what_would_do(
    folders: Folders, http: str
) -> None:
    said = refusal(folders, http)
    assert "isn't loopback" in said
    for needed in ("PASSAGE_HTTP_CERTIFICATE", "PASSAGE_HTTP_KEY", "passage init", "--query NAME"):
        assert needed in said


def test_the_refusal_comes_before_anything_is_made(tmp_path: Path, run_passage: RunPassage) -> None:
    done = run_passage("up", "--data", str(tmp_path / "data"), "--http", "0.0.0.0:8443")
    assert done.code == Exit.FAILED
    assert "PASSAGE_HTTP_CERTIFICATE" in done.err
    assert list(tmp_path.iterdir()) == []


def test_elsewhere_the_installations_own_certificate_is_shown(folders: Folders) -> None:
    make_installation(folders.keys, Names(query=("desk.passage.example", "10.0.0.5")))
    found = served(folders, "0.0.0.0:8443")
    assert (found.site, found.url) == (
        "https://desk.passage.example:8443",
        "https://127.0.0.1:8443",
    )
    assert found.environment == {
        "PASSAGE_HTTP": "0.0.0.0:8443",
        "PASSAGE_HTTP_CERTIFICATE": str(QUERY.certificate(folders.keys)),
        "PASSAGE_HTTP_KEY": str(QUERY.key(folders.keys)),
    }


@pytest.mark.parametrize("names", [(), ("10.0.0.5",)])
def test_an_own_certificate_without_a_host_name_is_refused_and_said_what_would_do(
    folders: Folders, names: tuple[str, ...]
) -> None:
    make_installation(folders.keys, Names(query=names))
    said = refusal(folders, "10.0.0.5:8443")
    assert "an IP address is none" in said
    assert f"move tls/query.pem and .key in {folders.keys} aside and run `passage init" in said


def test_a_certificate_that_is_set_is_shown_also_on_loopback(
    folders: Folders, tmp_path: Path
) -> None:
    make_installation(tmp_path / "other", Names(query=("desk.passage.example",)))
    own = {
        "http_certificate": QUERY.certificate(tmp_path / "other"),
        "http_key": QUERY.key(tmp_path / "other"),
    }
    assert served(folders, "127.0.0.1:8443", **own).site == "https://localhost:8443"
    assert served(folders, "0.0.0.0:8443", **own).certificate == own["http_certificate"]
    other = refusal(folders, "0.0.0.0:8443", **own, site="https://other.example")
    assert "good for the host of PASSAGE_SITE" in other
    own["http_key"] = QUERY.certificate(tmp_path / "other")
    assert "query.pem" in refusal(folders, "0.0.0.0:8443", **own)
    own["http_certificate"] = tmp_path / "nowhere.pem"
    assert "nowhere.pem" in refusal(folders, "127.0.0.1:8443", **own)
