"""The compose file, read as far as it can be judged without an engine."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

VARIABLE = re.compile(r"\$\{(?P<name>[A-Z_]+)(?::(?P<kind>[-?])(?P<rest>[^}]*))?\}")
PINNED = re.compile(r"^[a-z0-9./-]+:\d+\.\d+(\.\d+)?(-[a-z0-9.-]+)?(@sha256:[0-9a-f]{64})?$")
FROM = re.compile(r"^FROM (\S+)", re.MULTILINE)
COPY = re.compile(r"^COPY (.+) \S+$", re.MULTILINE)


@dataclass(frozen=True)
class Compose:
    """A compose file: its services after YAML has merged what they share."""

    text: str
    services: dict[str, dict[str, Any]]

    @property
    def ours(self) -> dict[str, dict[str, Any]]:
        """The services that are built from this project."""
        return {name: service for name, service in self.services.items() if "build" in service}


def read_compose(path: Path) -> Compose:
    """Read a compose file."""
    text = path.read_text(encoding="utf-8")
    return Compose(text, yaml.safe_load(text)["services"])


def variables_of(text: str) -> dict[str, bool]:
    """Return every variable that the file takes from the environment, and whether it must be given."""
    return {match["name"]: match["kind"] != "-" for match in VARIABLE.finditer(text)}


def filled_in(value: str, environment: dict[str, str]) -> str:
    """Put the environment into a value, as compose does."""
    return VARIABLE.sub(lambda match: environment.get(match["name"]) or match["rest"] or "", value)


def loose_images(compose: Compose) -> list[str]:
    """Return the images without a version; what is built here is pinned by the Dockerfile's FROM."""
    images = {name: service["image"] for name, service in compose.services.items() if "build" not in service}
    return [f"{name}: {image}" for name, image in images.items() if not PINNED.match(image)]


def loose_bases(dockerfile: str) -> list[str]:
    """Return the base images without a version."""
    return [image for image in FROM.findall(dockerfile) if not PINNED.match(image)]


def copied_files(dockerfile: str) -> list[str]:
    """Return what the Dockerfile takes from the project."""
    return [source for line in COPY.findall(dockerfile) for source in line.split()]


def open_or_shared_ports(compose: Compose) -> list[str]:
    """Return the published ports that two services share or that are not on this machine alone."""
    ports = [(name, port) for name, service in compose.services.items() for port in service.get("ports", [])]
    taken = [port.split(":")[-2] for _, port in ports]
    return [
        f"{name}: {port}"
        for name, port in ports
        if not port.startswith("127.0.0.1:") or taken.count(port.split(":")[-2]) > 1
    ]


def missing_files(compose: Compose, root: Path) -> list[str]:
    """Return the mounted paths that are not in the project."""
    mounts = [mount for service in compose.services.values() for mount in service.get("volumes", [])]
    return [mount for mount in mounts if mount.startswith(".") and not (root / mount.split(":")[0]).exists()]


def vain_waits(compose: Compose) -> list[str]:
    """Return the waits that never end: on nobody, on health nobody checks, on the end of what runs on."""
    return [
        f"{name} waits for {other}: {wait['condition']}"
        for name, service in compose.services.items()
        for other, wait in service.get("depends_on", {}).items()
        if not _can_end(compose.services.get(other), wait["condition"])
    ]


def _can_end(service: dict[str, Any] | None, condition: str) -> bool:
    if service is None:
        return False
    if condition == "service_healthy":
        return "healthcheck" in service
    if condition == "service_completed_successfully":
        return service.get("restart") not in {"always", "unless-stopped"}
    return condition == "service_started"


def secrets_in_the_open(compose: Compose) -> list[str]:
    """Return the settings that look secret and are written out instead of taken from the environment."""
    return [
        f"{name}: {key}"
        for name, service in compose.services.items()
        for key, value in service.get("environment", {}).items()
        if re.search(r"PASSWORD|PWD|SECRET|API_KEY", key) and not VARIABLE.search(str(value))
    ]
