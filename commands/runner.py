"""Running what a command does, and putting the failures that it may meet into words."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import typer

from commands.output import ExitCode, Failure, Output
from models.problem import Problem, RefusedError


def perform(work: Callable[[Output], Awaitable[None]], *, as_json: bool) -> None:
    """Do the work of a command and leave with its exit code. Raises Failure for what may be expected to go wrong."""
    output = Output(as_json=as_json)
    asyncio.run(_translated(work(output)))
    raise typer.Exit(output.exit_code)


async def _translated(work: Awaitable[None]) -> None:
    from temporalio.service import RPCError

    from activities.database import DatabaseUnavailableError, RuleBrokenError, SchemaMismatchError, SendingHeldError
    from models.ledger.refusal_fields import problem_of
    from models.ledger.refusals import LedgerError

    asyncio.get_running_loop().set_exception_handler(_report_unawaited)
    try:
        await work
    except RefusedError as error:
        raise Failure(ExitCode.REFUSED, error.problems) from error
    except LedgerError as error:
        raise Failure(ExitCode.REFUSED, [problem_of(error)]) from error
    except (RuleBrokenError, SendingHeldError) as error:
        raise Failure(ExitCode.REFUSED, [Problem("database", error.type or "database_rule", error.message)]) from error
    except DatabaseUnavailableError as error:
        raise unreachable(
            "DULY_DATABASE_URL", "database_reachable", f"the database does not answer: {error}"
        ) from error
    except SchemaMismatchError as error:
        raise unreachable("DULY_DATABASE_URL", "database_release", str(error)) from error
    except RPCError as error:
        raise unreachable("DULY_TEMPORAL_ADDRESS", "temporal_reachable", f"Temporal: {error.message}") from error


def _report_unawaited(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    # A call that a command gave up ends as cancelled when nobody awaits it any more: standard error is the command's.
    if not isinstance(context.get("exception"), asyncio.CancelledError):
        loop.default_exception_handler(context)


def unreachable(setting: str, rule: str, message: str) -> Failure:
    """Make the failure of a server that does not answer; the setting says where it was looked for."""
    return Failure(ExitCode.UNREACHABLE, [Problem(setting, rule, message)])
