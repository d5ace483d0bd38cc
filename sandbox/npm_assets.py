"""`make assets`: what web/assets.toml names is fetched by npm, held against its hashes, and copied here."""

import base64
import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
LIST = ROOT / "web" / "assets.toml"


@dataclass(frozen=True)
class NpmFile:
    """A file of a package of npm, where its copy lies, and what both must come to."""

    package: str
    version: str
    integrity: str
    licence: str
    path: str
    copy: str
    sha256: str


def listed() -> list[NpmFile]:
    """Return every file that is taken from a package."""
    return [NpmFile(**one) for one in tomllib.loads(LIST.read_text(encoding="utf-8"))["files"]]


def fetch(file: NpmFile, folder: Path) -> bytes:
    """Fetch a package by npm and return the file. Raises ValueError when either is not what the list says."""
    npm = shutil.which("npm")
    if npm is None:
        raise ValueError("there is no npm on this machine")
    words = (npm, "pack", "--silent", f"--pack-destination={folder}", f"{file.package}@{file.version}")
    name = subprocess.run(words, check=True, capture_output=True, text=True).stdout.split()[-1]
    packed = (folder / name).read_bytes()
    found = "sha512-" + base64.b64encode(hashlib.sha512(packed).digest()).decode()
    if found != file.integrity:
        raise ValueError(f"{file.package} {file.version} is {found}, not {file.integrity}")
    with tarfile.open(folder / name) as package:
        member = package.extractfile(f"package/{file.path}")
        content = member.read() if member else b""
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise ValueError(f"{file.path} of {file.package} {file.version} is not {file.sha256}")
    return content


def main() -> int:
    """Copy every file anew; nothing is written of one that is not what it should be."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            contents = {file.copy: fetch(file, Path(folder)) for file in listed()}
        except (ValueError, subprocess.CalledProcessError) as error:
            print(error, file=sys.stderr)
            return 1
    for copy, content in contents.items():
        (ROOT / copy).parent.mkdir(parents=True, exist_ok=True)
        _ = (ROOT / copy).write_bytes(content)
        print(copy)
    return 0


if __name__ == "__main__":
    sys.exit(main())
