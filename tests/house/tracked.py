"""The files that are under version control."""

import subprocess
from pathlib import Path

from tests.house.source import ROOT

BINARY = frozenset({".png", ".jpg", ".gif", ".ico", ".gz", ".ttf", ".xz"})


def tracked_files(root: Path = ROOT) -> list[Path]:
    """Return every tracked file that is there."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, check=True, text=True).stdout
    paths = [root / name for name in listed.split("\0") if name]
    return [path for path in paths if path.is_file()]


def tracked_texts(root: Path = ROOT) -> list[Path]:
    """Return the tracked files that hold text."""
    return [path for path in tracked_files(root) if path.suffix not in BINARY]
