"""Gives a deployed release more customers who pay by card, with that release's own code: `load_payers.py FOLDER COUNT`.

Run with its settings, and with its code as Python's path instead of this file's. Prints `account token` for each.
"""

import asyncio
import csv
import itertools
import sys
from pathlib import Path

import stripe

from activities.database import Database, create_engine
from sandbox.customers.gateway_customers import GatewayCustomers
from sandbox.customers.generation import generate
from sandbox.customers.load import load
from sandbox.stripe.control.client import SandboxControl
from settings import Settings

# The company that releases are kept with: whoever is generated after its people has other ids than they have.
KEPT, SEED = 40, 7


async def main(folder: Path, count: int) -> None:
    """Save the customers at the gateway, and import them."""
    settings = Settings()
    client = stripe.StripeClient(
        settings.stripe_api_key.get_secret_value(),
        base_addresses={"api": settings.stripe_api_base},
        http_client=stripe.AIOHTTPClient(),
    )
    database = Database(create_engine(settings.database_url, pool=2), timeout_seconds=60)
    control = SandboxControl(settings.stripe_api_base)
    payers = (one for one in itertools.islice(generate(2 * count, SEED), KEPT, None) if one.problem is None)
    await load(itertools.islice(payers, count), GatewayCustomers(client, control), database, folder)
    with (folder / "cards.csv").open(encoding="utf-8", newline="") as written:
        for card in csv.DictReader(written):
            sys.stdout.write(f"{card['account_id']} {card['token']}\n")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
