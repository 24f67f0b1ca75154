"""Each role has a certificate of its own: its names, its one use, and who trusts it."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from typing_extensions import override

from passage.cli.init import init_verb
from passage.exits import Exit, VerbEndedError
from passage.install.certificates import (
    AUTHORITY_DAYS,
    POSTGRES,
    QUERY,
    ROLES,
    ROUTES,
    SERVER,
    SERVER_DAYS,
    Role,
    authority_of,
    make_certificates,
)
from passage.install.host_names import IN_COMPOSE, LOOPBACK_NAMES, NAME_MAX, Names
from passage.install.installation import make_installation
from passage.runner.waiting_for_servers import silent_servers
from passage.running import Running
from tests.late import serving

SERVER_AUTH, CLIENT_AUTH = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH
NATS = IN_COMPOSE.nats


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("installation") / "keys"
    make_installation(folder, IN_COMPOSE)
    return folder


def read(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def refusal(folder: Path, **names: list[str]) -> VerbEndedError:
    with pytest.raises(VerbEndedError) as ended:
        init_verb(folder, **names)
    return ended.value


@pytest.mark.parametrize(
    ("role", "names", "uses"),
    [
        (ROUTES, NATS, {SERVER_AUTH, CLIENT_AUTH}),
        (SERVER, (*LOOPBACK_NAMES, *NATS), {SERVER_AUTH}),
        (QUERY, (*LOOPBACK_NAMES, "query"), {SERVER_AUTH}),
        (POSTGRES, ("postgres",), {SERVER_AUTH}),
    ],
    ids=lambda one: one.name if isinstance(one, Role) else "",
)
def test_a_certificate_has_the_names_and_the_use_of_its_role(
    keys: Path, role: Role, names: tuple[str, ...], uses: set[x509.ObjectIdentifier]
) -> None:
    certificate = read(role.certificate(keys))
    assert role.names(keys) == names
    used = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert set(used) == uses
    basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert not basic.ca


def test_the_routes_certificate_is_nobodys_but_its_own(keys: Path) -> None:
    routes, authority = read(ROUTES.certificate(keys)), read(authority_of(keys))
    routes.verify_directly_issued_by(routes)
    for role in (SERVER, QUERY, POSTGRES):
        read(role.certificate(keys)).verify_directly_issued_by(authority)
        with pytest.raises(ValueError, match="does not match"):
            read(role.certificate(keys)).verify_directly_issued_by(routes)


def test_no_two_roles_have_one_key(keys: Path) -> None:
    public = {read(role.certificate(keys)).public_key().public_numbers() for role in ROLES}  # type: ignore[union-attr]
    assert len(public) == len(ROLES)


def test_what_is_there_stays(keys: Path) -> None:
    before = {path: path.read_bytes() for path in (keys / "tls").iterdir()}
    make_installation(keys, IN_COMPOSE)
    assert {path: path.read_bytes() for path in (keys / "tls").iterdir()} == before


def test_a_key_that_an_interrupted_run_left_gets_its_certificate(tmp_path: Path) -> None:
    make_installation(tmp_path / "keys", IN_COMPOSE)
    for path in (tmp_path / "keys" / "tls").glob("*.pem"):
        path.unlink()
    make_installation(tmp_path / "keys", IN_COMPOSE)
    authority = read(authority_of(tmp_path / "keys"))
    read(QUERY.certificate(tmp_path / "keys")).verify_directly_issued_by(authority)


def test_one_machine_alone_has_no_route_and_no_database(tmp_path: Path) -> None:
    make_installation(tmp_path / "keys")
    made = {path.name for path in (tmp_path / "keys" / "tls").glob("*.pem")}
    assert made == {"ca.pem", "server.pem", "query.pem"}


def test_without_the_authoritys_key_it_says_what_would_do(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    init_verb(folder)
    for name in ("ca.key", "query.pem", "query.key"):
        (folder / "tls" / name).unlink()
    assert "bring ca.key back from where it is kept, and run this again" in str(refusal(folder))


@pytest.mark.parametrize("name", ["query.key", "ca.pem", "ca.key", "server.pem"])
@pytest.mark.parametrize("content", [b"", b"\x00\xff", b"-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_a_damaged_file_is_named(tmp_path: Path, name: str, content: bytes) -> None:
    folder = tmp_path / "keys"
    make_installation(folder)
    (folder / "tls" / name).write_bytes(content)
    (folder / "tls" / "query.pem").unlink()
    assert str(refusal(folder, nats=["10.0.0.5"])).count(name) == 1


def test_a_certificate_that_lacks_an_asked_name_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    init_verb(folder)
    init_verb(folder)
    said = str(refusal(folder, query=["desk.example.org", "QUERY."]))
    assert "the existing tls/query.pem isn't good for desk.example.org: move" in said


@pytest.mark.parametrize(
    "name",
    ["https://desk", "desk:8080", "*.desk.org", "a b", "", "-desk", "1.2.3", "256.0.0.1", "x" * 64],
)
def test_what_is_no_host_name_is_refused_before_anything_is_made(tmp_path: Path, name: str) -> None:
    ended = refusal(tmp_path / "keys", query=[name])
    assert ended.code == Exit.USAGE
    assert "must be a host name or address, such as nats-1" in str(ended)
    assert not (tmp_path / "keys").exists()


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("Desk.Example.ORG.", "desk.example.org"),
        ("пульт.example", "xn--k1ahkc0c.example"),
        ("[fe80::1]", "fe80::1"),
        (" 10.0.0.5 ", "10.0.0.5"),
        ("nats_1", "nats_1"),
    ],
)
def test_a_name_has_one_spelling(given: str, written: str) -> None:
    assert Names.of((), (given,), ()).query == (written,)


def test_two_roles_on_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="host-a is named for two roles"):
        Names.of(("host-a",), ("Host-A",), ())
    assert Names.of(("127.0.0.1",), ("127.0.0.1",), ()).nats == ("127.0.0.1",)


def test_a_name_is_as_long_as_names_go_and_no_longer(tmp_path: Path) -> None:
    longest = ".".join(["x" * 61] * 4) + ".x" * 3
    assert len(longest) == NAME_MAX
    assert Names.of((), (longest,), ()).query == (longest,)
    ended = refusal(tmp_path / "keys", query=[f"x{longest}"])
    assert (ended.code, (tmp_path / "keys").exists()) == (Exit.USAGE, False)


@contextmanager
def made(days_ago: int) -> Iterator[None]:
    class Then(datetime):
        @classmethod
        @override
        def now(cls, tz: tzinfo | None = None) -> "Then":
            return super().now(tz) - timedelta(days=days_ago)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("passage.install.certificates.datetime", Then)
        yield


async def said_of(keys: Path) -> str:
    """What is said of a server that shows the certificate in a key folder; nothing if it's good."""
    shown = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    shown.load_cert_chain(SERVER.certificate(keys), SERVER.key(keys))

    def greet(connection: socket.socket) -> None:
        with shown.wrap_socket(connection, server_side=True) as secured:
            secured.sendall(b"INFO {}\r\n")

    with serving(greet) as port:
        there = Running.bare(f"nats://127.0.0.1:{port}")
        return await silent_servers(there.model_copy(update={"ca": authority_of(keys)}))


@pytest.mark.parametrize(("days", "anew"), [(SERVER_DAYS, False), (AUTHORITY_DAYS, True)])
async def test_a_certificate_is_good_for_its_days_and_its_authoritys_and_then_refused(
    tmp_path: Path, days: int, *, anew: bool
) -> None:
    for days_ago, name in ((days - 1, "good"), (days + 1, "past")):
        with made(days_ago):
            make_certificates(tmp_path / name, Names())
        if anew:
            SERVER.certificate(tmp_path / name).unlink()
            make_certificates(tmp_path / name, Names())
    assert await said_of(tmp_path / "good") == ""
    assert "doesn't answer (certificate has expired" in await said_of(tmp_path / "past")
