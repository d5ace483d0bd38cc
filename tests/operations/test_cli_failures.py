"""What goes wrong with a server or a setting reads as what it is: one line, and an exit code that a script can use."""

import pytest
from sqlalchemy import make_url
from temporalio.service import RPCError, RPCStatusCode

from commands.failures import temporal_failure
from commands.output import ExitCode
from tests.support.builders import Merchant
from tests.support.command_line import CommandLine, CommandResult

REACHED = ("runs", "list")
TALKED_TO = ("schedule", "list")
# Asks the gateway for something, and says nothing to it before.
ASKED = ("webhooks", "apply", "--url", "http://127.0.0.1:8000/webhooks/stripe")


def one_line(result: CommandResult) -> str:
    """The only line on standard error."""
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    return line


def with_other(cli: CommandLine, **parts: str) -> str:
    """The database's address with something else in it."""
    return make_url(cli.environment["DULY_DATABASE_URL"]).set(**parts).render_as_string(hide_password=False)  # type: ignore[arg-type]


async def test_a_wrong_password_reads_as_one(cli: CommandLine) -> None:
    result = await cli(*REACHED, DULY_DATABASE_URL=with_other(cli, password="secret-but-wrong"))

    line = one_line(result)
    assert result.exit_code == 2
    assert line.startswith("error: DULY_DATABASE_URL: the database refuses us: ")
    assert line.endswith('password authentication failed for user "duly_runtime" (database_password)')
    assert "secret-but-wrong" not in line


async def test_a_missing_password_and_an_unknown_role_read_as_a_wrong_one(cli: CommandLine) -> None:
    without = make_url(cli.environment["DULY_DATABASE_URL"])._replace(password=None).render_as_string()
    results = [
        await cli(*REACHED, DULY_DATABASE_URL=without),
        await cli(*REACHED, DULY_DATABASE_URL=with_other(cli, username="nobody")),
    ]

    assert [result.exit_code for result in results] == [2, 2]
    assert all(one_line(result).endswith("(database_password)") for result in results)


async def test_a_database_that_is_not_there_reads_as_that(cli: CommandLine) -> None:
    result = await cli(*REACHED, DULY_DATABASE_URL=with_other(cli, database="dully"))

    assert result.exit_code == 2
    assert one_line(result).endswith('database "dully" does not exist (database_name)')


async def test_a_database_that_does_not_let_a_role_in_reads_as_that(cli: CommandLine, merchant: Merchant) -> None:
    database = make_url(cli.environment["DULY_DATABASE_URL"]).database
    await merchant.run(f"revoke connect on database {database} from public")

    result = await cli(*REACHED)

    assert result.exit_code == 2
    assert one_line(result).endswith("(database_access)")


async def test_a_database_server_that_is_down_reads_as_that(cli: CommandLine) -> None:
    result = await cli(*REACHED, DULY_DATABASE_URL="postgresql+psycopg://a:b@127.0.0.1:1/duly")

    line = one_line(result)
    assert result.exit_code == 3
    assert line.startswith("error: DULY_DATABASE_URL: the database does not answer: ")
    assert line.endswith("port 1 failed: Connection refused (database_reachable)")


async def test_a_host_that_nobody_knows_reads_as_that(cli: CommandLine) -> None:
    database = await cli(*REACHED, DULY_DATABASE_URL=with_other(cli, host="db.invalid"))
    temporal = await cli(*TALKED_TO, DULY_TEMPORAL_ADDRESS="temporal.invalid:7233")

    assert (database.exit_code, temporal.exit_code) == (3, 3)
    assert "failed to resolve host 'db.invalid'" in one_line(database)
    assert "nobody knows this host" in one_line(temporal)


@pytest.mark.parametrize("address", ["duly:p@ss/word@db:5432/duly", "duly:pass:port/duly", "duly:pass@db:port/duly"])
async def test_an_address_that_cannot_be_read_says_how_one_is_written(cli: CommandLine, address: str) -> None:
    result = await cli(*REACHED, DULY_DATABASE_URL=f"postgresql+psycopg://{address}")

    line = one_line(result)
    assert result.exit_code == 2
    assert "must be postgresql+psycopg://user:password@host:port/name" in line
    assert "ss" not in line.replace("password", "").replace("address", "")


async def test_a_migration_under_a_wrong_password_reads_as_that(cli: CommandLine) -> None:
    owner = make_url(cli.environment["DULY_MIGRATION_DATABASE_URL"]).set(password="wrong")

    result = await cli("migrate", DULY_MIGRATION_DATABASE_URL=owner.render_as_string(hide_password=False))

    assert result.exit_code == 2
    assert one_line(result).startswith("error: DULY_MIGRATION_DATABASE_URL: the database refuses us: ")


async def test_a_temporal_server_that_is_down_reads_as_that(cli: CommandLine) -> None:
    result = await cli(*TALKED_TO, DULY_TEMPORAL_ADDRESS="127.0.0.1:1")

    assert result.exit_code == 3
    assert one_line(result) == (
        "error: DULY_TEMPORAL_ADDRESS: Temporal does not answer at 127.0.0.1:1 (temporal_reachable)"
    )


async def test_a_wrong_namespace_reads_as_that(cli: CommandLine) -> None:
    result = await cli(*TALKED_TO, DULY_TEMPORAL_NAMESPACE="nowhere")

    assert result.exit_code == 2
    assert "has no such namespace" in one_line(result)


async def test_a_key_that_the_gateway_does_not_take_reads_as_that(cli: CommandLine, merchant: Merchant) -> None:
    result = await cli(*ASKED, STRIPE_API_KEY="sk_test_of_nobody")

    line = one_line(result)
    assert result.exit_code == 2
    assert line.startswith("error: STRIPE_API_KEY: the gateway does not take this key ")
    assert "sk_test_of_nobody" not in line


async def test_a_gateway_that_is_down_reads_as_that(cli: CommandLine, merchant: Merchant) -> None:
    result = await cli(*ASKED, STRIPE_API_BASE="http://127.0.0.1:1")

    assert result.exit_code == 3
    assert one_line(result).startswith("error: STRIPE_API_BASE: the gateway does not answer: ")


@pytest.mark.parametrize(
    ("status", "code", "setting"),
    [
        (RPCStatusCode.UNAUTHENTICATED, ExitCode.USAGE, "DULY_TEMPORAL_API_KEY"),
        (RPCStatusCode.PERMISSION_DENIED, ExitCode.USAGE, "DULY_TEMPORAL_API_KEY"),
        (RPCStatusCode.UNAVAILABLE, ExitCode.UNREACHABLE, "DULY_TEMPORAL_ADDRESS"),
        (RPCStatusCode.DEADLINE_EXCEEDED, ExitCode.UNREACHABLE, "DULY_TEMPORAL_ADDRESS"),
        (RPCStatusCode.RESOURCE_EXHAUSTED, ExitCode.UNREACHABLE, "DULY_TEMPORAL_ADDRESS"),
        (RPCStatusCode.CANCELLED, ExitCode.UNREACHABLE, "DULY_TEMPORAL_ADDRESS"),
        (RPCStatusCode.INTERNAL, ExitCode.UNREACHABLE, "DULY_TEMPORAL_ADDRESS"),
        (RPCStatusCode.INVALID_ARGUMENT, ExitCode.REFUSED, "DULY_TEMPORAL_ADDRESS"),
        (RPCStatusCode.UNIMPLEMENTED, ExitCode.REFUSED, "DULY_TEMPORAL_ADDRESS"),
    ],
)
def test_no_access_no_answer_and_a_refusal_of_temporal_have_codes_of_their_own(
    status: RPCStatusCode, code: ExitCode, setting: str
) -> None:
    failure = temporal_failure(RPCError("Request unauthorized.", status, b""))

    (problem,) = failure.problems
    assert (failure.code, problem.field) == (code, setting)
    assert "Request unauthorized." in problem.message
