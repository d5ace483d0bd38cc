"""A merchant's first months with nothing but `docker compose run --rm starter`, from the documents."""

import asyncio
import csv
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import stripe

from tests.compose.containers.engine import Engine, Ran
from tests.compose.project import API_KEY, Project
from tests.house.source import ROOT

PAYING, DECLINED = 6, 1
SECOND_PROVIDER = """
[[payment_methods]]
id = "second_card"
name = "Card by the second provider"

[[providers]]
id = "second"
mode = "test"
currencies = ["EUR"]
payment_methods = ["second_card"]
"""
ACCOUNTS = ("account_id", "owner_name", "currency", "email", "locale", "time_zone")
SUBSCRIPTIONS = ("subscription_id", "account_id", "product_id", "price", "currency", "billing_day", "starts_on")
CARDS = ("account_id", "customer", "token", "brand", "last4", "exp_month", "exp_year", "recurring")


async def starter(engine: Engine, *words: str) -> Any:
    """Run a command that must succeed, and return its document."""
    ran = await engine.run("starter", *words, "--json")
    assert ran.code == 0, f"starter {' '.join(words)}: {whole_output(ran)}"
    return json.loads(ran.written)


def whole_output(ran: Ran) -> str:
    """Return all that a command wrote."""
    return f"exit code {ran.code}\n{ran.written}\n{ran.errors}"


async def register_webhook(engine: Engine, project: Project) -> None:
    """Register the receiver at the gateway, before it runs, and keep the secret that is shown once."""
    url = f"http://{engine.address('webhook')}:8000/webhooks/stripe"
    registered = await starter(engine, "webhooks", "apply", "--url", url)
    project.set_secret("stripe_webhook_secret", registered["secret"])


async def set_up_second_provider(engine: Engine, project: Project) -> None:
    """Configure another provider beside the first, with an account of its own, and register its receiver."""
    (project.files / "second.toml").write_text(SECOND_PROVIDER, encoding="utf-8")
    await starter(engine, "definitions", "apply", "second.toml")
    url = f"http://{engine.address('second-webhook')}:8000/webhooks/stripe"
    ran = await engine.run("second-webhook", "python", "starter.py", "webhooks", "apply", "--url", url, "--json")
    assert ran.code == 0, whole_output(ran)
    project.set_secret("second_stripe_webhook_secret", json.loads(ran.written)["secret"])


async def set_up(engine: Engine, project: Project) -> None:
    """Apply the example's definitions and import customers whose cards are at the gateway."""
    shutil.copy(ROOT / "docs" / "definitions.example.toml", project.files / "definitions.toml")
    await asyncio.to_thread(write_customers, project.variables()["STRIPE_API_BASE"], project.files)
    await starter(engine, "definitions", "apply", "definitions.toml")
    imported = await starter(
        engine, "accounts", "import", "accounts.csv", "--subscriptions", "subscriptions.csv", "--cards", "cards.csv"
    )
    assert imported["accounts"]["created"] == PAYING + DECLINED, imported
    await starter(engine, "schedule", "apply")


async def collect(engine: Engine, period: str) -> dict[str, Any]:
    """Bill a month and take its payments, and return the certificate."""
    await starter(engine, "billing", "start", "plans", period, "--wait")
    await starter(engine, "runs", "start", "monthly", period, "--wait")
    certificate: dict[str, Any] = await starter(engine, "runs", "certificate", f"run/monthly/{period}")
    return certificate


def write_customers(stripe_address: str, folder: Path) -> None:
    """Save customers with a card each at the gateway, and write the three files of an import."""
    client = stripe.StripeClient(API_KEY, base_addresses={"api": stripe_address})
    accounts, subscriptions, cards = [], [], []
    for number in range(PAYING + DECLINED):
        account = f"cust-{number:03d}"
        customer = client.v1.customers.create({"name": f"Customer {number}"})
        declines = number >= PAYING
        test_card = "pm_card_chargeCustomerFail" if declines else "pm_card_visa"
        card = client.v1.payment_methods.attach(test_card, {"customer": customer.id})
        printed = card.card
        assert printed is not None
        accounts.append((account, f"Customer {number}", "EUR", f"{account}@example.com", "en", "Europe/Nicosia"))
        subscriptions.append((f"sub-{number}", account, "fibre_500", "29.90", "EUR", 1, "2026-01-01"))
        cards.append(
            (account, customer.id, card.id, printed.brand, printed.last4, printed.exp_month, printed.exp_year, "yes")
        )
    _write(folder / "accounts.csv", ACCOUNTS, accounts)
    _write(folder / "subscriptions.csv", SUBSCRIPTIONS, subscriptions)
    _write(folder / "cards.csv", CARDS, cards)


def _write(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([header, *rows])
