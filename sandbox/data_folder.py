"""The folder of one stack: its data, credentials, logs and the ports it had last time."""

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from sandbox.servers.postgres import Passwords
from sandbox.servers.processes import ServiceError, is_free

SERVICE = "The stack"


@dataclass(frozen=True)
class Credentials:
    """Secrets of the stack's own servers, made at random and kept as long as their data."""

    postgres: Passwords
    stripe_api_key: str = field(repr=False)
    stripe_webhook_secret: str = field(repr=False)

    @classmethod
    def random(cls) -> "Credentials":
        """Make new credentials, in the forms that Stripe's have."""
        return cls(Passwords.random(), f"sk_test_{secrets.token_hex(24)}", f"whsec_{secrets.token_hex(16)}")


@dataclass(frozen=True)
class Ports:
    """Ports on 127.0.0.1. A 0 takes the port of the last time if it is free, else any free one."""

    postgres: int = 0
    temporal: int = 0
    temporal_ui: int = 0
    stripe: int = 0
    mail: int = 0


@dataclass(frozen=True)
class DataFolder:
    """Where one stack keeps everything. Paths only: the services make what they need."""

    path: Path
    is_kept: bool

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def temporal_database(self) -> Path:
        return self.path / "temporal.db"

    @property
    def mail(self) -> Path:
        return self.path / "mail"

    def log(self, name: str) -> Path:
        """Return the log file of one service."""
        return self.logs / f"{name}.log"

    def credentials(self) -> Credentials:
        """Return the folder's credentials, made at the first call, readable by the owner only."""
        path = self.path / "credentials.json"
        if not path.exists():
            write_private(path, json.dumps(asdict(Credentials.random()), indent=2))
        found = json.loads(path.read_text())
        return Credentials(**{**found, "postgres": Passwords(**found["postgres"])})

    def ports(self, wanted: Ports) -> Ports:
        """Fill in the ports of the last time where none is wanted, so that links into the UI stay good."""
        path = self.path / "ports.json"
        last = json.loads(path.read_text()) if path.exists() else {}
        chosen = {name: port or _reusable(last.get(name, 0)) for name, port in asdict(wanted).items()}
        return Ports(**chosen)

    def remember_ports(self, used: Ports) -> None:
        """Note the ports in use for the next start."""
        (self.path / "ports.json").write_text(json.dumps(asdict(used)))


@contextlib.contextmanager
def kept_folder(path: Path) -> Iterator[DataFolder]:
    """Open a folder for one stack at a time; ServiceError while another stack runs on it."""
    folder = DataFolder(path.resolve(), is_kept=True)
    if not folder.path.exists():
        folder.path.mkdir(parents=True)
        # Others may pass through, as PostgreSQL does when it is not us, but see nothing: what is inside is closed.
        folder.path.chmod(0o711)
    folder.logs.mkdir(mode=0o700, exist_ok=True)
    with (folder.path / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ServiceError(SERVICE, f"another stack is running on {folder.path}; stop it first") from None
        yield folder


@contextlib.contextmanager
def temporary_folder() -> Iterator[DataFolder]:
    """Make a folder that is removed in the end; after an error its logs stay, because the error names them."""
    folder = DataFolder(Path(tempfile.mkdtemp(prefix="duly-")), is_kept=False)
    folder.logs.mkdir()
    try:
        yield folder
    except Exception:
        for path in folder.path.iterdir():
            if path != folder.logs:
                _remove(path)
        raise
    except BaseException:
        shutil.rmtree(folder.path)
        raise
    shutil.rmtree(folder.path)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, all at once."""
    unfinished = path.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    unfinished.rename(path)


def _reusable(port: int) -> int:
    return port if port and is_free(port) else 0


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
