"""A service of a compose file as a process in a container: its words, environment, mounts, and restarts."""

import asyncio
import contextlib
import itertools
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.servers.processes import Child, Command
from tests.compose.containers.container import Container, Shown, system, write_etc
from tests.compose.containers.document import Mounted, Service
from tests.compose.containers.image import Image
from tests.compose.containers.interpolation import ComposeError

RESTART_SECONDS = 0.1
LONGEST_RESTART_SECONDS = 5.0
EVERYWHERE = "0.0.0.0"  # noqa: S104  # what a service calls its own address, and nothing listens on here
ITSELF = ("127.0.0.1", "localhost")


@dataclass
class RunningService:
    """A service that was started, with its exits so far; its restart policy is carried out by a task."""

    service: Service
    image: Image
    command: Command
    exits: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._child = Child(self.command)
        self._supervising = asyncio.create_task(self._supervise())

    @property
    def is_up(self) -> bool:
        """Whether it runs."""
        return self._child.exit_code is None

    @property
    def has_given_up(self) -> bool:
        """Whether it has ended and is not started again."""
        return self._supervising.done()

    async def last_exit(self) -> int:
        """Wait until it has ended for good, and return its exit code."""
        await asyncio.wait([self._supervising])
        return self.exits[-1]

    async def stop(self) -> None:
        """Ask it to end, and see to it."""
        self._supervising.cancel()
        await asyncio.wait([self._supervising])
        await self._child.stop()

    def error(self, what: str) -> ComposeError:
        """Return the complaint about it, with what it last wrote."""
        ended = f" with exit code {self.exits[-1]}" if self.exits else ""
        return ComposeError(f"service {self.service.name} {what}{ended}:\n{self.last_lines()}")

    def last_lines(self) -> str:
        """Return the end of its log."""
        lines = self.command.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-20:])

    async def _supervise(self) -> None:
        pause = RESTART_SECONDS
        while True:
            self.exits.append(await self._child.wait())
            if not self._is_started_again():
                return
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_RESTART_SECONDS)
            self._child = Child(self.command)

    def _is_started_again(self) -> bool:
        policy, _, times = self.service.restart.partition(":")
        if policy == "on-failure":
            return self.exits[-1] != 0 and (not times or len(self.exits) <= int(times))
        return policy in {"always", "unless-stopped"}


class Network:
    """An address on this machine for each service: every one listens on its own ports at its own."""

    def __init__(self) -> None:
        self._begins = f"127.{1 + secrets.randbelow(254)}.{secrets.randbelow(256)}"
        self._names: list[str] = []

    def address(self, name: str) -> str:
        """Return a service's address, which it keeps."""
        if name not in self._names:
            self._names.append(name)
        return f"{self._begins}.{2 + self._names.index(name)}"


@dataclass(frozen=True)
class Machine:
    """Where containers run: the project's folder, a folder for volumes and logs, and their network."""

    project: Path
    folder: Path
    network: Network
    _number: Iterator[int] = field(default_factory=itertools.count)

    def start(self, service: Service, image: Image, names: Iterable[str]) -> RunningService:
        """Start a service that knows the others by name."""
        argv = self._argv(service, image)
        return RunningService(service, image, self._command(service, image, argv, names))

    async def run_once(
        self, service: Service, image: Image, argv: Sequence[str], names: Iterable[str]
    ) -> tuple[int, str, str]:
        """Run other words in a service's container of its own, and return how it ended and what it wrote."""
        command = self._command(service, image, argv, names)
        process = await asyncio.create_subprocess_exec(
            *command.argv,
            cwd=command.cwd,
            env=dict(command.environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            written, errors = await process.communicate()
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        return process.returncode or 0, written.decode(), errors.decode()

    async def is_healthy(self, running: RunningService, names: Iterable[str]) -> bool:
        """Run the health check of a service once; it may take as long as the file gives it."""
        service, health = running.service, running.service.health
        if health is None or not running.is_up:
            return False
        own = self.network.address(service.name)
        argv = [word.replace(ITSELF[0], own).replace(ITSELF[1], own) for word in health.test]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(health.timeout, 10.0)):
                code, *_ = await self.run_once(service, running.image, argv, names)
                return code == 0
        return False

    def volume(self, name: str, owner: int) -> Path:
        """Return the folder of a named volume; a new one belongs to its service, as an image's own folder does."""
        place = self.folder / "volumes" / name
        if not place.exists():
            place.mkdir(parents=True)
            if os.geteuid() == 0:
                os.chown(place, owner, owner)
        return place

    def log(self, name: str) -> Path:
        """Return the file with what a service writes."""
        place = self.folder / "logs"
        place.mkdir(parents=True, exist_ok=True)
        return place / f"{name}.log"

    def _argv(self, service: Service, image: Image) -> list[str]:
        """Return the words of a service. An entrypoint of the file's own takes the image's command away."""
        command = service.command or (() if service.entrypoint else image.command)
        words = (*(service.entrypoint or image.entrypoint), *command)
        return [word.replace(EVERYWHERE, self.network.address(service.name)) for word in words]

    def _command(self, service: Service, image: Image, argv: Sequence[str], names: Iterable[str]) -> Command:
        uid, gid = _ids(service.user or image.user, image)
        # Of this start alone: what another container reads is not written anew.
        own = self.folder / "containers" / f"{service.name}-{next(self._number)}"
        address, given = self.network.address(service.name), {**image.environment, **service.environment}
        hosts = {"this-container": address, **{name: self.network.address(name) for name in names}}
        container = Container(
            name=service.name,
            argv=argv,
            environment={key: value.replace(EVERYWHERE, address) for key, value in given.items()},
            shown=[*self._shown(service, image, own, hosts), *(self._mounted(each, uid) for each in service.mounts)],
            workdir=service.working_dir or image.workdir,
            uid=uid,
            gid=gid,
            is_read_only=service.is_read_only,
            stop_seconds=service.stop_seconds,
        )
        return container.command(self.log(service.name), own)

    def _shown(self, service: Service, image: Image, own: Path, hosts: Mapping[str, str]) -> list[Shown]:
        return [
            *system(),
            *write_etc(own / "etc", image.users, hosts),
            *(Shown(str(source), place) for place, source in image.files.items()),
            *(Shown("tmpfs", place, "tmpfs") for place in service.tmpfs),
            *(() if service.is_read_only else (Shown("tmpfs", "/tmp", "tmpfs"),)),  # noqa: S108  # the container's own
            *(
                Shown(str(self.volume(name, image.users[image.user])), place, "rw")
                for name, place in image.volumes.items()
            ),
        ]

    def _mounted(self, mount: Mounted, owner: int) -> Shown:
        source = self.volume(mount.source, owner) if mount.is_volume else (self.project / mount.source).resolve()
        if not source.exists():
            raise ComposeError(f"bind source path does not exist: {source}")
        return Shown(str(source), mount.target, "rw" if mount.is_writable else "ro")


def _ids(user: str, image: Image) -> tuple[int, int]:
    name, _, group = user.partition(":")
    uid = int(name) if name.isdigit() else image.users.get(name)
    if uid is None:
        raise ComposeError(f"the image has no user {name}")
    return uid, int(group or uid)
