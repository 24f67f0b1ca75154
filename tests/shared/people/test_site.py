"""The site that people's browsers show: a host name with TLS, or this machine; no IP address."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from passage.install.certificates import QUERY
from passage.install.host_names import Names
from passage.install.installation import make_installation
from shared.people.site import (
    Site,
    SiteError,
    first_name,
    is_good_for,
    require_certified,
    site_of,
)
from shared.settings import Settings
from shared.site_names import NEEDS_A_NAME, NEEDS_ITS_NAME, read_site


@pytest.mark.parametrize(
    ("given", "origin", "rp_id"),
    [
        ("https://passage.example", "https://passage.example", "passage.example"),
        ("https://Passage.Example/", "https://passage.example", "passage.example"),
        ("https://passage.example:443", "https://passage.example", "passage.example"),
        ("https://desk.passage.example:8443", "https://desk.passage.example:8443", None),
        ("https://xn--k1ahkc0c.example", "https://xn--k1ahkc0c.example", None),
        ("https://localhost:8080", "https://localhost:8080", "localhost"),
        ("http://localhost:8080", "http://localhost:8080", "localhost"),
        ("http://localhost:80", "http://localhost", "localhost"),
    ],
)
def test_a_site_is_spelled_as_browsers_spell_it(given: str, origin: str, rp_id: str | None) -> None:
    site = site_of(Settings(site=given))
    assert site.origin == origin
    assert rp_id in (None, site.rp_id)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("https://10.0.0.5", "an IP address is none"),
        ("https://10.0.0.5:8443", "an IP address is none"),
        ("https://[fd00::2]:8443", "an IP address is none"),
        ("https://127.0.0.1:8080", "an IP address is none"),
        ("http://127.1", "an IP address is none"),  # A browser reads 127.0.0.1.
        ("https://0x7f.0x1", "an IP address is none"),
        ("http://passage.example", "with TLS only"),
        ("http://localhost.example:8080", "with TLS only"),
        ("passage.example", "must be https://NAME"),
        ("ftp://passage.example", "must be https://NAME"),
        ("https://", "must be https://NAME"),
        ("https://passage.example/desk", "must be https://NAME"),
        ("https://passage.example?a=b", "must be https://NAME"),
        ("https://olena@passage.example", "must be https://NAME"),
        ("https://*.passage.example", "must be https://NAME"),
        ("https://passage.example.", "must be https://NAME"),
        ("https://-passage.example", "must be https://NAME"),
        ("https://passage.example:0", "must be https://NAME"),
        ("https://passage.example:65536", "must be https://NAME"),
        ("https://passage.example:x", "must be https://NAME"),
        ("https://[passage", "must be https://NAME"),
    ],
)
def test_what_can_be_no_site_is_refused_and_said_why(given: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_site(given)
    with pytest.raises(ValidationError, match=said):
        Settings(site=given)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sites")
    make_installation(folder / "here")
    names = ("10.0.0.5", "desk.passage.example", "query")
    make_installation(folder / "named", Names(query=names))
    make_installation(folder / "numbered", Names(query=("10.0.0.5",)))
    return folder


def certified(keys: Path, name: str, http: str, **more: str) -> Settings:
    made = {"http_certificate": QUERY.certificate(keys / name), "http_key": QUERY.key(keys / name)}
    return Settings(http=http, **made, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "http", "origin"),
    [
        ("named", "10.0.0.5:8443", "https://desk.passage.example:8443"),
        ("named", "0.0.0.0:443", "https://desk.passage.example"),
        ("named", "[::]:8443", "https://desk.passage.example:8443"),
        ("named", "127.0.0.1:8443", "https://localhost:8443"),
        ("here", "[::1]:8443", "https://localhost:8443"),
    ],
)
def test_without_a_setting_it_is_the_certificates_first_host_name(
    keys: Path, name: str, http: str, origin: str
) -> None:
    settings = certified(keys, name, http)
    site = site_of(settings)
    assert site.origin == origin
    require_certified(settings, site)


def test_without_a_certificate_it_is_this_machine() -> None:
    assert site_of(Settings(http="127.0.0.1:9000")) == ("http://localhost:9000", "localhost")


@pytest.mark.parametrize("name", ["here", "numbered"])
def test_a_certificate_for_addresses_alone_names_no_site(keys: Path, name: str) -> None:
    with pytest.raises(SiteError) as ended:
        site_of(certified(keys, name, "10.0.0.5:8443"))
    assert str(ended.value) == NEEDS_A_NAME


def test_a_certificate_must_be_good_for_the_site_that_is_set(keys: Path) -> None:
    settings = certified(keys, "named", "0.0.0.0:8443", site="https://query:8443")
    require_certified(settings, site_of(settings))
    other = certified(keys, "named", "0.0.0.0:8443", site="https://other.example")
    with pytest.raises(SiteError) as ended:
        require_certified(other, site_of(other))
    assert str(ended.value) == NEEDS_ITS_NAME


def test_patterns_are_good_for_one_label_and_no_site_themselves() -> None:
    assert first_name(["*.passage.example"], is_here=False) is None
    assert first_name(["*.passage.example", "Passage.Example"], is_here=True) == "passage.example"
    assert is_good_for(["*.passage.example"], "desk.passage.example")
    for other in ("passage.example", "a.desk.passage.example", "deskpassage.example", "localhost"):
        assert not is_good_for(["*.passage.example"], other)


def test_only_localhost_is_here() -> None:
    assert Site.at("https://localhost:8080").is_here
    assert not Site.at("https://localhost.example").is_here
