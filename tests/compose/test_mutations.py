"""What is wrong with docker-compose.yml is found when it is carried out: a service, a variable, an order, a secret."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.compose.conftest import carried_out
from tests.compose.containers.image import Image
from tests.compose.containers.interpolation import ComposeError
from tests.compose.project import Project

NAMESPACE = "  # Namespace, search attributes and schedules; safe to run again.\n"
UI = "  # Not published: give it a login"
WAITS_FOR_NAMESPACE = "  temporal-namespace:\n    condition: service_completed_successfully\n\n# Ready"
PATIENT, HASTY = "  retries: 6\n  start_period: 60s\n", "  retries: 1\n"
SCHEMA_FIRST = "    depends_on:\n      temporal-schema:\n        condition: service_completed_successfully\n"
MIGRATE_LATER = (
    "    secrets: [duly_owner_password, duly_runtime_password, stripe_api_key, smtp_url, payload_keys, "
    "temporal_api_key, otlp_headers]\n"
    "    depends_on:\n      postgresql:\n        condition: service_healthy\n"
)


@pytest.mark.nightly
@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("before", "after", "services", "complaint"),
    [
        ("  DULY_TEMPORAL_ADDRESS: ", "  DULY_TEMPORAL_ADRESS: ", ("migrate",), "DULY_TEMPORAL_ADDRESS"),
        pytest.param(
            "[python, starter.py, migrate]",
            "[python, starter.py, migrat]",
            ("migrate",),
            "No such command",
            marks=pytest.mark.nightly,
        ),
        pytest.param(
            MIGRATE_LATER, "", ("postgresql", "migrate"), "migrate didn't complete", marks=pytest.mark.nightly
        ),
        pytest.param(
            "://duly_owner@postgresql:",
            "://duly_owner@postgres:",
            ("migrate",),
            "migrate didn't complete",
            marks=pytest.mark.nightly,
        ),
        pytest.param(
            "DULY_MIGRATION_DATABASE_PASSWORD_FILE",
            "DULY_OWNER_PASSWORD_FILE",
            ("migrate",),
            "no password supplied",
            marks=pytest.mark.nightly,
        ),
        pytest.param(
            "[postgres_password, duly_owner_password, ",
            "[postgres_password, ",
            ("migrate",),
            "postgresql has ended",
            marks=pytest.mark.nightly,
        ),
        pytest.param(
            "POSTGRES_SEEDS: ",
            "POSTGRES_SEED: ",
            ("temporal",),
            "KeyError: 'POSTGRES_SEEDS'",
            marks=pytest.mark.nightly,
        ),
        pytest.param(
            "--role, gateway",
            "--role, money",
            ("worker-gateway",),
            "worker-gateway has ended",
            marks=pytest.mark.nightly,
        ),
        pytest.param(SCHEMA_FIRST, "", ("postgresql", "temporal"), "temporal has ended", marks=pytest.mark.nightly),
    ],
    ids=[
        "variable",
        "command",
        "order",
        "host",
        "password",
        "secret",
        "variable of Temporal",
        "worker",
        "order of Temporal",
    ],
)
async def test_a_wrong_service_does_not_start_and_says_why(
    project: Project,
    images: Mapping[str, Image],
    workplace: Path,
    before: str,
    after: str,
    services: tuple[str, ...],
    complaint: str,
) -> None:
    project.change(before, after)

    async with carried_out(project, images, workplace) as engine:
        with pytest.raises(ComposeError, match=complaint):
            await engine.up(*services)


@pytest.mark.nightly
@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_without_the_service_that_prepares_the_namespace_no_worker_is_ready(
    project: Project, images: Mapping[str, Image], workplace: Path
) -> None:
    text = project.file.read_text(encoding="utf-8")
    project.change(text[text.index(NAMESPACE) : text.index(UI)], "")
    project.change(WAITS_FOR_NAMESPACE, "\n# Ready")
    project.change(PATIENT, HASTY)

    async with carried_out(project, images, workplace) as engine:
        await engine.up("temporal", "migrate")
        with pytest.raises(ComposeError, match=r"worker-workflow is unhealthy(?s:.*)namespace_not_prepared"):
            await engine.up("worker-workflow")
