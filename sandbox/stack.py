"""The whole stack of a laptop: PostgreSQL, Temporal, the Stripe sandbox and a mail catcher, as far as not given.

A service that the environment names (DULY_DATABASE_URL, DULY_TEMPORAL_ADDRESS, STRIPE_API_BASE, DULY_SMTP_URL) is the
user's own: it is used and not started. The rest starts in parallel on free ports of 127.0.0.1.
"""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.data_folder import DataFolder, Ports, kept_folder, temporary_folder
from sandbox.environment import checked_settings, environment_with, settings_with, variables
from sandbox.servers.mail import Mailbox
from sandbox.servers.shown_clock import ShownClock
from sandbox.services import Services, ports_of, shown
from settings import Settings


@dataclass(frozen=True)
class StackOptions:
    """How to run the stack. Without a data folder everything is temporary.

    `stripe_options` are the sandbox's own, `postgres_settings` the server's where they are not ours. With a `clock` all
    servers and workers are shown its time, and Temporal is the server whose clock is moved by us.
    """

    data: Path | None = None
    ui: bool = True
    ports: Ports = field(default_factory=Ports)
    stripe_options: tuple[str, ...] = ()
    clock: ShownClock | None = None
    postgres_settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Stack:
    """A running stack, migrated and ready for workers.

    `environment` gives a child process the same settings; `started` is the share of it that leads to what the stack
    started itself. `control` is the address of the Stripe sandbox, "" when
    Stripe is the user's own; `mailbox` holds what was caught, None when the mail server is the user's own.
    """

    settings: Settings
    environment: Mapping[str, str] = field(repr=False)
    started: Mapping[str, str] = field(repr=False)
    folder: DataFolder
    control: str
    mailbox: Mailbox | None


@contextlib.asynccontextmanager
async def running_stack(options: StackOptions | None = None) -> AsyncIterator[Stack]:
    """Start what the environment does not give, and stop it in the end, also on Ctrl-C and SIGTERM.

    ServiceError names the service that did not start and its log; all others are stopped by then. Main thread only,
    because signals and the children's lives are tied to it.
    """
    wanted = options or StackOptions()
    checked = checked_settings()
    with _cancelled_by_sigterm(), _folder(wanted.data) as folder:
        async with contextlib.AsyncExitStack() as running:
            ports = folder.ports(wanted.ports)
            services = Services(
                folder,
                ports,
                wanted.ui,
                wanted.stripe_options,
                wanted.postgres_settings,
                running,
                clock=wanted.clock,
            )
            values = await services.start(checked)
            folder.remember_ports(ports_of(values))
            yield Stack(
                settings=settings_with(values),
                environment={**environment_with(values), **shown(wanted.clock)},
                started=variables(values),
                folder=folder,
                control=values.get("stripe_api_base") or "",
                mailbox=services.mailbox,
            )


def _folder(data: Path | None) -> contextlib.AbstractContextManager[DataFolder]:
    return temporary_folder() if data is None else kept_folder(data)


@contextlib.contextmanager
def _cancelled_by_sigterm() -> Iterator[None]:
    """Let SIGTERM cancel the task that runs the stack, as Ctrl-C does under asyncio.run."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    if task is not None:
        loop.add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
