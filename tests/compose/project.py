"""The folder in which an operator runs compose: the project's files, an `.env`, secrets, and files for `starter`."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.compose.containers.document import read_variables
from tests.house.source import ROOT

API_KEY = "sk_test_duly_compose"
OPERATOR = "maria"


@dataclass(frozen=True)
class Project:
    """A copy of what compose reads, outside of the repository."""

    folder: Path

    @property
    def file(self) -> Path:
        """The compose file."""
        return self.folder / "docker-compose.yml"

    @property
    def files(self) -> Path:
        """The folder that `starter` sees as its own."""
        return self.folder / "files"

    def variables(self) -> dict[str, str]:
        """Return what `.env` and the shell of the operator say."""
        return {**read_variables(self.folder / ".env"), "USER": OPERATOR}

    def set_variable(self, name: str, value: str) -> None:
        """Fill in one line of `.env`."""
        path = self.folder / ".env"
        kept = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith(f"{name}=")]
        path.write_text("\n".join([*kept, f"{name}={value}", ""]), encoding="utf-8")

    def set_secret(self, name: str, value: str) -> None:
        """Fill in one file of docker/secrets, as an editor does."""
        (self.folder / "docker" / "secrets" / name).write_text(f"{value}\n", encoding="utf-8")

    def secret(self, name: str) -> str:
        """Return what a file of docker/secrets holds."""
        return (self.folder / "docker" / "secrets" / name).read_text(encoding="utf-8").strip()

    def make_secrets(self) -> None:
        """Run the script that the documents begin with."""
        subprocess.run(["/bin/sh", "docker/make-secrets.sh"], cwd=self.folder, check=True, capture_output=True)

    def change(self, before: str, after: str) -> None:
        """Change the compose file where it says something, which it must say once."""
        text = self.file.read_text(encoding="utf-8")
        assert text.count(before) == 1, f"{before!r} is there {text.count(before)} times"
        self.file.write_text(text.replace(before, after), encoding="utf-8")


def new_project(folder: Path, stripe_address: str, second_address: str) -> Project:
    """Make a folder for two sandboxes that stand for accounts at Stripe; only the secrets of webhooks are missing."""
    folder.mkdir()
    shutil.copy(ROOT / "docker-compose.yml", folder)
    shutil.copytree(ROOT / "docker", folder / "docker", ignore=shutil.ignore_patterns("secrets"))
    project = Project(folder)
    project.make_secrets()
    for provider, address in (("", stripe_address), ("second_", second_address)):
        project.set_secret(f"{provider}stripe_api_key", API_KEY)
        project.set_variable(f"{provider.upper()}STRIPE_API_BASE", address)
    return project
