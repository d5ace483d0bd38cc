"""The compose file, read as far as it can be judged without an engine."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

OURS = "duly:local"
VARIABLE = re.compile(r"\$\{(?P<name>[A-Z_]+)(?P<must>:\?)?")
PINNED = re.compile(r"^[a-z0-9./-]+:\d+\.\d+(\.\d+)?(-[a-z0-9.-]+)?(@sha256:[0-9a-f]{64})?$")
MADE = ("./files", "./docker/secrets/certificates")
FROM = re.compile(r"^FROM (\S+)", re.MULTILINE)
COPY = re.compile(r"^COPY (.+) \S+$", re.MULTILINE)


@dataclass(frozen=True)
class Compose:
    """A compose file: its services after YAML has merged what they share."""

    text: str
    services: dict[str, dict[str, Any]]
    secrets: tuple[str, ...] = ()

    @property
    def ours(self) -> dict[str, dict[str, Any]]:
        """The services that run this project's image."""
        return {name: service for name, service in self.services.items() if service["image"] == OURS}


def read_compose(path: Path) -> Compose:
    """Read a compose file."""
    text = path.read_text(encoding="utf-8")
    document = yaml.safe_load(text)
    return Compose(text, document["services"], tuple(document.get("secrets", ())))


def variables_of(text: str) -> dict[str, bool]:
    """Return every variable that the file takes from the environment, and whether it must be given."""
    return {match["name"]: bool(match["must"]) for match in VARIABLE.finditer(text)}


def unset_settings(compose: Compose, settings: Iterable[str]) -> list[str]:
    """Return the settings that nobody can give any service of ours, neither as a value nor as a file."""
    passed = {name.removesuffix("_FILE") for service in compose.ours.values() for name in service["environment"]}
    return [name for name in settings if name not in passed]


def fixed_settings(compose: Compose, settings: Iterable[str]) -> list[str]:
    """Return the settings whose value the file writes out, so that `.env` cannot change it."""
    return [
        f"{name}: {key}"
        for name, service in compose.ours.items()
        for key, value in service["environment"].items()
        if key in settings and not VARIABLE.search(str(value))
    ]


def unlimited_services(compose: Compose) -> list[str]:
    """Return the services that may fill the disk with their log, or take all memory."""
    return [
        name
        for name, service in compose.services.items()
        if "max-size" not in service.get("logging", {}).get("options", {}) or "mem_limit" not in service
    ]


def loose_images(compose: Compose) -> list[str]:
    """Return the images without a version; what is built here is pinned by the Dockerfile's FROM."""
    images = {name: service["image"] for name, service in compose.services.items() if service["image"] != OURS}
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
    """Return the mounted paths that are neither in the project nor made by docker/make-secrets.sh."""
    mounts = [mount for service in compose.services.values() for mount in service.get("volumes", [])]
    paths = {mount: mount.split(":")[0] for mount in mounts if mount.startswith(".")}
    return [mount for mount, path in paths.items() if path not in MADE and not (root / path).exists()]


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
    """Return the settings that look secret and are written out instead of taken from `.env` or a file."""
    return [
        f"{name}: {key}"
        for name, service in compose.services.items()
        for key, value in service.get("environment", {}).items()
        if re.search(r"PASSWORD|PWD|SECRET|API_KEY", key) and not _is_hidden(key, str(value))
    ]


def _is_hidden(key: str, value: str) -> bool:
    return value.startswith("/run/secrets/") if key.endswith("_FILE") else bool(VARIABLE.search(value))
