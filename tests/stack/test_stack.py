"""What the stack starts, what it leaves alone, and how it fails."""

import os
import re
import socket
from pathlib import Path

import psutil
import pytest

import sandbox.servers.temporal
from sandbox.data_folder import Ports
from sandbox.servers.processes import Child, Command, ServiceError, run_to_end
from sandbox.stack import StackOptions, running_stack


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children()}


def temporal_is(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox.servers.temporal, "program", lambda _name: str(program))


async def test_what_is_given_is_used_and_nothing_is_started(everything_given: dict[str, str]) -> None:
    before = children()

    async with running_stack() as stack:
        started = children() - before
        environment = {name: stack.environment[name] for name in everything_given}

    assert started == set()
    assert environment == everything_given
    assert stack.settings.database_url == everything_given["DULY_DATABASE_URL"]
    assert stack.settings.temporal_address == everything_given["DULY_TEMPORAL_ADDRESS"]
    assert stack.settings.stripe_api_base == everything_given["STRIPE_API_BASE"]
    assert stack.settings.smtp_url == everything_given["DULY_SMTP_URL"]
    assert (stack.control, stack.mailbox, dict(stack.started)) == ("", None, {})


@pytest.mark.nightly
async def test_a_key_for_the_real_stripe_is_not_used_for_the_sandbox(
    everything_given: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STRIPE_API_BASE")
    monkeypatch.setenv("STRIPE_API_KEY", "sk_live_of_somebody")

    async with running_stack() as stack:
        key = stack.settings.stripe_api_key.get_secret_value()

    assert key.startswith("sk_test_")
    assert stack.environment["STRIPE_API_KEY"] == key
    assert stack.control == stack.settings.stripe_api_base


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("DULY_DATABASE_URL", "mysql://localhost/duly", "DULY_DATABASE_URL: Value error, must start with postgresql"),
        ("DULY_TEMPORAL_ADDRESS", "localhost", "DULY_TEMPORAL_ADDRESS: Value error, must be host:port"),
        ("DULY_SMTP_URL", "http://localhost", "DULY_SMTP_URL: Value error, must start with smtp"),
        ("STRIPE_API_BASE", "https://api.stripe.com", "STRIPE_API_KEY: Field required"),
    ],
)
async def test_a_wrong_setting_is_named_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, reason: str
) -> None:
    monkeypatch.setenv(name, value)
    before = children()

    with pytest.raises(ServiceError, match=re.escape(reason)):
        async with running_stack():
            pytest.fail("it started")

    assert children() == before


async def test_a_temporal_of_the_user_that_does_not_answer_is_named(
    everything_given: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DULY_TEMPORAL_ADDRESS", "127.0.0.1:9")

    with pytest.raises(ServiceError, match=r"Temporal did not start: DULY_TEMPORAL_ADDRESS 127\.0\.0\.1:9: "):
        async with running_stack():
            pytest.fail("it started")


async def test_a_database_of_the_user_without_the_owners_address_is_refused_with_the_remedy(
    everything_given: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DULY_MIGRATION_DATABASE_URL")

    refused = r"Migrations did not start: the tables belong to duly_owner, .*\(DULY_MIGRATION_DATABASE_URL\)"
    with pytest.raises(ServiceError, match=refused):
        async with running_stack():
            pytest.fail("it started")


async def test_a_database_of_the_user_that_does_not_answer_is_refused_without_its_password(
    everything_given: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DULY_MIGRATION_DATABASE_URL", "postgresql+psycopg://owner:hidden@127.0.0.1:9/duly")

    with pytest.raises(ServiceError, match="Migrations did not start: connection failed") as failed:
        async with running_stack():
            pytest.fail("it started")

    assert "hidden" not in str(failed.value)


async def test_a_program_that_is_missing_is_named_and_nothing_is_left_running(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    temporal_is(tmp_path / "missing", monkeypatch)
    before = children()

    with pytest.raises(ServiceError, match=f"Temporal did not start: {tmp_path}/missing cannot be run: No such file"):
        async with running_stack():
            pytest.fail("it started")

    assert children() == before


async def test_what_ends_well_between_two_checks_has_ended_well(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen = iter([None, 0, 0, 0, 0])
    monkeypatch.setattr(Child, "exit_code", property(lambda _child: next(seen)))

    await run_to_end(Command("psql", ("true",), tmp_path / "log", tmp_path), timeout_seconds=30)


@pytest.mark.parametrize(
    ("argv", "timeout_seconds", "complaint"),
    [(("false",), 30, "failed: it ended with exit code 1"), (("sleep", "60"), 0.1, "did not end: it still ran")],
)
async def test_what_has_to_end_says_how_it_did_not(
    argv: tuple[str, ...], timeout_seconds: float, complaint: str, tmp_path: Path
) -> None:
    with pytest.raises(ServiceError, match=f"psql {complaint}"):
        await run_to_end(Command("psql", argv, tmp_path / "log", tmp_path), timeout_seconds=timeout_seconds)


async def test_the_error_of_a_part_that_ends_tells_its_last_words_and_where_its_log_is(
    everything_given: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "temporal"
    broken.write_text("#!/bin/sh\necho the disk is full >&2\nexit 3\n")
    broken.chmod(0o700)
    temporal_is(broken, monkeypatch)
    monkeypatch.delenv("DULY_TEMPORAL_ADDRESS")

    with pytest.raises(ServiceError) as failed:
        async with running_stack():
            pytest.fail("it started")

    log = failed.value.log
    assert log is not None
    assert str(failed.value) == (
        f"Temporal did not start: it ended with exit code 3. Its last lines:\nthe disk is full\nIts log: {log}"
    )
    assert log.read_text() == "the disk is full\n"


@pytest.mark.parametrize(
    ("part", "ports"),
    [
        ("PostgreSQL", "postgres"),
        ("Temporal", "temporal"),
        ("Temporal UI", "temporal_ui"),
        ("Stripe sandbox", "stripe"),
    ],
)
async def test_a_port_that_is_taken_is_refused_and_nothing_is_left_running(part: str, ports: str) -> None:
    before = children()

    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ServiceError, match=f"{part} did not start: port {port} is in use by another program"):
            async with running_stack(StackOptions(ports=Ports(**{ports: port}))):
                pytest.fail("it started")

    assert children() == before


async def test_two_stacks_do_not_share_a_data_folder(everything_given: dict[str, str], tmp_path: Path) -> None:
    options = StackOptions(data=tmp_path / "data")

    async with running_stack(options):
        with pytest.raises(ServiceError, match=f"another stack is running on {tmp_path}/data; stop it first"):
            async with running_stack(options):
                pytest.fail("it started")


async def test_a_temporary_stack_leaves_no_folder(everything_given: dict[str, str]) -> None:
    async with running_stack() as stack:
        assert stack.folder.path.is_dir()

    assert not stack.folder.path.exists()


async def test_credentials_are_for_the_owner_only(everything_given: dict[str, str], tmp_path: Path) -> None:
    async with running_stack(StackOptions(data=tmp_path / "data")) as stack:
        path = stack.folder.path / "credentials.json"
        stack.folder.credentials()

    assert path.stat().st_mode & 0o777 == 0o600
    assert path.stat().st_uid == os.geteuid()
