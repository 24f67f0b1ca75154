"""The certificates of an installation: one per role, valid only for that role's names and use.

Whoever connects to nats-server, query or PostgreSQL trusts the installation's own authority
(`ca.pem`) and checks the name. Among themselves nats-servers trust `routes.pem` alone, which is
self-signed: no certificate issued later can replace it.
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from passage.install.host_names import LOOPBACK_NAMES, Names
from shared.keys.keyfiles import (
    DAMAGED,
    KeyFilesError,
    SecretUnusableError,
    make_folder,
    read_file,
    require_closed,
    write_new,
)
from shared.servers.certificates import names_in, read_certificate

FOLDER = "tls"
AUTHORITY = "ca"
AUTHORITY_DAYS = 3_650
SERVER_DAYS = 825
"""The longest that clients accept."""
CLOCK_LEEWAY = timedelta(hours=1)


@dataclass(frozen=True)
class Role:
    """The purpose of a certificate; its files are `tls/<name>.pem` and `tls/<name>.key`."""

    name: str
    uses: tuple[x509.ObjectIdentifier, ...] = (ExtendedKeyUsageOID.SERVER_AUTH,)
    is_pinned: bool = False
    """Self-signed, and the only one that its peers trust."""
    on_loopback: bool = False

    def certificate(self, keys: Path) -> Path:
        return keys / FOLDER / f"{self.name}.pem"

    def key(self, keys: Path) -> Path:
        return keys / FOLDER / f"{self.name}.key"

    def names(self, keys: Path) -> tuple[str, ...]:
        """The names that it is good for. Raises KeyFilesError."""
        return names_in(self.certificate(keys))


# Both ends of a route are nats-servers, so this certificate is a server's and a client's.
ROUTES = Role(
    "routes", (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH), is_pinned=True
)
SERVER = Role("server", on_loopback=True)
QUERY = Role("query", on_loopback=True)
POSTGRES = Role("postgres")
ROLES = (ROUTES, SERVER, QUERY, POSTGRES)


def make_certificates(keys: Path, names: Names) -> None:
    """Makes the missing authority and certificates; existing ones stay.

    A role without a name gets none. Raises KeyFilesError.
    """
    wanted = _names_by_role(names)
    make_folder(keys / FOLDER)
    authority = authority_of(keys)
    if not authority.exists():
        write_new(authority, _authority(_key(authority.with_suffix(".key"))))
    for role, its_names in wanted.items():
        if its_names and not role.certificate(keys).exists():
            _make(keys, role, its_names)


def authority_of(keys: Path) -> Path:
    """The authority's certificate: all that clients need."""
    return keys / FOLDER / f"{AUTHORITY}.pem"


def unnamed(keys: Path, names: Names) -> dict[Role, tuple[str, ...]]:
    """The `names` that existing certificates aren't good for. Raises KeyFilesError."""
    wanted = _names_by_role(names)
    missing = {
        role: tuple(one for one in its_names if one not in role.names(keys))
        for role, its_names in wanted.items()
        if its_names
    }
    return {role: found for role, found in missing.items() if found}


def _names_by_role(names: Names) -> dict[Role, tuple[str, ...]]:
    given = {
        ROUTES: names.nats,
        SERVER: names.nats,
        QUERY: names.query,
        POSTGRES: names.postgres,
    }
    return {
        role: tuple(dict.fromkeys((*(LOOPBACK_NAMES if role.on_loopback else ()), *its_names)))
        for role, its_names in given.items()
    }


def _make(keys: Path, role: Role, names: Iterable[str]) -> None:
    authority = authority_of(keys)
    signing_file = authority.with_suffix(".key")
    if not role.is_pinned and not signing_file.exists():
        raise KeyFilesError(
            f"{role.name}.pem is missing, and {signing_file.name} isn't in {FOLDER}/ to sign a new "
            f"one: bring {signing_file.name} back from where it is kept, and run this again"
        )
    key = _key(role.key(keys))
    if role.is_pinned:
        certificate = _certificate(role, key, names, _named(role.name), key)
    else:
        issuer = read_certificate(authority).subject
        certificate = _certificate(role, key, names, issuer, _key(signing_file))
    write_new(role.certificate(keys), certificate)


def _key(path: Path) -> ec.EllipticCurvePrivateKey:
    """Makes a missing private key. Raises KeyFilesError."""
    if not path.exists():
        key = ec.generate_private_key(ec.SECP256R1())
        form = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        write_new(path, key.private_bytes(serialization.Encoding.PEM, *form))
        return key
    require_closed(path)
    try:
        found = serialization.load_pem_private_key(read_file(path), None)
    except (ValueError, TypeError):
        raise SecretUnusableError(path, DAMAGED) from None
    if not isinstance(found, ec.EllipticCurvePrivateKey):
        raise SecretUnusableError(path, DAMAGED)
    return found


def _authority(key: ec.EllipticCurvePrivateKey) -> bytes:
    name = _named("CA")
    builder = (
        _builder(name, name, key.public_key(), AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _certificate(
    role: Role,
    key: ec.EllipticCurvePrivateKey,
    names: Iterable[str],
    issuer: x509.Name,
    signer: ec.EllipticCurvePrivateKey,
) -> bytes:
    builder = (
        _builder(_named(role.name), issuer, key.public_key(), SERVER_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(role.uses), critical=False)
        .add_extension(
            x509.SubjectAlternativeName([_general_name(one) for one in names]), critical=False
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()),
            critical=False,
        )
    )
    return builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _named(what: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Passage {what}")])


def _builder(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, days: int
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_LEEWAY)
        .not_valid_after(now + timedelta(days=days))
    )


def _usage(signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
