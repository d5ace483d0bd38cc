"""docker/make-secrets.sh: what compose needs before its first start."""

import shutil
import stat
from pathlib import Path

from tests.compose.project import Project
from tests.house.compose import read_compose
from tests.house.source import ROOT

OLD = """POSTGRES_PASSWORD=p
DULY_OWNER_PASSWORD=o
DULY_RUNTIME_PASSWORD=r
TEMPORAL_DATABASE_PASSWORD=t
STRIPE_API_KEY=sk_test_old
"""


def a_project(folder: Path, dotenv: str | None = None) -> Project:
    shutil.copytree(ROOT / "docker", folder / "docker", ignore=shutil.ignore_patterns("secrets"))
    if dotenv is not None:
        (folder / ".env").write_text(dotenv, encoding="utf-8")
    made = Project(folder)
    made.make_secrets()
    return made


def test_it_makes_every_secret_of_the_compose_file_passwords_at_random(tmp_path: Path) -> None:
    one, other = a_project(tmp_path / "one"), a_project(tmp_path / "other")
    passwords = ("postgres_password", "duly_owner_password", "duly_runtime_password")

    made = {path.name for path in (one.folder / "docker" / "secrets").iterdir()}

    assert made == {*read_compose(ROOT / "docker-compose.yml").secrets, "certificates"}
    assert len({project.secret(name) for project in (one, other) for name in passwords}) == 6
    assert [name for name in passwords if not one.secret(name)] == []
    assert one.variables()["TEMPORAL_DATABASE_PASSWORD"] != other.variables()["TEMPORAL_DATABASE_PASSWORD"]


def test_only_its_owner_may_walk_to_the_secrets_and_containers_may_read_each(tmp_path: Path) -> None:
    folder = a_project(tmp_path / "one").folder / "docker" / "secrets"

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir() if path.is_file()} == {0o644}
    assert stat.S_IMODE((folder.parents[1] / ".env").stat().st_mode) == 0o600


def test_what_is_there_stays_and_an_older_release_s_values_are_taken_over(tmp_path: Path) -> None:
    project = a_project(tmp_path / "one", OLD)
    project.set_secret("stripe_webhook_secret", "whsec_new")

    project.make_secrets()

    names = ("postgres_password", "duly_owner_password", "duly_runtime_password", "stripe_api_key")
    assert [project.secret(name) for name in names] == ["p", "o", "r", "sk_test_old"]
    assert project.secret("stripe_webhook_secret") == "whsec_new"
    assert project.variables()["TEMPORAL_DATABASE_PASSWORD"] == "t"
