"""What a company does beside its plans, a month at a time: payment requests, wallets, vouchers and bank debits."""

import asyncio
import tomllib
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from activities.configuration.document import DefinitionsDocument
from bench.chaos.company import BrittleCompany
from bench.chaos.families.debits import DebitTraffic
from bench.chaos.families.payment_requests import RequestTraffic
from bench.chaos.families.rules import AcknowledgedFamilies
from bench.chaos.families.vouchers import VoucherTraffic
from bench.chaos.families.wallets import WalletTraffic

CONFIGURED = Path(__file__).with_name("merchant.toml")


def configured() -> DefinitionsDocument:
    """Return what the company has configured beside the generated merchant."""
    with CONFIGURED.open("rb") as file:
        return DefinitionsDocument.model_validate(tomllib.load(file, parse_float=Decimal))


class Families:
    """All of it, beside what the company does anyway: `run` sees a payment run through, `invoice` owes an order."""

    def __init__(
        self,
        company: BrittleCompany,
        seed: int,
        *,
        run: Callable[[str, str], Coroutine[Any, Any, None]],
        invoice: Callable[[str, str, str], Awaitable[None]],
    ) -> None:
        self._seed, self._invoice = seed, invoice
        self.requests = RequestTraffic(company, invoice)
        self.wallets = WalletTraffic(company, run)
        self.vouchers = VoucherTraffic(company, seed)
        self.debits = DebitTraffic(company, seed, run)

    async def month(self, accounts: Sequence[tuple[str, str]], period: str) -> None:
        """Let a month of all of it go by."""

        def drawn(name: str) -> Random:
            return Random(f"{self._seed}:{name}:{period}")

        async with asyncio.TaskGroup() as group:
            group.create_task(self.requests.month(drawn("requests"), accounts, period))
            group.create_task(self.wallets.month(drawn("wallets"), period))
            group.create_task(self.vouchers.month(drawn("vouchers"), accounts, period))
            group.create_task(self.debits.month(period, self._invoice))

    async def finish(self) -> None:
        """Do what people do about what is still open: the bank answers, and requests that nobody pays are withdrawn."""
        await self.debits.bank_round()
        await self.requests.withdraw_all()

    @property
    def counted(self) -> Counter[str]:
        """How often what was done."""
        return self.requests.counted + self.wallets.counted + self.vouchers.counted + self.debits.counted

    @property
    def acknowledged(self) -> AcknowledgedFamilies:
        """What was answered as done, by whom it was asked of: the gateway's page, the ledger, the bank."""
        debits = self.debits
        return AcknowledgedFamilies(
            requests=frozenset(self.requests.paid),
            wallet_minor=dict(self.wallets.answered),
            redeemed=dict(self.vouchers.redeemed),
            filed=tuple((one.message, one.id, one.amount_minor) for one in debits.filed),
            refused=frozenset(debits.refused),
            lines=tuple((one.debit, one.amount_minor, bool(one.returned_because)) for one in debits.lines),
        )
