"""An image without an engine: the steps of a Dockerfile, carried out into a folder."""

import fnmatch
import json
import re
import shutil
import sys
import sysconfig
from collections.abc import Callable, Iterator, Mapping
from compileall import compile_dir
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path, PurePosixPath

from tests.compose.containers.interpolation import ComposeError

# Where the test's own Python and the image's programs are seen inside.
PROGRAMS, PACKAGES, INSTALLED = "/opt/image/bin", "/opt/image/packages", "/opt/installed"
PATH = f"{PROGRAMS}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SITE = Path(sysconfig.get_path("purelib"))
BESIDE_PYTHON = sysconfig.get_path("purelib", vars={"base": sys.base_prefix, "platbase": sys.base_prefix})
LOCKED = re.compile(r"^([A-Za-z0-9._-]+)==", re.MULTILINE)
INSTALL = re.compile(r"pip install --require-hashes -r (\S+)")
FONTS = ("apt-get update", "apt-get install --yes --no-install-recommends fonts-", "rm -rf /var/lib/apt/lists/*")
COMPILE = "python -m compileall -q ."
USER = re.compile(r"useradd .*--uid (\d+) (\w+)$")


@dataclass(frozen=True)
class Image:
    """Folders and files that are seen inside, by their place there, and what a container of it starts with.

    `volumes` are a stand-in's own, which its compose file does not know: name and place.
    """

    files: Mapping[str, Path]
    environment: Mapping[str, str] = field(default_factory=dict)
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    workdir: str = "/"
    user: str = "root"
    users: Mapping[str, int] = field(default_factory=lambda: {"root": 0})
    volumes: Mapping[str, str] = field(default_factory=dict)


def build(context: Path, folder: Path) -> Image:
    """Carry out the Dockerfile of a project. Raises ComposeError for a step that fails, or that is unknown here."""
    folder.mkdir(parents=True)
    image, ignored = Image({}), Ignored((context / ".dockerignore").read_text(encoding="utf-8"))
    for word, arguments in _steps((context / "Dockerfile").read_text(encoding="utf-8")):
        if word == "FROM":
            image = replace(image, files=with_python(folder), environment={"PATH": PATH, "PYTHONPATH": PACKAGES})
        elif word == "ENV":
            image = replace(image, environment={**image.environment, **dict(_pairs(arguments))})
        elif word == "WORKDIR":
            image = replace(image, workdir=arguments, files={**image.files, arguments: folder / "workdir"})
        elif word == "COPY":
            _copy(arguments, context, ignored, folder / "workdir")
        elif word == "RUN":
            image = replace(image, users={**image.users, **_run(arguments, folder)})
        elif word == "USER":
            image = replace(image, user=arguments)
        elif word == "CMD":
            image = replace(image, command=tuple(json.loads(arguments)))
        else:
            raise ComposeError(f"Dockerfile: {word} is not carried out by these tests")
    return image


@dataclass(frozen=True)
class Ignored:
    """What a `.dockerignore` keeps out of the build's context: the last rule that fits a path, or a folder above it."""

    text: str

    def __contains__(self, path: str) -> bool:
        kept_out = False
        for rule in (line.strip() for line in self.text.splitlines()):
            if rule and not rule.startswith("#") and _fits(rule.removeprefix("!"), path):
                kept_out = not rule.startswith("!")
        return kept_out


def with_python(folder: Path) -> dict[str, Path]:
    """Return the places of this Python under the name `python`, of the packages here, and of the image's own ones."""
    programs, packages = folder / "programs", folder / "packages"
    programs.mkdir()
    packages.mkdir()
    for name in ("python", "python3"):
        (programs / name).symlink_to(Path(sys.base_prefix) / "bin" / "python3")
    python = {} if sys.base_prefix == "/usr" else {sys.base_prefix: Path(sys.base_prefix)}
    # What somebody has installed beside that Python is not in an image.
    (folder / "nothing").mkdir()
    return python | {BESIDE_PYTHON: folder / "nothing", PROGRAMS: programs, PACKAGES: packages, INSTALLED: SITE}


def install(lock: Path, packages: Path) -> None:
    """Let an image see the packages that a lock names, and no other."""
    for name in LOCKED.findall(lock.read_text(encoding="utf-8")):
        try:
            files = distribution(name).files or ()
        except PackageNotFoundError:
            # The lock is for several versions of Python, and this one may do without.
            continue
        for top in {file.parts[0] for file in files} - {"..", "__pycache__"}:
            place = packages / top
            if not place.is_symlink():
                place.symlink_to(f"{INSTALLED}/{top}")


def _steps(dockerfile: str) -> Iterator[tuple[str, str]]:
    lines = (line for line in dockerfile.splitlines() if line.strip() and not line.startswith("#"))
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        word, _, arguments = line.partition(" ")
        yield word, arguments.strip()


def _pairs(arguments: str) -> Iterator[tuple[str, str]]:
    for pair in arguments.split():
        name, _, value = pair.partition("=")
        yield name, value


def _copy(arguments: str, context: Path, ignored: Ignored, workdir: Path) -> None:
    *sources, target = arguments.split()
    for source in sources:
        path = context / source
        if not path.exists() or source.rstrip("/") in ignored:
            raise ComposeError(f"COPY {source}: not found in the build's context")
        if path.is_dir():
            shutil.copytree(path, workdir / target, ignore=_leaving_out(context, ignored))
        else:
            (workdir / target).mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, workdir / target / path.name)


def _leaving_out(context: Path, ignored: Ignored) -> Callable[[str, list[str]], list[str]]:
    def left_out(folder: str, names: list[str]) -> list[str]:
        inside = PurePosixPath(Path(folder).relative_to(context))
        return [name for name in names if str(inside / name) in ignored]

    return left_out


def _run(arguments: str, folder: Path) -> dict[str, int]:
    """Carry out the commands that our Dockerfile runs, and return the users it adds."""
    users = {}
    for command in (part.strip() for part in arguments.split("&&")):
        if match := INSTALL.fullmatch(command):
            install(folder / "workdir" / match[1], folder / "packages")
        elif match := USER.fullmatch(command):
            users[match[2]] = int(match[1])
        elif command.startswith(FONTS):
            # Fonts of Debian: what is printed here has those of the machine.
            continue
        elif command == COMPILE:
            compile_dir(folder / "workdir", quiet=1)
        else:
            raise ComposeError(f"RUN {command}: not carried out by these tests")
    return users


def _fits(rule: str, path: str) -> bool:
    parts = PurePosixPath(path)
    places = [str(place) for place in (parts, *parts.parents) if str(place) != "."]
    if rule.startswith("**/"):
        return any(fnmatch.fnmatchcase(PurePosixPath(place).name, rule[3:]) for place in places)
    return any(fnmatch.fnmatchcase(place, rule) and place.count("/") == rule.count("/") for place in places)
