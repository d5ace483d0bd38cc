"""Carries out a compose file as `docker compose` does: order, conditions, health checks, restarts, volumes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tests.compose.containers.document import Service, read_services
from tests.compose.containers.image import Image
from tests.compose.containers.interpolation import ComposeError
from tests.compose.containers.service_container import Machine, Network, RunningService
from tests.compose.containers.stand_ins import image_of

POLL_SECONDS = 0.1
# Instead of the file's interval: a test does not wait for what is well already.
HEALTH_SECONDS = 0.5
# A slow machine is not what these tests are about.
SLOWER = 4.0
# Who ends so often at the start will not get well.
MOST_RESTARTS = 3


@dataclass(frozen=True)
class Ran:
    """What a command of `docker compose run` wrote, and how it ended."""

    code: int
    written: str
    errors: str


class Engine:
    """One project: its file, its `.env`, its images, and the volumes that outlive its containers."""

    def __init__(self, file: Path, variables: Mapping[str, str], images: Mapping[str, Image], folder: Path) -> None:
        self.services = read_services(file, variables)
        self.images = dict(images)
        self.machine = Machine(file.parent, folder, Network())
        self._running: dict[str, RunningService] = {}
        self._starting: dict[str, asyncio.Task[None]] = {}

    def change(self, file: Path, variables: Mapping[str, str], images: Mapping[str, Image]) -> None:
        """Take another file, `.env` and images; what runs goes on until the next `up`."""
        self.services = read_services(file, variables)
        self.images.update(images)
        self.machine = replace(self.machine, project=file.parent)

    async def up(self, *names: str, profiles: Iterable[str] = ()) -> None:
        """Start services and what they wait for, all of the active profiles unless named; wait until they are well.

        What runs already goes on, unless its image or what the file says of it is another now. Raises ComposeError.
        """
        wanted = names or tuple(name for name, each in self.services.items() if each.profiles <= set(profiles))
        self._starting.clear()
        async with _one_error(), asyncio.TaskGroup() as group:
            for name in wanted:
                group.create_task(self._started(name))
        async with _one_error(), asyncio.TaskGroup() as group:
            for name in self._starting:
                group.create_task(self._well(name))

    async def run(self, name: str, *words: str) -> Ran:
        """Run a service once with other words, as `docker compose run --rm` does, when what it waits for is there."""
        service = self.services[name]
        self._starting = {each: task for each, task in self._starting.items() if each in self._running}
        for other, condition in service.waits.items():
            await self._condition(other, condition)
        image = image_of(service.image, self.images)
        entrypoint = image.entrypoint if service.entrypoint is None else service.entrypoint
        argv = (*entrypoint, *(words or service.command or ()))
        return Ran(*await self.machine.run_once(service, image, argv, self.services))

    async def down(self) -> None:
        """Stop everything, those first that others do not wait for. Volumes stay."""
        for name in reversed(list(self._running)):
            await self._running.pop(name).stop()
        self._starting.clear()

    async def stop(self, name: str) -> None:
        """Stop one service."""
        await self._running.pop(name).stop()

    def crashes(self) -> dict[str, str]:
        """Return the log of each lasting service that has ended by itself."""
        lasting = (each for each in self._running.values() if each.service.restart in {"always", "unless-stopped"})
        return {each.service.name: each.last_lines() for each in lasting if each.exits}

    def address(self, name: str) -> str:
        """Return the address of a service on this machine."""
        return self.machine.network.address(name)

    async def _started(self, name: str) -> None:
        """Start a service once in an `up`, behind what it waits for."""
        if name not in self.services:
            raise ComposeError(f"no such service: {name}")
        if name not in self._starting:
            self._starting[name] = asyncio.create_task(self._start(self.services[name]))
        await asyncio.shield(self._starting[name])

    async def _start(self, service: Service) -> None:
        for other, condition in service.waits.items():
            await self._condition(other, condition)
        image, before = image_of(service.image, self.images), self._running.get(service.name)
        if before is not None:
            if before.is_up and (before.image, before.service) == (image, service):
                return
            await before.stop()
        # Last is what stops first.
        self._running.pop(service.name, None)
        self._running[service.name] = self.machine.start(service, image, self.services)

    async def _condition(self, name: str, condition: str) -> None:
        await self._started(name)
        if condition == "service_healthy":
            await self._healthy(self._running[name])
        elif condition == "service_completed_successfully":
            await self._completed(self._running[name])
        elif condition != "service_started":
            raise ComposeError(f"{name}: unknown condition {condition}")

    async def _well(self, name: str) -> None:
        """Wait as `up --wait` does: for health, or for the end of what others wait for; all else has to run."""
        running = self._running[name]
        if running.service.health is not None:
            await self._healthy(running)
        elif any(each.waits.get(name) == "service_completed_successfully" for each in self.services.values()):
            await self._completed(running)
        elif not running.is_up:
            raise running.error("has ended")

    async def _healthy(self, running: RunningService) -> None:
        health = running.service.health
        if health is None:
            raise ComposeError(f"{running.service.name} has no health check, so nobody can wait for its health")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(health.start_limit * SLOWER):
                while not await self.machine.is_healthy(running, self.services):
                    if running.has_given_up or len(running.exits) > MOST_RESTARTS:
                        raise running.error("has ended")
                    await asyncio.sleep(HEALTH_SECONDS)
                return
        raise running.error("is unhealthy")

    async def _completed(self, running: RunningService) -> None:
        if await running.last_exit() != 0:
            raise running.error("didn't complete successfully")


@contextlib.asynccontextmanager
async def running_engine(engine: Engine) -> AsyncIterator[Engine]:
    """Stop whatever an engine runs in the end."""
    try:
        yield engine
    finally:
        await engine.down()


@contextlib.asynccontextmanager
async def _one_error() -> AsyncIterator[None]:
    # One reason is what a person can act on, and a group of tasks ends with all of them.
    try:
        yield
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from failed
