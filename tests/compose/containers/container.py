"""A container without an engine: a root of its own out of mounts, the image's user, and no rights above it."""

import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.servers.processes import Command

SCRIPT = Path(__file__).parent / "programs" / "container.sh"
# The libraries and programs of this machine stand for those of every image.
SYSTEM = ("/usr", "/etc/ssl", "/etc/ld.so.cache", "/etc/alternatives")
MERGED = ("/bin", "/sbin", "/lib", "/lib64")


@dataclass(frozen=True)
class Shown:
    """What a container sees of this machine at one place: `ro`, `rw`, or a `tmpfs` of its own."""

    source: str
    target: str
    mode: str = "ro"


@dataclass(frozen=True)
class Container:
    """A process in a root of its own."""

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str]
    shown: Sequence[Shown]
    workdir: str
    uid: int
    gid: int
    is_read_only: bool
    stop_seconds: float

    def command(self, log: Path, folder: Path) -> Command:
        """Return the command that runs it; its root is mounted on a folder, which stays empty for everybody else."""
        root = folder / "root"
        root.mkdir(parents=True, exist_ok=True)
        places = [word for each in self.shown for word in (each.source, each.target, each.mode)]
        words = [
            str(root),
            "ro" if self.is_read_only else "rw",
            self.workdir,
            *places,
            "--",
            *_user(self.uid, self.gid),
        ]
        argv = (*_namespace(), "/bin/sh", str(SCRIPT), *words, *self.argv)
        return Command(self.name, argv, log, folder, dict(self.environment), stop_seconds=self.stop_seconds)


def unavailable() -> str:
    """Return why this machine cannot give a process mounts of its own, or ""."""
    if shutil.which("unshare") is None or shutil.which("setpriv") is None:
        return "unshare and setpriv (util-linux) are not installed"
    tried = subprocess.run([*_namespace(), "true"], capture_output=True, text=True, check=False)
    return tried.stderr.strip()


def system() -> Iterable[Shown]:
    """Yield what every container sees of this machine."""
    for place in (*SYSTEM, *MERGED):
        path = Path(place)
        if path.is_symlink():
            yield Shown(str(path.readlink()), place, "link")
        elif path.exists():
            yield Shown(place, place)
    yield Shown("/proc", "/proc", "rw")
    yield Shown("/dev", "/dev", "rw")


def write_etc(folder: Path, users: Mapping[str, int], hosts: Mapping[str, str]) -> Iterable[Shown]:
    """Write the files by which users and hosts are known, and yield where they are seen. No other host is known."""
    folder.mkdir(parents=True, exist_ok=True)
    known = users if os.geteuid() == 0 else dict.fromkeys(users, os.geteuid())
    written = {
        "passwd": "".join(f"{name}:x:{uid}:{uid}::/nonexistent:/bin/sh\n" for name, uid in known.items()),
        "group": "".join(f"{name}:x:{uid}:\n" for name, uid in known.items()),
        "hosts": "127.0.0.1 localhost\n" + "".join(f"{address} {name}\n" for name, address in hosts.items()),
        "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
        "resolv.conf": "",
    }
    for name, text in written.items():
        (folder / name).write_text(text, encoding="utf-8")
        (folder / name).chmod(0o644)
        yield Shown(str(folder / name), f"/etc/{name}")


def _namespace() -> tuple[str, ...]:
    if os.geteuid() == 0:
        return ("unshare", "--mount")
    return ("unshare", "--mount", "--user", "--map-current-user", "--keep-caps")


def _user(uid: int, gid: int) -> tuple[str, ...]:
    """Return the words that drop every right, as `cap_drop: [ALL]` and `no-new-privileges` do.

    Without root nobody can become somebody else: then the process stays what this one is.
    """
    identity = ("--reuid", f"{uid}", "--regid", f"{gid}", "--clear-groups") if os.geteuid() == 0 else ()
    dropped = ("--inh-caps=-all", "--ambient-caps=-all", "--bounding-set=-all", "--no-new-privs", "--pdeathsig=KILL")
    return ("setpriv", *identity, *dropped, "--")
