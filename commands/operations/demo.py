"""`demo`: a month of recurring payments on a stack of its own."""

import asyncio
from importlib.util import find_spec
from typing import Annotated

import typer

from commands.options import Json
from commands.output import ExitCode, Failure
from models.problem import Problem

OUTSIDE_OF_THE_PROJECT = (
    "its embedded servers are not part of the image: run `make demo` in the project's folder. Here,"
    " `doctor` shows what is set up, and docs/operations.md leads to a first month"
)
ACCOUNTS, ACCOUNTS_OF_A_COMPANY = 200, 60


def demo(
    accounts: Annotated[
        int | None, typer.Option("--accounts", min=1, help="Generated accounts; else 200, and 60 with more months.")
    ] = None,
    months: Annotated[
        int,
        typer.Option(
            "--months", min=1, max=60, help="So many months of a small company; all but the last are in the past."
        ),
    ] = 1,
    seed: Annotated[
        int, typer.Option("--seed", help="The same seed gives the same people and the same problem cards.")
    ] = 7,
    faults: Annotated[
        float, typer.Option("--faults", min=0, max=0.9, help="Share of Stripe calls that go wrong, such as 0.1.")
    ] = 0.0,
    keep: Annotated[bool, typer.Option("--keep", help="Keep everything running until Ctrl-C, to look around.")] = False,
    as_json: Json = False,
) -> None:
    """Bill and collect a month, or months, on an embedded stack and prove it adds up: exit code 1 when it does not."""
    if find_spec("sandbox") is None:
        raise Failure(ExitCode.USAGE, [Problem("demo", "sandbox_is_installed", OUTSIDE_OF_THE_PROJECT)])
    from sandbox.demo.demo import DemoOptions, run_demo
    from sandbox.servers.processes import ServiceError

    size = accounts or (ACCOUNTS if months == 1 else ACCOUNTS_OF_A_COMPANY)
    options = DemoOptions(accounts=size, months=months, seed=seed, faults=faults, keep=keep, as_json=as_json)
    try:
        report = asyncio.run(run_demo(options))
    except ServiceError as error:
        raise Failure(ExitCode.UNREACHABLE, [Problem("stack", "service_starts", str(error))]) from error
    raise typer.Exit(ExitCode.REFUSED if report.is_broken else ExitCode.OK)
