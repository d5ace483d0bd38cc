"""A release as the repository keeps it: its code, and what a stack of it had written into every server."""

import hashlib
import json
import lzma
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

RELEASES = Path(__file__).parent / "releases"
HISTORIES = Path(__file__).parents[1] / "replay" / "histories"
# What a deployed release runs, and the sandbox that stands for the gateway: Stripe does not change with our releases.
CODE = (
    "activities",
    "commands",
    "migrations",
    "models",
    "sandbox",
    "settings",
    "telemetry",
    "web",
    "workflows",
    "alembic.ini",
    "console.py",
    "portal.py",
    "starter.py",
    "webhook.py",
    "worker.py",
)
# What compose needs besides to run it.
DEPLOYMENT = (".dockerignore", "Dockerfile", "docker", "docker-compose.yml", "requirements-runtime.lock")
FROZEN = Path("migrations/frozen.json")
REVISIONS = "migrations/versions/"
# Below this the data would be large enough to weigh on every clone.
LARGEST_BYTES = 2_000_000


@dataclass(frozen=True)
class KeptRelease:
    """The files of one release below `tests/upgrades/releases/<version>`, each compressed with xz."""

    version: str

    @property
    def folder(self) -> Path:
        """Where the files are."""
        return RELEASES / self.version

    @property
    def code(self) -> Path:
        """The source of the release, as `git archive` writes it."""
        return self.folder / "code.tar.xz"

    @property
    def deployment(self) -> Path:
        """The files that compose runs the release from, likewise."""
        return self.folder / "deployment.tar.xz"

    @property
    def database(self) -> Path:
        """What pg_dump wrote of the ledger."""
        return self.folder / "database.sql.xz"

    @property
    def temporal(self) -> Path:
        """The development server's database: the open workflows with their histories."""
        return self.folder / "temporal.db.xz"

    @property
    def stripe(self) -> Path:
        """The sandbox's state, readable by the release's own code only."""
        return self.folder / "stripe-state.xz"

    @property
    def histories(self) -> Path:
        """The hashes of the recorded histories, which every later release replays as they are."""
        return self.folder / "histories.json"

    def has_recorded(self, name: str) -> bool:
        """Tell whether a history of this name was recorded when it was released."""
        return self.histories.exists() and name in json.loads(self.histories.read_text())

    def changed_histories(self) -> list[str]:
        """Return a line for each history that this release had recorded and that is not as it was."""
        return [
            f"{name}: is not what release {self.version} recorded; a changed workflow is patched"
            for name, stored in json.loads(self.histories.read_text()).items()
            if not (HISTORIES / name).exists() or _hash_of(HISTORIES / name) != stored
        ]

    def changed_code(self, root: Path) -> list[str]:
        """Return a line for each kept file of the code that is another one in a tree now.

        The list of frozen revisions is written by `make release` itself.
        """
        with tempfile.TemporaryDirectory() as folder:
            code = self.unpack_code(Path(folder))
            kept = {path.relative_to(code): path for path in code.rglob("*") if path.is_file()}
            return [
                f"{name}: is not what {self.version} was kept with; `make release` keeps it anew"
                for name, path in sorted(kept.items())
                if name != FROZEN and not _is_same(path, root / name)
            ]

    def changed_revisions(self, root: Path) -> list[str]:
        """Return a line for each file of its revisions that is another one in a tree now, or is not of the release.

        The list of frozen hashes is of the tree as well: whoever edits a revision and its hash is found by this.
        """
        with tarfile.open(self.code) as archive:
            members = [each for each in archive.getmembers() if each.isfile() and each.name.startswith(REVISIONS)]
            released = {each.name: content.read() for each in members if (content := archive.extractfile(each))}
        folders = {str(Path(name).parent) for name in released} - {REVISIONS.rstrip("/")}
        there = {str(path.relative_to(root)) for folder in folders for path in (root / folder).glob("*.sql")}
        return [
            f"{name}: is not what release {self.version} has; a released revision is never edited"
            for name in sorted(there | released.keys())
            if not (root / name).is_file() or (root / name).read_bytes() != released.get(name)
        ]

    def files(self) -> tuple[Path, ...]:
        """Return every file that belongs to a kept release."""
        return (self.code, self.deployment, self.database, self.temporal, self.stripe, self.histories)

    def unpack(self, folder: Path) -> Path:
        """Write code and data into a folder and return where the code is."""
        for packed in (self.database, self.temporal, self.stripe):
            (folder / packed.stem).write_bytes(lzma.decompress(packed.read_bytes()))
        return self.unpack_code(folder)

    def unpack_project(self, folder: Path) -> None:
        """Write the project's folder as an operator of the release has it."""
        for packed in (self.code, self.deployment):
            with tarfile.open(packed) as archive:
                archive.extractall(folder, filter="data")

    def unpack_code(self, folder: Path) -> Path:
        """Write the code alone and return where it is."""
        code = folder / "code"
        with tarfile.open(self.code) as archive:
            archive.extractall(code, filter="data")
        return code


def releases() -> list[KeptRelease]:
    """Return every kept release, the oldest first."""
    found = [path.name for path in RELEASES.iterdir() if path.is_dir()]
    return [KeptRelease(version) for version in sorted(found, key=numbers_of)]


def keep_histories(release: KeptRelease) -> None:
    """Write the hash of each recorded history."""
    hashes = {path.name: _hash_of(path) for path in sorted(HISTORIES.iterdir()) if path.is_file()}
    release.histories.write_text(json.dumps(hashes, indent=2) + "\n")


def pack(path: Path, packed: Path) -> None:
    """Compress a file. The same content gives the same bytes."""
    packed.write_bytes(lzma.compress(path.read_bytes(), preset=9))


def _is_same(one: Path, other: Path) -> bool:
    return other.is_file() and one.read_bytes() == other.read_bytes()


def _hash_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def numbers_of(version: str) -> tuple[int, ...]:
    """Return what versions are ordered by."""
    return tuple(int(part) for part in version.split("."))
