"""Builders: valid by default, so that a test says only what it is about."""

import itertools
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import stripe
from psycopg.types.json import Jsonb
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from activities.configuration.definitions import AppliedDocument, Definitions
from activities.configuration.document import DefinitionsDocument
from activities.database import Database
from models.gateway.amounts import gateway_minimum
from sandbox.stripe.control.client import Answer, CardOutcome, SandboxControl

API_KEY = "sk_test_duly"
PERIOD = "2026-11"
CURRENCIES = ("EUR", "JPY", "KWD")
RUN = "run/monthly/2026-11"
# No two tests of a process share an account: a workflow that one of them leaves on the server finds none in the next
# one's database.
_ACCOUNTS = itertools.count(1)


async def configure(engine: AsyncEngine, document: str) -> AppliedDocument:
    """Apply a document of the configuration, in TOML, which must be in order."""
    wanted = DefinitionsDocument.model_validate(tomllib.loads(document, parse_float=Decimal))
    return await Definitions(Database(engine)).apply(wanted, actor="a test", reason="as the test says")


def declined(decline_code: str, **details: Any) -> CardOutcome:
    """The issuer says no, for a reason."""
    return CardOutcome(answer=Answer.DECLINE, decline_code=decline_code, **details)


@dataclass
class Merchant:
    """A configured merchant with customers at the gateway: what every test of collecting starts from."""

    engine: AsyncEngine
    stripe: stripe.StripeClient
    sandbox: SandboxControl
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    provider: str = "stripe"
    method: str = "card"

    async def set_up(self) -> None:
        """Configure the provider, its currencies, a product, and a definition of each kind."""
        async with self.engine.begin() as connection:
            await self._set_up_provider(connection)
            await connection.execute(text("insert into duly.tax_rates (id, name, percent) values ('vat', 'VAT', 19)"))
            await connection.execute(
                text(
                    "insert into duly.products (id, name, tax_rate_id, ledger_account)"
                    " values ('plan', 'Plan', 'vat', 'revenue:plan')"
                )
            )
            await connection.execute(
                text(
                    "insert into duly.run_definitions (id, kind, name, provider_id, shards)"
                    " values ('plans', 'billing', 'Plans', default, default),"
                    " ('monthly', 'payment', 'Monthly', 'stripe', 2)"
                )
            )

    async def set_up_provider(self) -> None:
        """Configure the provider alone: another one of a merchant that is set up already."""
        async with self.engine.begin() as connection:
            await self._set_up_provider(connection)

    async def _set_up_provider(self, connection: AsyncConnection) -> None:
        await connection.execute(
            text("insert into duly.providers (id, gateway, mode) values (:id, 'stripe', 'test')"), {"id": self.provider}
        )
        await connection.execute(
            text(
                "insert into duly.provider_currencies"
                " select :provider, currency, minimum from unnest(cast(:currencies as text[]),"
                " cast(:minimums as bigint[])) as u (currency, minimum)"
            ),
            {
                "provider": self.provider,
                "currencies": list(CURRENCIES),
                "minimums": [gateway_minimum(currency).amount_minor for currency in CURRENCIES],
            },
        )
        await connection.execute(
            text("insert into duly.provider_methods values (:method, :provider)"),
            {"method": self.method, "provider": self.provider},
        )

    async def configure(self, document: str) -> AppliedDocument:
        """Apply a document of the configuration, as the company would."""
        return await configure(self.engine, document)

    async def move_to(self, provider: str, *accounts: str) -> None:
        """Let accounts pay by the cards of another provider, which is configured, from now on."""
        method = f"card_{provider}"
        await self.run(
            "insert into duly.payment_methods (id, name, ledger_account) values (:method, :method, 'bank')",
            method=method,
        )
        await self.run(
            "insert into duly.provider_methods values (:method, :provider)", method=method, provider=provider
        )
        for table, changed in (
            ("cards", "provider_id = :provider"),
            ("gateway_customers", "provider_id = :provider"),
            ("payment_preferences", "payment_method_id = :method"),
        ):
            await self.run(
                f"update duly.{table} set {changed} where account_id = any(:accounts)",
                provider=provider,
                method=method,
                accounts=list(accounts),
            )

    async def run(self, statement: str, **arguments: Any) -> Sequence[Any]:
        """Run one statement as the owner of the tables and return its rows, if any."""
        async with self.engine.begin() as connection:
            result = await connection.execute(text(statement), arguments)
            return result.all() if result.returns_rows else []

    async def value(self, statement: str, **arguments: Any) -> Any:
        """Return the first value of a query."""
        return (await self.run(statement, **arguments))[0][0]

    async def account(
        self,
        account_id: str = "",
        *,
        currency: str = "EUR",
        time_zone: str = "Europe/Nicosia",
        cards: Sequence[str] = ("pm_card_visa",),
        owes_minor: int = 0,
        is_recurring: bool = True,
        answers: Sequence[CardOutcome] = (),
        answers_for_ever: bool = False,
    ) -> str:
        """Open an account whose customer holds test cards, and which may owe one invoice.

        `answers` are what the issuer of the first card says, one by one; then it approves, or repeats the last.
        """
        account_id = account_id or f"acc_{next(_ACCOUNTS)}"
        customer = await self.stripe.v1.customers.create_async({"metadata": {"duly_account": account_id}})
        async with self.engine.begin() as connection:
            await connection.execute(
                text("select duly.open_account(:id, :currency, 'A. Customer', p_time_zone => :time_zone)"),
                {"id": account_id, "currency": currency, "time_zone": time_zone},
            )
            await connection.execute(
                text("insert into duly.gateway_customers values (:provider, :account, :customer)"),
                {"provider": self.provider, "account": account_id, "customer": customer.id},
            )
            await connection.execute(
                text(
                    "insert into duly.payment_preferences (id, account_id, payment_method_id, is_default)"
                    " values (:id, :account, :method, true)"
                ),
                {"id": f"pref_{account_id}", "account": account_id, "method": self.method},
            )
        for order, card in enumerate(cards, 1):
            await self.card(account_id, card, order=order, is_recurring=is_recurring)
        if answers:
            self.sandbox.script_card(await self.token(account_id), *answers, repeat_last=answers_for_ever)
        if owes_minor:
            await self.invoice(account_id, owes_minor, currency=currency)
        return account_id

    async def fresh_token(self, test_card: str) -> str:
        """Make a card at the gateway that no customer has yet; return its token."""
        token = test_card.replace("pm_card_", "tok_", 1)
        made = await self.stripe.v1.payment_methods.create_async({"type": "card", "card": {"token": token}})
        return made.id

    async def card(self, account_id: str, test_card: str, *, order: int = 1, is_recurring: bool = True) -> str:
        """Attach a test card to the account's customer and store it; return its token."""
        customer = await self.value(
            "select customer_reference from duly.gateway_customers where account_id = :id and provider_id = :provider",
            id=account_id,
            provider=self.provider,
        )
        method = await self.stripe.v1.payment_methods.attach_async(test_card, {"customer": customer})
        assert method.card is not None
        await self.run(
            "insert into duly.cards (account_id, preference_id, provider_id, token, brand, last4, exp_month, exp_year,"
            " fingerprint, is_recurring, fallback_order) values (:account, :preference, :provider, :token, :brand,"
            " :last4, :month, :year, :fingerprint, :recurring, :order)",
            account=account_id,
            preference=f"pref_{account_id}",
            provider=self.provider,
            token=method.id,
            brand=method.card.brand,
            last4=method.card.last4,
            month=method.card.exp_month,
            year=method.card.exp_year,
            fingerprint=method.card.fingerprint or "",
            recurring=is_recurring,
            order=order,
        )
        return method.id

    async def token(self, account_id: str) -> str:
        """Return the token of the account's first card."""
        return str(
            await self.value(
                "select token from duly.cards where account_id = :id order by fallback_order limit 1", id=account_id
            )
        )

    async def invoice(self, account_id: str, total_minor: int, *, currency: str = "EUR", key: str = "") -> str:
        """Post an untaxed invoice over a total; return its id."""
        line = {"product_id": "plan", "description": "Plan", "quantity": 1, "unit_price_minor": total_minor}
        amounts = {"discount_minor": 0, "net_minor": total_minor, "tax_minor": 0, "total_minor": total_minor}
        document = {
            "key": key or f"invoice:{account_id}:{next(self.numbers)}",
            "account_id": account_id,
            "currency": currency,
            "issued_on": date(2026, 11, 1).isoformat(),
            "lines": [{**line, **amounts}],
        }
        rows = await self.run("select * from duly.post_invoices(:batch)", batch=Jsonb([document]))
        return str(rows[0].transaction_id)

    async def transfer(self, account_id: str, amount_minor: int, *, currency: str = "EUR") -> None:
        """Post money that the customer paid through the bank."""
        await self.run(
            "select duly.create_payment(:key, :account, :amount, :currency, 'bank_transfer', p_origin => 'user',"
            " p_actor => 'clerk')",
            key=f"transfer:{account_id}:{next(self.numbers)}",
            account=account_id,
            amount=amount_minor,
            currency=currency,
        )

    async def subscription(self, account_id: str, *, price_minor: int, **columns: Any) -> str:
        """Let an account buy the plan every month from 2026 on; return the subscription's id."""
        values = {
            "id": f"sub_{next(self.numbers)}",
            "account_id": account_id,
            "product_id": "plan",
            "price_minor": price_minor,
            "currency": "EUR",
            "billing_day": 1,
            "starts_on": date(2026, 1, 1),
            **columns,
        }
        names, placeholders = ", ".join(values), ", ".join(f":{name}" for name in values)
        await self.run(f"insert into duly.subscriptions ({names}) values ({placeholders})", **values)
        return str(values["id"])

    async def balance(self, account_id: str) -> int:
        """Return what an account owes, in minor units."""
        return int(
            await self.value("select balance_minor from duly.account_balances where account_id = :id", id=account_id)
        )
