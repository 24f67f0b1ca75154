"""The key files of people on this machine, and requests in their name.

`passage login` makes one in the user's own folder. `passage up` makes those of whoever runs it and
of the invented people of the demo, beside the installation's other keys.
"""

import json
import os
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typing_extensions import override

from passage.exits import Exit, VerbEndedError
from passage.folders import FILE_MODE, FOLDER_MODE
from passage.running import Running
from shared.keys.keyfiles import KeyFilesError, require_closed
from shared.people.key_files import Act, key_file_id, login_bytes
from shared.people.sessions import hash_of

FOLDER_VARIABLE = "PASSAGE_PEOPLE"
ACCOUNT_VARIABLE = "PASSAGE_ACCOUNT"
PEOPLE = "people"
KEY, SESSION, FIRST = ".key", ".session", "first"
"""`first` names who acts unless another is named."""
ACCOUNT = re.compile(r"[a-z][a-z0-9_]{1,38}")
LOGGED_OUT = 401
NOBODY = "nobody's key file is here; ask a supervisor for a link, then `passage login --link LINK`"


class KeyFile(NamedTuple):
    account: str
    site: str
    """The address it was registered at; it signs for no other."""
    private: Ed25519PrivateKey

    @property
    def public_key(self) -> str:
        return text_of(self.private.public_key().public_bytes_raw())

    @property
    def key_id(self) -> str:
        return key_file_id(self.public_key)

    def signed(self, act: Act, nonce: str) -> str:
        """Proof that whoever asks has this key."""
        return self.sign(login_bytes(act, self.site, self.account, nonce))

    def sign(self, what: bytes) -> str:
        return text_of(self.private.sign(what))


def text_of(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def made_key(account: str, site: str) -> KeyFile:
    return KeyFile(account, site, Ed25519PrivateKey.generate())


def enrolment_of(key: KeyFile, token: str, label: str) -> dict[str, str]:
    """The body with which a key is registered, by a link that has this token."""
    return {
        "account": key.account,
        "token": token,
        "label": label,
        "public_key": key.public_key,
        "signature": key.signed("enrol", hash_of(token)),
    }


@dataclass(frozen=True)
class OwnKeys:
    """A folder of key files and of the sessions that were begun with them."""

    folder: Path

    @property
    def accounts(self) -> list[str]:
        return sorted(path.stem for path in self.folder.glob(f"*{KEY}"))

    def first(self) -> str:
        """Who acts if nobody is named. Raises VerbEndedError."""
        try:
            return (self.folder / FIRST).read_text("utf-8").strip()
        except OSError:
            raise VerbEndedError(Exit.FAILED, NOBODY) from None

    def of(self, account: str | None) -> KeyFile:
        """Raises VerbEndedError."""
        name = account or self.first()
        path = self._path(name, KEY)
        try:
            require_closed(path)
            kept = json.loads(path.read_bytes())
            raw = urlsafe_b64decode(kept["private_key"] + "==")
            return KeyFile(name, kept["site"], Ed25519PrivateKey.from_private_bytes(raw))
        except OSError:
            there = ", ".join(self.accounts)
            known = f"; there are those of {there}" if there else f": {NOBODY}"
            problem = f"there is no key file of that account in {self.folder}{known}"
            raise VerbEndedError(Exit.FAILED, problem) from None
        except KeyFilesError as error:
            raise VerbEndedError(Exit.FAILED, str(error)) from None
        except (ValueError, KeyError, TypeError):
            raise VerbEndedError(Exit.FAILED, f"{path} isn't a key file; enrol anew") from None

    def keep(self, key: KeyFile, *, is_first: bool = False) -> None:
        """The first one acts unless another is named."""
        private = text_of(key.private.private_bytes_raw())
        self._write(self._path(key.account, KEY), {"site": key.site, "private_key": private})
        first = self.folder / FIRST
        if is_first or not first.exists():
            first.touch(FILE_MODE)
            first.write_text(key.account, "utf-8")

    def move(self, site: str) -> None:
        """The installation that these belong to is now at another address."""
        for account in self.accounts:
            key = self.of(account)
            if key.site != site:
                self.keep(key._replace(site=site))

    def session(self, account: str) -> str | None:
        """The token of the session begun last."""
        try:
            return str(json.loads(self._path(account, SESSION).read_bytes())["token"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def keep_session(self, account: str, token: str) -> None:
        self._write(self._path(account, SESSION), {"token": token})

    def forget_session(self, account: str) -> None:
        self._path(account, SESSION).unlink(missing_ok=True)

    def _path(self, account: str, suffix: str) -> Path:
        if not ACCOUNT.fullmatch(account):
            problem = "an account is small Latin letters, digits and _, as `olena`"
            raise VerbEndedError(Exit.INVALID, problem)
        return self.folder / f"{account}{suffix}"

    def _write(self, path: Path, what: dict[str, str]) -> None:
        """Whole or not at all, and for its owner alone."""
        self.folder.mkdir(FOLDER_MODE, parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(what, file)
        draft.replace(path)


def own_keys(running: Running) -> OwnKeys:
    """The folder that the environment names, else the installation's, else the user's own."""
    beside = installations(running)
    if FOLDER_VARIABLE in os.environ or os.access(beside.folder, os.R_OK):
        return beside
    return OwnKeys(users_folder())


def installations(running: Running) -> OwnKeys:
    """Where `passage up --enrol` keeps key files: in the folder that the environment names, else
    beside the installation's other keys."""
    named = os.environ.get(FOLDER_VARIABLE)
    return OwnKeys(Path(named).expanduser() if named else running.keys / PEOPLE)


def users_folder() -> Path:
    config = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(config).expanduser() / "passage"


@dataclass
class AsPerson(httpx.Auth):
    """Requests in a person's name; logs them in anew when their session is over."""

    keys: OwnKeys
    key: KeyFile
    requires_response_body: bool = field(default=True, init=False)

    @override
    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        token = self.keys.session(self.key.account)
        if token is not None:
            response = yield _with(request, token)
            if response.status_code != LOGGED_OUT:
                return
        began = self.keys.session(self.key.account)
        if began is None or began == token:  # Else another request has begun one meanwhile.
            began = yield from self.log_in(request.url)
            self.keys.keep_session(self.key.account, began)
        yield _with(request, began)

    def log_in(self, url: httpx.URL) -> Generator[httpx.Request, httpx.Response, str]:
        """Raises VerbEndedError."""
        asked = yield httpx.Request(
            "POST", url.join("/api/login/key/options"), json={"account": self.key.account}
        )
        said = _body(asked, "site", "challenge")
        if said["site"] != self.key.site:
            raise VerbEndedError(
                Exit.FAILED,
                f"the key file was registered at {self.key.site}, and this is {said['site']}: "
                "ask for the right one, or for a link to register another",
            )
        proof = {
            "account": self.key.account,
            "key_id": self.key.key_id,
            "challenge": said["challenge"],
            "signature": self.key.signed("log_in", said["challenge"]),
        }
        answer = yield httpx.Request("POST", url.join("/api/login/key"), json=proof)
        return str(_body(answer, "token")["token"])


def as_person(running: Running, account: str | None) -> AsPerson:
    """Raises VerbEndedError if their key file isn't here."""
    keys = own_keys(running)
    return AsPerson(keys, keys.of(account or os.environ.get(ACCOUNT_VARIABLE)))


def link_of(text: str) -> tuple[str, str, str]:
    """(site, account, token) of an enrolment's link. Raises VerbEndedError."""
    parts = urlsplit(text)
    account, dot, token = parts.path.removeprefix("/enrol/").partition(".")
    if not (parts.scheme and parts.netloc and dot and token and ACCOUNT.fullmatch(account)):
        raise VerbEndedError(Exit.INVALID, "--link: must be a link as a supervisor gave it")
    return f"{parts.scheme}://{parts.netloc}", account, token


def _with(request: httpx.Request, token: str) -> httpx.Request:
    request.headers["authorization"] = f"Bearer {token}"
    return request


def _body(response: httpx.Response, *named: str) -> dict[str, Any]:
    """Raises VerbEndedError."""
    try:
        body = response.json()
    except ValueError:
        body = {}
    body = body if isinstance(body, dict) else {}
    if response.is_success and {*named} <= {*body}:
        return body
    why = str(body.get("detail") or f"answered with HTTP {response.status_code}")
    code = Exit.UNAVAILABLE if response.status_code >= 429 else Exit.FAILED  # noqa: PLR2004
    raise VerbEndedError(code, f"not logged in: {why}")
