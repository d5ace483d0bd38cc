"""Running what a command does, and putting the failures that it may meet into words."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import typer

from commands import tracing
from commands.changing.changes import kept_command
from commands.output import ExitCode, Failure, Output
from models.problem import Problem, RefusedError

_FIELD = re.compile(r"[a-z][a-z_]*")


def perform(work: Callable[[Output], Awaitable[None]], *, as_json: bool, as_csv: bool = False) -> None:
    """Do the work of a command and leave with its exit code. Raises Failure for what may be expected to go wrong."""
    from settings import adopt_settings_of_make_up

    if as_json and as_csv:
        raise typer.BadParameter("give --json or --csv, not both", param_hint="--csv")
    output = Output(as_json=as_json, as_csv=as_csv)
    if adopted := adopt_settings_of_make_up(Path.cwd()):
        output.note(f"No settings in the environment: taken from {adopted} of `make up`.")
    try:
        asyncio.run(_alone(translated(_kept(work, output))))
    finally:
        tracing.end()
    raise typer.Exit(output.exit_code)


async def _kept(work: Callable[[Output], Awaitable[None]], output: Output) -> None:
    """Keep who changes what and why before the work begins, and then what became of it."""
    command = kept_command()
    if command is None:
        await work(output)
        return
    from commands.changing.keeping import keeping

    async with keeping(command, output):
        await work(output)


async def _alone(work: Awaitable[None]) -> None:
    asyncio.get_running_loop().set_exception_handler(_report_unawaited)
    await work


async def translated(work: Awaitable[None]) -> None:
    """Await the work of a command. Raises Failure, in its words, for what may be expected to go wrong."""
    from temporalio.service import RPCError

    from activities.database import (
        HELD_RULE,
        DatabaseUnavailableError,
        RuleBrokenError,
        SchemaMismatchError,
        SendingHeldError,
    )
    from commands.failures import database_failure, gateway_failure, temporal_failure, unreachable
    from models.gateway.errors import GatewayError
    from models.ledger.refusal_fields import problem_of
    from models.ledger.refusals import LedgerError

    try:
        await work
    except RefusedError as error:
        raise Failure(ExitCode.REFUSED, error.problems) from error
    except LedgerError as error:
        raise Failure(ExitCode.REFUSED, [problem_of(error)]) from error
    except (RuleBrokenError, SendingHeldError) as error:
        leads_on = "; duly recover show says what to do" if error.type == HELD_RULE else ""
        field, message = _field_of(error.message)
        raise Failure(
            ExitCode.REFUSED, [Problem(field, error.type or "database_rule", f"{message}{leads_on}")]
        ) from error
    except DatabaseUnavailableError as error:
        raise database_failure(error) from error
    except SchemaMismatchError as error:
        raise unreachable("DULY_DATABASE_URL", "database_release", str(error)) from error
    except GatewayError as error:
        raise gateway_failure(error) from error
    except RPCError as error:
        raise temporal_failure(error) from error


def _field_of(message: str) -> tuple[str, str]:
    """Return the field that a rule of the database names at first, and what it says; else that the database says it."""
    field, found, rest = message.partition(": ")
    return (field, rest) if found and _FIELD.fullmatch(field) else ("database", message)


def _report_unawaited(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    # A call that a command gave up ends as cancelled when nobody awaits it any more: standard error is the command's.
    if not isinstance(context.get("exception"), asyncio.CancelledError):
        loop.default_exception_handler(context)
