"""`demo`: a month of recurring payments on a stack of its own."""

import asyncio
from typing import Annotated

import typer

from commands.options import Json
from commands.output import ExitCode, Failure
from models.problem import Problem


def demo(
    accounts: Annotated[int, typer.Option("--accounts", min=1, help="Generated accounts.")] = 200,
    seed: Annotated[
        int, typer.Option("--seed", help="The same seed gives the same people and the same problem cards.")
    ] = 7,
    faults: Annotated[
        float, typer.Option("--faults", min=0, max=0.9, help="Share of Stripe calls that go wrong, such as 0.1.")
    ] = 0.0,
    keep: Annotated[bool, typer.Option("--keep", help="Keep everything running until Ctrl-C, to look around.")] = False,
    as_json: Json = False,
) -> None:
    """Bill and collect a month on an embedded stack, and prove that it adds up: exit code 1 when it does not."""
    from sandbox.demo.demo import DemoOptions, run_demo
    from sandbox.servers.processes import ServiceError

    options = DemoOptions(accounts=accounts, seed=seed, faults=faults, keep=keep, as_json=as_json)
    try:
        report = asyncio.run(run_demo(options))
    except ServiceError as error:
        raise Failure(ExitCode.UNREACHABLE, [Problem("stack", "service_starts", str(error))]) from error
    raise typer.Exit(ExitCode.REFUSED if report.is_broken else ExitCode.OK)
