"""A company at the command line, its receiver at an address of its own, and a real browser."""

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from playwright.async_api import Page, async_playwright
from stripe import StripeClient

from activities.database import Database
from activities.events.inbox import EventInbox
from activities.events.receiver_clock import ReceiverClock
from activities.gateway.stripe_gateway import StripeGateway
from sandbox.servers.mail import Mailbox
from settings import Settings
from tests.browser.conftest import CHROMIUM
from tests.support.command_line import CommandLine
from tests.support.running_duly import RunningDuly
from webhook import Webhook, build_app

WHO = ("--actor", "agent", "--reason", "as agreed")


@dataclass(frozen=True)
class Agent:
    """An agent at the command line, and what is told them."""

    cli: CommandLine
    stripe: StripeClient
    folder: Path

    async def configure(self, document: str, *command: str) -> None:
        """Apply a document of the configuration, or another one by its own command."""
        path = self.folder / "document.toml"
        path.write_text(document, encoding="utf-8")
        await self.cli.json(*(command or ("definitions", "apply")), str(path), *(WHO if not command else ()))

    async def registers(self, account: str, card: str) -> str:
        """Register a card that runs may charge, by the token that the customer's browser has got; return its state."""
        token = self.stripe.v1.payment_methods.create({"type": "card", "card": {"token": card}}).id
        words = ("cards", "register", account, "--method", "stripe", "--token", token, "--recurring", "--json")
        answer = await self.cli(*words)
        saved = await self.cli.json("cards", "show", answer.document["card"])
        assert answer.exit_code == (1 if saved["state"] == "rejected" else 0), answer.stdout
        return str(saved["state"])

    async def refused(self, *words: str) -> str:
        """Ask for what is not possible yet; return what it says that is missing."""
        answer = await self.cli(*words, "--json")
        assert answer.exit_code == 1, answer.stdout
        return " ".join(problem["message"] for problem in answer.error["problems"])

    async def owes(self, account: str, price: str) -> None:
        """Invoice a customer."""
        line = f"product=plan,price={price}"
        await self.cli.json("transactions", "create", "invoice", account, "--line", line, "--posted-on", "2026-05-20")

    async def run(self, period: str, *, is_dry: bool = False) -> list[tuple[str, int]]:
        """Run a month's payments, or ask what it would do; return outcomes with their amounts."""
        words = ("dry-run", "monthly", period) if is_dry else ("start", "monthly", period, "--not-due-yet", "--wait")
        run = await self.cli.json("runs", *words)
        return [(total["outcome"], total["amount_minor"]) for total in run.get("certificate", run)["totals"]]


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A free port of this machine, taken already."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield taken


@pytest.fixture
def settings(settings: Settings, listener: socket.socket, mailbox: Mailbox) -> Settings:
    """Settings of workers whose customers are led to the receiver of this test, and get mail."""
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    return settings.model_copy(update={"public_url": address, "smtp_url": mailbox.url})


@pytest.fixture
def cli(cli: CommandLine, settings: Settings) -> CommandLine:
    """The command line, which says the same addresses as the workers."""
    return CommandLine({**cli.environment, "DULY_PUBLIC_URL": settings.public_url})


@pytest.fixture
def agent(cli: CommandLine, workers: None, stripe_sdk: StripeClient, tmp_path: Path) -> Agent:
    """An agent of a company that has configured nothing yet."""
    del workers
    return Agent(cli, stripe_sdk, tmp_path)


@pytest.fixture
async def receiver(
    agent: Agent, database: Database, standing_duly: RunningDuly, listener: socket.socket, gateway: StripeGateway
) -> AsyncIterator[None]:
    """Where links lead to, and where the gateway sends what happens, on merchants' accounts too."""
    made = [await agent.cli.json("webhooks", "apply", *of) for of in ((), ("--merchants",))]
    secrets = tuple(endpoint["secret"] for endpoint in made)
    inbox = EventInbox(database, "stripe")
    app = build_app(Webhook(inbox, standing_duly.client, secrets, ReceiverClock(gateway)))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
    serving = asyncio.create_task(server.serve([listener]))
    yield
    server.should_exit = True
    await serving


@pytest.fixture
async def browser() -> AsyncIterator[Page]:
    """The browser of whoever opens a link."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium on this machine")
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=program, args=CHROMIUM)
        page = await chromium.new_page()
        page.set_default_timeout(60_000)
        yield page
        await chromium.close()
