"""docker-compose.yml, judged as far as can be without an engine."""

import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.servers.temporal import DYNAMIC_CONFIG
from settings import Settings, environment_name
from tests.house import compose as checks
from tests.house.source import ROOT

COMPOSE = checks.read_compose(ROOT / "docker-compose.yml")
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
EXAMPLE = (ROOT / "docker" / "env.example").read_text(encoding="utf-8")
SCRIPTS = sorted((ROOT / "docker").rglob("*.sh"))
SETTINGS = {environment_name(field) for field in Settings.model_fields}


def test_it_is_a_compose_file_by_the_published_schema() -> None:
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]

    result = subprocess.run([*check, "docker-compose.yml"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stdout


def test_it_runs_the_whole_of_the_production_path() -> None:
    assert {"postgresql", "temporal", "temporal-ui", "migrate", "webhook"} <= set(COMPOSE.services)
    assert {"worker-workflow", "worker-gateway"} <= set(COMPOSE.ours)


def test_its_temporal_server_behaves_as_the_embedded_one() -> None:
    behaviour = yaml.safe_load((ROOT / "docker" / "temporal" / "dynamic-config.yaml").read_text(encoding="utf-8"))

    given = {key: str(values[0]["value"]).lower() for key, values in behaviour.items()}

    # How many pieces a queue is in is a matter of hosts.
    assert given == {key: value for key, value in DYNAMIC_CONFIG.items() if "Partitions" not in key}


def test_every_image_has_a_version() -> None:
    assert checks.loose_images(COMPOSE) == []
    assert checks.loose_bases(DOCKERFILE) == []


def test_every_port_is_on_this_machine_and_used_once() -> None:
    assert checks.open_or_shared_ports(COMPOSE) == []


def test_every_file_that_is_mounted_or_copied_is_there() -> None:
    assert checks.missing_files(COMPOSE, ROOT) == []
    assert [path for path in checks.copied_files(DOCKERFILE) if not (ROOT / path).exists()] == []


def test_the_image_holds_no_development_code() -> None:
    assert {"sandbox/", "tests/", "bench/", "."}.isdisjoint(checks.copied_files(DOCKERFILE))


def test_every_wait_can_end() -> None:
    assert checks.vain_waits(COMPOSE) == []


def test_secrets_are_files_or_come_from_the_environment_or_compose_refuses() -> None:
    must_be_given = {name for name, must in checks.variables_of(COMPOSE.text).items() if must}

    assert checks.secrets_in_the_open(COMPOSE) == []
    assert must_be_given == {"TEMPORAL_DATABASE_PASSWORD"}


def test_the_example_of_the_environment_names_every_variable_and_no_other() -> None:
    named = set(re.findall(r"^([A-Z_]+)=", EXAMPLE, re.MULTILINE))

    # The login name is the shell's.
    assert named == set(checks.variables_of(COMPOSE.text)) - {"USER"}


def test_every_setting_can_be_set_and_no_other_is_given() -> None:
    given = {name for service in COMPOSE.ours.values() for name in service["environment"]}

    assert checks.unset_settings(COMPOSE, SETTINGS) == []
    assert checks.fixed_settings(COMPOSE, SETTINGS) == []
    others = {name for name in given if name.removesuffix("_FILE") not in SETTINGS}
    # The login name of who asks, and what the web server itself reads.
    assert {name for name in others if not name.startswith("OTEL_")} == {"USER", "FORWARDED_ALLOW_IPS"}


def test_every_secret_can_stand_in_a_file_that_is_there_where_it_is_read() -> None:
    secret = {environment_name(name) for name, field in Settings.model_fields.items() if "Secret" in f"{field}"}
    read = {
        name: {key: path for key, path in service["environment"].items() if key.endswith("_FILE")}
        for name, service in COMPOSE.ours.items()
    }

    assert {f"{name}_FILE" for name in secret | {"DULY_SMTP_URL"}} == {key for keys in read.values() for key in keys}
    assert {name: {f"/run/secrets/{one}" for one in service["secrets"]} for name, service in COMPOSE.ours.items()} == {
        name: set(keys.values()) for name, keys in read.items()
    }


def test_the_documents_name_every_service_and_every_address_that_is_published() -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    (services,) = re.findall(r"^\| Service \| What it does \| Where \|\n(?:\|.*\n)+", page, re.MULTILINE)
    rows = {
        name: row.split("|")[3] for row in services.splitlines()[2:] for name in re.findall("`([a-z-]+)`", row[:40])
    }

    assert rows.keys() == COMPOSE.services.keys()
    published = {name: service.get("ports", ()) for name, service in COMPOSE.services.items()}
    assert [
        name for name, ports in published.items() for port in ports if port.rpartition(":")[0] not in rows[name]
    ] == []


def test_the_image_is_built_once() -> None:
    assert [name for name, service in COMPOSE.services.items() if "build" in service] == ["migrate"]


def test_no_service_fills_the_disk_or_takes_all_memory() -> None:
    assert checks.unlimited_services(COMPOSE) == []


def test_every_service_that_lasts_tells_whether_it_is_well() -> None:
    lasting = {
        name: service for name, service in COMPOSE.services.items() if service.get("restart") == "unless-stopped"
    }

    assert [name for name, service in lasting.items() if "healthcheck" not in service] == ["temporal-ui"]


def test_who_could_signal_workflows_has_to_be_let_in() -> None:
    assert [name for name in ("temporal", "temporal-ui", "postgresql") if "ports" in COMPOSE.services[name]] == []


def test_only_the_migration_knows_the_role_that_owns_the_tables() -> None:
    knowing = {name for name, service in COMPOSE.ours.items() if "duly_owner" in str(service["environment"])}

    assert knowing == {"migrate"}


# Services of a second provider are the same entries.
ENTRIES = sorted(name for name in set(COMPOSE.ours) - {"migrate"} if not name.startswith("second-"))


@pytest.mark.gate_cases(1)
@pytest.mark.parametrize("service", ENTRIES)
def test_our_services_start_entries_that_know_their_options(service: str) -> None:
    words = COMPOSE.ours[service].get("entrypoint") or COMPOSE.ours[service]["command"]
    _, entry, *options = words
    commands = [option for option in options if entry == "starter.py"]

    explained = help_of(Path(entry).name, *commands)

    assert [option for option in options if option.startswith("--") and option not in explained] == []


@cache
def help_of(entry: str, *commands: str) -> str:
    """What a program says of its options; several services run the same one."""
    argv = [sys.executable, entry, *commands, "--help"]
    result = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_the_migration_is_a_command_of_the_locked_packages_and_finds_its_configuration() -> None:
    assert COMPOSE.services["migrate"]["command"] == ["python", "starter.py", "migrate"]
    assert {"starter.py", "commands/", "migrations/", "models/", "settings/"} <= set(checks.copied_files(DOCKERFILE))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_every_script_parses(script: Path) -> None:
    shell = script.read_text(encoding="utf-8").splitlines()[0].removeprefix("#!")

    subprocess.run([shell, "-n", script], check=True)


def a_compose(**service: Any) -> checks.Compose:
    return checks.Compose("", {"db": {"image": "postgres:18.6"}, "one": {"image": "postgres:18.6"} | service})


@pytest.mark.parametrize(
    ("check", "service"),
    [
        (checks.loose_images, {"image": "postgres"}),
        (checks.loose_images, {"image": "postgres:latest"}),
        (checks.loose_images, {"image": "postgres:18"}),
        (checks.open_or_shared_ports, {"ports": ["5432:5432"]}),
        (checks.open_or_shared_ports, {"ports": ["0.0.0.0:5432:5432"]}),
        (checks.vain_waits, {"depends_on": {"nobody": {"condition": "service_started"}}}),
        (checks.vain_waits, {"depends_on": {"db": {"condition": "service_healthy"}}}),
        (checks.vain_waits, {"depends_on": {"db": {"condition": "service_done"}}}),
        (checks.secrets_in_the_open, {"environment": {"POSTGRES_PASSWORD": "postgres"}}),
        (checks.secrets_in_the_open, {"environment": {"POSTGRES_PASSWORD_FILE": "/srv/password"}}),
    ],
)
def test_what_is_wrong_with_a_service_is_found(check: Any, service: dict[str, Any]) -> None:
    assert len(check(a_compose(**service))) == 1


def ours(**environment: str) -> checks.Compose:
    return checks.Compose("", {"worker": {"image": checks.OURS, "environment": environment}})


def test_a_setting_that_no_service_is_given_or_that_is_written_out_is_found() -> None:
    found = ours(DULY_LOG_LEVEL="${DULY_LOG_LEVEL:-}", DULY_GATEWAY_RATE="20", STRIPE_API_KEY_FILE="/run/secrets/key")

    assert checks.unset_settings(found, ["DULY_LOG_LEVEL", "DULY_PROVIDER", "STRIPE_API_KEY"]) == ["DULY_PROVIDER"]
    assert checks.fixed_settings(found, ["DULY_LOG_LEVEL", "DULY_GATEWAY_RATE"]) == ["worker: DULY_GATEWAY_RATE"]


def test_a_service_without_a_limit_is_found() -> None:
    rotated = {"logging": {"options": {"max-size": "10m"}}}
    services: dict[str, dict[str, Any]] = {
        "db": {**rotated, "mem_limit": "1g"},
        "one": rotated,
        "other": {"mem_limit": "1g"},
    }

    assert checks.unlimited_services(checks.Compose("", services)) == ["one", "other"]


def test_a_port_published_twice_is_found() -> None:
    one, other = (
        {"image": "a:1.0", "ports": ["127.0.0.1:80:80"]},
        {"image": "b:1.0", "ports": ["127.0.0.1:80:81"]},
    )

    assert len(checks.open_or_shared_ports(checks.Compose("", {"one": one, "other": other}))) == 2


def test_waiting_for_the_end_of_what_keeps_running_is_found() -> None:
    lasting = {"image": "a:1.0", "restart": "unless-stopped"}
    waiting = {"image": "b:1.0", "depends_on": {"one": {"condition": "service_completed_successfully"}}}

    assert len(checks.vain_waits(checks.Compose("", {"one": lasting, "other": waiting}))) == 1


def test_a_mount_that_is_not_there_is_found() -> None:
    assert checks.missing_files(a_compose(volumes=["./nowhere:/there:ro"]), ROOT) == ["./nowhere:/there:ro"]


def test_a_base_image_without_a_version_is_found() -> None:
    assert checks.loose_bases("FROM python:3\nRUN true") == ["python:3"]
