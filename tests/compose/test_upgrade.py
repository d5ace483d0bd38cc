"""An installation of a kept release is upgraded by the steps of docs/operations.md, on its volumes, and restarted."""

import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from sandbox.data_folder import Credentials, DataFolder
from tests.compose.conftest import OURS, carried_out
from tests.compose.containers.engine import Engine
from tests.compose.containers.image import Image, build
from tests.compose.merchant import starter, whole_output
from tests.compose.project import Project
from tests.house.source import ROOT
from tests.upgrades.deployed_release import sandbox_of
from tests.upgrades.kept_release import KeptRelease, releases
from tests.upgrades.months import BILLING, PAYING_ACCOUNTS, PAYMENT
from tests.upgrades.postgres_tools import RESTORING, run_program

PERIOD = "2026-11"
FIRST_OF_ALL = "0.1.0"
# As 0.1.0's example of `.env` asks for them. The secret of the webhook is Stripe's to make.
PASSWORDS = {
    "POSTGRES_PASSWORD": "postgres1",
    "DULY_OWNER_PASSWORD": "owner1",
    "DULY_RUNTIME_PASSWORD": "runtime1",
    "TEMPORAL_DATABASE_PASSWORD": "temporal1",
}
# 0.1.0 speaks to Stripe alone: its compose file is given the one line that leads to a sandbox instead.
LEADS_TO_STRIPE = "  STRIPE_API_KEY: ${STRIPE_API_KEY:?see docker/env.example}\n"
LEADS_TO_SANDBOX = LEADS_TO_STRIPE + "  STRIPE_API_BASE: ${STRIPE_API_BASE}\n"


@contextlib.asynccontextmanager
async def installed(
    release: KeptRelease, workplace: Path, images: Mapping[str, Image]
) -> AsyncIterator[tuple[Project, Engine]]:
    """Carry out a release's own compose file on volumes with its data, beside the sandbox that it has used."""
    data, secrets = DataFolder(workplace / "stripe", is_kept=True), Credentials.random()
    data.logs.mkdir(parents=True)
    code, project = release.unpack(data.path), Project(workplace / "project")
    release.unpack_project(project.folder)
    async with sandbox_of(code, data, secrets) as address:
        key = {"STRIPE_API_KEY": secrets.stripe_api_key, "STRIPE_WEBHOOK_SECRET": secrets.stripe_webhook_secret}
        given = {**PASSWORDS, **key, "STRIPE_API_BASE": address}
        (project.folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in given.items()))
        if release.version == FIRST_OF_ALL:
            project.change(LEADS_TO_STRIPE, LEADS_TO_SANDBOX)
        old = {**images, OURS: build(project.folder, workplace / "old-image")}
        async with carried_out(project, old, workplace) as engine:
            await engine.up("postgresql")
            await restore_into(engine, data.path / release.database.stem)
            keep_temporal(engine, data.path / release.temporal.stem)
            yield project, engine


async def restore_into(engine: Engine, dumped: Path) -> None:
    """Fill the database that the scripts of docker/postgres have made."""
    host, password = engine.address("postgresql"), PASSWORDS["POSTGRES_PASSWORD"]
    await run_program("psql", f"--file={dumped}", *RESTORING, "duly", host=host, port=5432, password=password)


def keep_temporal(engine: Engine, state: Path) -> None:
    """Put the workflows of a release where the server that stands for Temporal looks for them."""
    image = engine.images["temporalio/server"]
    [name], owner = image.volumes, image.users[image.user]
    place = engine.machine.volume(name, owner) / "temporal.db"
    shutil.copyfile(state, place)
    if os.geteuid() == 0:
        os.chown(place, owner, owner)


def take_release_of_today(project: Project) -> None:
    """Replace the project's files, as a checkout does; `.env` is the operator's."""
    for name in ("docker-compose.yml", "docker"):
        shutil.rmtree(project.folder / name) if name == "docker" else (project.folder / name).unlink()
    shutil.copy(ROOT / "docker-compose.yml", project.folder)
    shutil.copytree(ROOT / "docker", project.folder / "docker", ignore=shutil.ignore_patterns("secrets"))


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.timeout(600)
@pytest.mark.parametrize("release", releases(), ids=lambda release: release.version)
async def test_a_month_that_the_old_release_has_billed_is_collected_by_the_new_one(
    release: KeptRelease, workplace: Path, images: Mapping[str, Image]
) -> None:
    async with installed(release, workplace, images) as (project, engine):
        await engine.up()
        await starter(engine, "billing", "start", BILLING, PERIOD, "--not-due-yet", "--wait")
        assert engine.crashes() == {}

        take_release_of_today(project)
        project.make_secrets()
        engine.change(project.file, project.variables(), images)
        migrated = await engine.run("migrate")
        assert migrated.code == 0, whole_output(migrated)
        await engine.up()
        await starter(engine, "runs", "start", PAYMENT, PERIOD, "--not-due-yet", "--wait")

        document = await starter(engine, "runs", "certificate", f"run/{PAYMENT}/{PERIOD}")
        charged = [total["members"] for total in document["certificate"]["totals"] if total["outcome"] == "charged"]
        assert (document["seal"]["holds"], sum(charged) >= PAYING_ACCOUNTS) == (True, True), document["certificate"]

        await engine.down()
        await engine.up()
        ran = await engine.run("starter", "doctor")
        assert ran.code == 0, whole_output(ran)
        assert engine.crashes() == {}
