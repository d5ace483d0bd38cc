"""`make up`: the stack and its workers until Ctrl-C, with data that outlives them."""

import asyncio
import contextlib
import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from sandbox.console import running_console
from sandbox.data_folder import Ports, write_private
from sandbox.portal import HOW_IN, running_portal, with_portal
from sandbox.servers.processes import ServiceError, together
from sandbox.stack import Stack, StackOptions, running_stack
from sandbox.stripe.control.client import SandboxControl
from sandbox.stripe.control.messages import WebhookEndpoint
from sandbox.workers import EVENTS_PATH, make_schedules, running_webhook, running_worker

# Gateway calls have a process of their own, so that nothing delays them.
ROLES = ("workflow", "gateway")
DATA = Path(".duly")


def run_up(options: StackOptions, *, with_workers: bool = True) -> int:
    """Run the stack and its workers until Ctrl-C or SIGTERM, and return the exit code: 1 when a service failed."""
    try:
        asyncio.run(up(options, ROLES if with_workers else ()))
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("Stopped.")
        return 0
    except ServiceError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


async def up(options: StackOptions, roles: Sequence[str]) -> None:
    """Run the stack, a worker of each role, the receiver of events, the console and the portal until cancelled.

    Its namespace is prepared as compose prepares it: the schedules that check an installation are there. ServiceError
    when one does not start or ends; without workers there are no receiver, console and portal either.
    """
    async with running_stack(options) as bare, contextlib.AsyncExitStack() as running:
        stack, children = with_portal(bare) if roles else bare, []
        if roles and bare.settings.stripe_webhook_secrets:
            webhook = await running.enter_async_context(running_webhook(stack))
            children.append(webhook.child)
            stack = reached_at(stack, webhook.url)
        await make_schedules(stack)
        workers = await together(*(running.enter_async_context(running_worker(stack, role)) for role in roles))
        console = await running.enter_async_context(running_console(stack)) if roles else None
        children += [console.child, await running.enter_async_context(running_portal(stack))] if console else []
        running.enter_context(environment_file(stack))
        print(describe(stack, len(workers), console.describe() if console else "off"), flush=True)
        # With workers this ends when one of them does; without, when it is cancelled.
        await together(*(child.watch() for child in (*children, *workers)), asyncio.Event().wait())


def reached_at(stack: Stack, url: str) -> Stack:
    """Return the stack as processes see it whose customers are led to this address; its sandbox sends events there."""
    if stack.control:
        with SandboxControl(stack.control) as control:
            control.add_webhook_endpoint(WebhookEndpoint(url=f"{url}{EVENTS_PATH}"))
    led = {"DULY_PUBLIC_URL": url}
    return replace(
        stack,
        settings=stack.settings.model_copy(update={"public_url": url}),
        environment={**stack.environment, **led},
        started={**stack.started, **led},
    )


def describe(stack: Stack, workers: int, console: str = "off") -> str:
    """Return where everything is, for a person. Of passwords only the console's is in it: whoever sees it sees all."""
    settings, with_workers = stack.settings, f"with {workers} workers" if workers else "without workers"
    database = urlsplit(settings.database_url)
    lines = {
        "Temporal UI": settings.temporal_ui_url or "off",
        "Temporal": f"{settings.temporal_address}, namespace {settings.temporal_namespace}",
        "PostgreSQL": f"{database.hostname}:{database.port}{database.path} as {database.username}",
        "Stripe sandbox" if stack.control else "Stripe": settings.stripe_api_base,
        "Console": console,
        "Portal": f"{settings.portal_url}, {HOW_IN}" if workers else "off",
        "Webhook": settings.public_url if workers else "off",
        "Mail": f"{stack.folder.path / 'mail'}" if stack.mailbox else urlsplit(settings.smtp_url).hostname,
        "Logs": f"{stack.folder.logs}",
    }
    block = "\n".join(f"  {name:<15} {place}" for name, place in lines.items())
    return (
        f"Duly is up {with_workers}. Ctrl-C stops it; its data stays in {stack.folder.path}\n\n"
        f"{block}\n\n"
        "In another terminal, in this folder: .venv/bin/duly doctor (it finds these settings; not with --data)\n"
        f"For other programs: set -a; . {shlex.quote(str(_environment_path(stack)))}; set +a"
    )


@contextlib.contextmanager
def environment_file(stack: Stack) -> Iterator[Path]:
    """Write the variables that lead to the started services into a file for a shell, as long as they run."""
    path = _environment_path(stack)
    lines = (f"{name}={shlex.quote(value)}" for name, value in sorted(stack.started.items()))
    write_private(path, "\n".join(lines) + "\n")
    try:
        yield path
    finally:
        path.unlink()


def _environment_path(stack: Stack) -> Path:
    return stack.folder.path / "environment"


def main(
    data: Annotated[Path, typer.Option(help="Folder that keeps the data.")] = DATA,
    ui: Annotated[bool, typer.Option(help="Serve the Temporal UI.")] = True,
    workers: Annotated[bool, typer.Option(help="Run workers too.")] = True,
    postgres_port: Annotated[int, typer.Option(help="Port of PostgreSQL.")] = 0,
    temporal_port: Annotated[int, typer.Option(help="Port of Temporal.")] = 0,
    ui_port: Annotated[int, typer.Option(help="Port of the Temporal UI.")] = 0,
    stripe_port: Annotated[int, typer.Option(help="Port of the Stripe sandbox.")] = 0,
    mail_port: Annotated[int, typer.Option(help="Port of the mail catcher.")] = 0,
) -> None:
    """Run the stack and its workers until Ctrl-C. A port of 0 is last time's, or a free one."""
    ports = Ports(postgres_port, temporal_port, ui_port, stripe_port, mail_port)
    raise typer.Exit(run_up(StackOptions(data=data, ui=ui, ports=ports), with_workers=workers))


if __name__ == "__main__":
    typer.run(main)
