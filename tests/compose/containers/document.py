"""A compose file as its services, by the compose specification; what is not carried out here is refused."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.compose.containers.interpolation import ComposeError, interpolated

# Without an effect on what a service does: an engine's own, and judged as text by tests/test_compose.py.
OF_THE_ENGINE = frozenset(
    {"build", "cap_drop", "init", "logging", "mem_limit", "ports", "pull_policy", "security_opt", "shm_size"}
)
CARRIED_OUT = frozenset(
    {
        "command", "depends_on", "entrypoint", "environment", "healthcheck", "image", "profiles", "read_only",
        "restart", "secrets", "stop_grace_period", "tmpfs", "user", "volumes", "working_dir",
    }
)  # fmt: skip
SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
STOP_SECONDS = 10.0


@dataclass(frozen=True)
class HealthCheck:
    """A command that tells whether a service is well, and for how many seconds it may say no at the start."""

    test: tuple[str, ...]
    timeout: float
    start_limit: float


@dataclass(frozen=True)
class Mounted:
    """A folder, file or named volume inside a service."""

    source: str
    target: str
    is_writable: bool

    @property
    def is_volume(self) -> bool:
        """Whether the source is a named volume rather than a path."""
        return not self.source.startswith((".", "/"))


@dataclass(frozen=True)
class Service:
    """One service with all its values filled in. None means what the image says."""

    name: str
    image: str
    entrypoint: tuple[str, ...] | None
    command: tuple[str, ...] | None
    environment: Mapping[str, str]
    working_dir: str | None
    user: str | None
    is_read_only: bool
    tmpfs: tuple[str, ...]
    mounts: tuple[Mounted, ...]
    waits: Mapping[str, str]
    health: HealthCheck | None
    restart: str
    profiles: frozenset[str]
    stop_seconds: float


def read_services(path: Path, variables: Mapping[str, str]) -> dict[str, Service]:
    """Read a compose file with the variables of its `.env`. Raises ComposeError."""
    document = interpolated(yaml.safe_load(path.read_text(encoding="utf-8")), variables)
    secrets = {name: each["file"] for name, each in (document.get("secrets") or {}).items()}
    services = {name: _service(name, given, secrets) for name, given in document["services"].items()}
    volumes = set(document.get("volumes") or ())
    for service in services.values():
        _require_known(service, services, volumes)
    return services


def read_variables(path: Path) -> dict[str, str]:
    """Read an `.env` file."""
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name.strip(): value.strip().strip("'\"") for name, _, value in pairs}


def _service(name: str, given: Mapping[str, Any], secrets: Mapping[str, str]) -> Service:
    if unknown := sorted(given.keys() - OF_THE_ENGINE - CARRIED_OUT):
        raise ComposeError(f"{name}: {unknown[0]} is not carried out by these tests")
    mounts = [_mounted(each) for each in given.get("volumes", ())]
    mounts += [_secret(name, each, secrets) for each in given.get("secrets", ())]
    return Service(
        name=name,
        image=given["image"],
        entrypoint=_words(given.get("entrypoint")),
        command=_words(given.get("command")),
        environment={key: _text(value) for key, value in given.get("environment", {}).items()},
        working_dir=given.get("working_dir"),
        user=given.get("user"),
        is_read_only=bool(given.get("read_only", False)),
        tmpfs=tuple(given.get("tmpfs", ())),
        mounts=tuple(mounts),
        waits={other: wait["condition"] for other, wait in given.get("depends_on", {}).items()},
        health=_health(given["healthcheck"]) if "healthcheck" in given else None,
        restart=given.get("restart", "no"),
        profiles=frozenset(given.get("profiles", ())),
        stop_seconds=_seconds(given["stop_grace_period"]) if "stop_grace_period" in given else STOP_SECONDS,
    )


def _require_known(service: Service, services: Mapping[str, Service], volumes: set[str]) -> None:
    """Refuse what an engine refuses before it starts anything."""
    for other in service.waits:
        if other not in services:
            raise ComposeError(f"service {service.name} depends on undefined service {other}")
    for mount in service.mounts:
        if mount.is_volume and mount.source not in volumes:
            raise ComposeError(f"service {service.name} refers to undefined volume {mount.source}")


def _words(given: str | Sequence[str] | None) -> tuple[str, ...] | None:
    # Words in one string are split as a shell splits them, and no service of ours needs that.
    if isinstance(given, str):
        raise ComposeError(f"{given!r}: commands are lists of words here")
    return None if given is None else tuple(str(word) for word in given)


def _text(value: object) -> str:
    if value is None or isinstance(value, bool):
        raise ComposeError(f"{value!r} is not a text: put it in quotes")
    return str(value)


def _mounted(given: str) -> Mounted:
    source, target, *options = given.split(":")
    return Mounted(source, target, options != ["ro"])


def _secret(service: str, name: str, secrets: Mapping[str, str]) -> Mounted:
    if name not in secrets:
        raise ComposeError(f"service {service} refers to undefined secret {name}")
    return Mounted(secrets[name], f"/run/secrets/{name}", is_writable=False)


def _health(given: Mapping[str, Any]) -> HealthCheck:
    kind, *words = given["test"]
    if kind != "CMD":
        raise ComposeError(f"a health check of the kind {kind} is not carried out by these tests")
    interval = _seconds(given["interval"])
    start_limit = _seconds(given.get("start_period", "0s")) + interval * int(given["retries"])
    return HealthCheck(tuple(words), _seconds(given["timeout"]), start_limit)


def _seconds(text: str) -> float:
    parts = re.findall(r"(\d+)(ms|s|m|h)", text)
    if "".join(number + unit for number, unit in parts) != text or not parts:
        raise ComposeError(f"{text!r} is not a duration")
    return sum(int(number) * SECONDS[unit] for number, unit in parts)
