"""What pyproject.toml asks for and what the lock files pin."""

import re
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+) \\$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}( \\)?$")


def wanted(pyproject: Path, *extras: str) -> list[Requirement]:
    """Return the requirements of the runtime, and of the extras named."""
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    lines = [
        *project["dependencies"],
        *(line for name in extras for line in project["optional-dependencies"][name]),
    ]
    return [Requirement(line) for line in lines]


def pins(lock: Path) -> dict[str, str]:
    """Return name and version of every package in a lock file."""
    matches = (PIN.match(line) for line in lock.read_text(encoding="utf-8").splitlines())
    return {canonicalize_name(match[1]): match[2] for match in matches if match}


def loose_lines(lock: Path) -> list[str]:
    """Return the lines that are no pin, hash or comment: an address, an option, a package without a hash."""
    lines = lock.read_text(encoding="utf-8").splitlines()
    loose = [line for line in lines if line and not (PIN.match(line) or HASH.match(line) or _is_comment(line))]
    return loose + [line for line in lines if "://" in line]


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def unmet(requirements: list[Requirement], pinned: dict[str, str]) -> list[str]:
    """Return the requirements that no pin satisfies."""
    return [
        str(requirement)
        for requirement in requirements
        if not requirement.specifier.contains(pinned.get(canonicalize_name(requirement.name), "0"))
    ]


def distributions_of(imported: set[str]) -> dict[str, set[str]]:
    """Return for each import name the packages that provide it."""
    providers = packages_distributions()
    return {name: {canonicalize_name(found) for found in providers.get(name, [])} for name in imported}
