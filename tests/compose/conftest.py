"""Images, and a project with its Stripe, for the tests that carry out docker-compose.yml."""

import contextlib
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import pytest

from sandbox.servers.stripe_process import StripeAccount, running_stripe
from tests.compose.containers.container import unavailable
from tests.compose.containers.engine import Engine, running_engine
from tests.compose.containers.image import Image, build
from tests.compose.containers.stand_ins import stand_ins
from tests.compose.project import API_KEY, Project, new_project
from tests.house.source import ROOT

OURS = "duly:local"


@pytest.fixture
def workplace() -> Iterator[Path]:
    """A folder that the users of containers can walk to, which those of pytest are not."""
    with tempfile.TemporaryDirectory(prefix="duly-compose-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Image]:
    """What stands for the images of others, and ours, as the Dockerfile makes it."""
    folder = tmp_path_factory.mktemp("images")
    return {**stand_ins(folder / "others"), OURS: build(ROOT, folder / "ours")}


@pytest.fixture
async def project(workplace: Path) -> AsyncIterator[Project]:
    """A project as an operator has it before the first start, with two accounts at Stripe to reach."""
    account = StripeAccount(API_KEY, "whsec_unused")
    async with contextlib.AsyncExitStack() as running:
        addresses = []
        for name in ("first", "second"):
            folder = workplace / f"{name}-account"
            folder.mkdir()
            sandbox = running_stripe(account, folder=folder, log=folder / "log")
            addresses.append(await running.enter_async_context(sandbox))
        yield new_project(workplace / "project", *addresses)


@pytest.fixture
async def engine(project: Project, images: Mapping[str, Image], workplace: Path) -> AsyncIterator[Engine]:
    """An engine on the project, whose volumes are empty."""
    async with carried_out(project, images, workplace) as made:
        yield made


@contextlib.asynccontextmanager
async def carried_out(project: Project, images: Mapping[str, Image], workplace: Path) -> AsyncIterator[Engine]:
    """Carry out a project's file as it is now; skip the test where no container can be made."""
    if reason := unavailable():
        pytest.skip(f"no container can be made here: {reason}")
    async with running_engine(Engine(project.file, project.variables(), images, workplace / "engine")) as made:
        yield made


@contextlib.asynccontextmanager
async def running_file(text: str, images: Mapping[str, Image], workplace: Path) -> AsyncIterator[Engine]:
    """Carry out a compose file of a test's own."""
    (workplace / "project").mkdir()
    (workplace / "project" / "docker-compose.yml").write_text(text, encoding="utf-8")
    (workplace / "project" / ".env").touch()
    async with carried_out(Project(workplace / "project"), images, workplace) as made:
        yield made
