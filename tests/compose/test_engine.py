"""How services are carried out: their order, restarts, health, file set, secrets and volumes."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.compose.conftest import running_file
from tests.compose.containers.image import Image
from tests.compose.containers.interpolation import ComposeError

SHELL = "{image: 'temporalio/admin-tools:1', "


async def test_a_service_starts_behind_the_end_and_the_health_of_others(
    images: Mapping[str, Image], workplace: Path
) -> None:
    file = f"""
services:
  tried:
    {SHELL} restart: 'on-failure:2', volumes: [data:/data],
      command: [sh, -c, 'test -e /data/tried || {{ touch /data/tried; exit 1; }}']}}
  lasting:
    {SHELL} volumes: [data:/data], depends_on: {{tried: {{condition: service_completed_successfully}}}},
      command: [sh, -c, 'ls /data > /data/found; sleep 1; touch /data/ready; exec sleep 100'],
      healthcheck: {{test: [CMD, test, -e, /data/ready], interval: 1s, timeout: 5s, retries: 30}}}}
  last:
    {SHELL} volumes: ['data:/data:ro'], depends_on: {{lasting: {{condition: service_healthy}}}},
      command: [sh, -c, 'ls /data; touch /data/mine; exec sleep 100']}}
volumes: {{data: }}
"""
    async with running_file(file, images, workplace) as engine:
        await engine.up()

        assert (workplace / "engine" / "volumes" / "data" / "found").read_text() == "found\ntried\n"
        written = (await engine.run("last", "sh", "-c", "ls /data; touch /data/mine")).written
        assert written == "found\nready\ntried\n"
        assert not (workplace / "engine" / "volumes" / "data" / "mine").exists()


@pytest.mark.parametrize(
    ("service", "complaint"),
    [
        ("command: [sh, -c, 'echo broken; exit 3'], restart: 'on-failure:1'}", "exit code 3:\n(?s:.*)broken"),
        ("command: [no-such-program]}", "no-such-program"),
        ("command: [sh, -c, 'getent hosts elsewhere']}", "exit code 2"),
    ],
    ids=["exit code", "no such program", "unknown host"],
)
async def test_a_service_that_others_wait_for_and_that_fails_is_named_with_its_log(
    images: Mapping[str, Image], workplace: Path, service: str, complaint: str
) -> None:
    waits = "depends_on: {one: {condition: service_completed_successfully}}"
    file = f"services:\n  one: {SHELL} {service}\n  other: {SHELL} command: [sleep, '1'], {waits}}}\n"

    async with running_file(file, images, workplace) as engine:
        with pytest.raises(
            ComposeError, match=f"service one didn't complete successfully with {complaint}|{complaint}"
        ):
            await engine.up()


async def test_a_file_set_that_is_read_only_is(images: Mapping[str, Image], workplace: Path) -> None:
    (workplace / "key").write_text("sk_1\n")
    file = f"""
services:
  closed: {SHELL} read_only: true, tmpfs: [/tmp], secrets: [key], working_dir: /here, environment: {{GIVEN: here}} }}
secrets: {{key: {{file: {workplace}/key}} }}
"""
    words = (
        "echo $GIVEN; pwd; cat /run/secrets/key; touch /tmp/a && echo written; touch /here/a /run/secrets/key; id -u"
    )

    async with running_file(file, images, workplace) as engine:
        ran = await engine.run("closed", "sh", "-c", words)

    assert ran.written.splitlines()[:4] == ["here", "/here", "sk_1", "written"]
    assert ran.errors.count("cannot touch") == 2
    assert ran.written.splitlines()[-1] != "0"
