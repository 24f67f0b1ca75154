"""Where a running system is: `running.json` in its data folder, or PASSAGE_ variables.

`passage up` writes the file with mode 600 and removes it when it ends. After `kill -9` the file
stays but is ignored, because nobody holds the folder.
"""

import os
import ssl
from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import BaseModel, ConfigDict, ValidationError

from passage.exits import Exit, VerbEndedError
from passage.folders import FILE_MODE, Folders, folders_of, is_held
from passage.install.identities import seed_file
from passage.install.quotas import USUAL, Quota
from shared.jetstream.tls import tls_context
from shared.keys.keyfiles import KeyFilesError
from shared.servers.certificates import read_certificate
from shared.settings import Settings
from shared.skeleton.own_settings import require_files
from shared.written.wrong_fields import wrong_fields

FILE_NAME = "running.json"
UNSEAL_NAME = "unseal"
NATS_URL_VARIABLE = "PASSAGE_NATS_URL"
CA_VARIABLE = "PASSAGE_NATS_CA"
HTTP_URL_VARIABLE = "PASSAGE_HTTP_URL"
PINNED_VARIABLE = "PASSAGE_HTTP_PINNED"
WITNESS_VARIABLE = "PASSAGE_WITNESS_FILES"
WITNESS_FILE = "checkpoints.jsonl"


class Running(BaseModel):
    """The addresses and files of a running system; `ready` once every service answers."""

    model_config = ConfigDict(hide_input_in_errors=True)

    nats: str
    http: str
    """Where this machine reaches the API; people's browsers show its `site`."""
    keys: Path
    registry: Path
    database: str
    replicas: int = 1
    quota: Quota = USUAL
    ready: bool = True
    pids: dict[str, int] = {}
    witnesses: tuple[Path, ...] = ()
    witness_keys: Path | None = None
    """Where witness.key and witness.pub are, unless with the other keys."""
    ca: Path | None = None
    """The authority of nats-server's and the API's certificates; None: no TLS."""
    site: str = ""
    """As in Settings."""
    pinned: Path | None = None
    """The API's certificate, if it is to be believed by itself, under any name."""
    nkey: Path | None = None
    """The only seed there is, if the key folder has none: a container has only its own."""

    @classmethod
    def bare(cls, nats: str = "", http: str = "") -> "Running":
        """A nats-server without accounts, as in tests."""
        nowhere = Path(os.devnull)
        return cls(nats=nats, http=http, keys=nowhere, registry=nowhere, database="")

    def nkey_of(self, identity: str) -> Path | None:
        path = seed_file(self.keys, identity)
        return path if path.exists() else self.nkey


def find_running(data_dir: Path) -> Running:
    """The system in `data_dir`, else the one that the environment names.

    Raises VerbEndedError (5) if there is neither.
    """
    path = data_dir / FILE_NAME
    if path.exists() and is_held(data_dir):
        try:
            return Running.model_validate_json(path.read_bytes())
        except OSError:
            pass  # It has just ended.
        except ValidationError:
            problem = f"{path} is damaged; restart `passage up`"
            raise VerbEndedError(Exit.FAILED, problem) from None
    if NATS_URL_VARIABLE in os.environ:
        return from_environment()
    raise VerbEndedError(
        Exit.UNAVAILABLE,
        f"no system is running in {data_dir}: start one with `passage up`, name its folder with "
        f"--data, or set {NATS_URL_VARIABLE}",
    )


def from_environment() -> Running:
    """The addresses that the services use, too. Raises VerbEndedError (1, 4)."""
    settings = settings_of_environment()
    try:
        require_files(settings)
        database = settings.database
    except KeyFilesError as error:
        raise VerbEndedError(Exit.FAILED, str(error)) from None
    scheme = "http" if settings.http_certificate is None else "https"
    return Running(
        nats=settings.nats_url,
        http=os.environ.get(HTTP_URL_VARIABLE, f"{scheme}://{settings.http}"),
        keys=settings.keys_dir,
        registry=settings.registry_file,
        database=database,
        replicas=settings.replicas,
        quota=Quota.of(settings),
        ca=settings.nats_ca,
        site=settings.site,
        pinned=pinned_by_environment(),
        nkey=settings.nats_nkey,
        witnesses=settings.witness_paths,
    )


def settings_of_environment() -> Settings:
    """Raises VerbEndedError (4) with the variables that are wrong."""
    try:
        return Settings()
    except ValidationError as error:
        raise VerbEndedError(Exit.INVALID, f"environment: {_in_environment(error)}") from None


def _in_environment(error: ValidationError) -> str:
    prefix = Settings.model_config["env_prefix"]
    return "; ".join(
        f"{prefix}{one.field.upper()}: {one.problem}" for one in wrong_fields(error, "")
    )


def pinned_by_environment() -> Path | None:
    named = os.environ.get(PINNED_VARIABLE)
    return Path(named) if named else None


def trusted(running: Running) -> ssl.SSLContext:
    """TLS to the API: believes its own certificate, else the installation's authority if that is
    set, else those of the system. Raises VerbEndedError (1) if a file can't be read.
    """
    try:
        if running.pinned is not None:
            return pinning(running.pinned)
        ca = running.ca or os.environ.get(CA_VARIABLE)
        return tls_context(str(ca)) if ca else ssl.create_default_context()
    except (OSError, KeyFilesError) as error:
        problem = f"the API's certificate can't be checked: {error}"
        raise VerbEndedError(Exit.FAILED, problem) from None


def pinning(certificate: Path) -> ssl.SSLContext:
    """Believes whoever has this certificate's key, and nobody else.

    On the API's own machine, whose addresses a certificate for the site doesn't name.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    own = read_certificate(certificate).public_bytes(Encoding.DER)
    context.load_verify_locations(cadata=own)
    return context


def write_running(data_dir: Path, running: Running) -> None:
    """Replaces the file atomically: a reader never sees half of it."""
    draft = data_dir / f".{FILE_NAME}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(running.model_dump_json(indent=2))
    draft.replace(data_dir / FILE_NAME)


def ask_to_unseal(data_dir: Path) -> None:
    """Tells the runner to start the key holder again; the runner removes the file."""
    (data_dir / UNSEAL_NAME).touch(mode=FILE_MODE)


def is_asked_to_unseal(data_dir: Path) -> bool:
    path = data_dir / UNSEAL_NAME
    asked = path.exists()
    path.unlink(missing_ok=True)
    return asked


def forget_running(data_dir: Path) -> None:
    (data_dir / FILE_NAME).unlink(missing_ok=True)


def witnesses_of(folders: Folders, given: Sequence[Path] = ()) -> tuple[Path, ...]:
    """The files named, else those of the environment, else one beside the data folder."""
    if given:
        return tuple(path.expanduser().resolve() for path in given)
    if WITNESS_VARIABLE in os.environ:
        return tuple(path.resolve() for path in settings_of_environment().witness_paths)
    return (folders.witness / WITNESS_FILE,)


def running_or_stopped(data_dir: Path) -> Running:
    """Where the files of a system are, whether it runs or not; nothing is started."""
    folders = folders_of(data_dir)
    if is_held(folders.data) or NATS_URL_VARIABLE in os.environ:
        return find_running(data_dir)
    return stopped(folders, nats="")


def stopped(folders: Folders, nats: str) -> Running:
    """Where everything of a data folder is that no `passage up` runs on."""
    return Running(
        nats=nats,
        http="",
        keys=folders.keys,
        registry=folders.registry,
        database=folders.database_url,
        witnesses=witnesses_of(folders),
        quota=Quota.of(settings_of_environment()),
    )
