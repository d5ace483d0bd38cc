"""Wallets in chaos: credited, debited twice at once, voided, spent by runs before cards, and topped up by them."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from random import Random
from typing import Any

from activities.wallets.wallets import Wallets
from bench.chaos.company import BrittleCompany
from bench.chaos.families.ledger_calls import BECAUSE, LedgerAnswer, ask, rows_of, share_of

SHARE = 0.03
# Of the wallets so many are topped up by a run.
TOPPED_UP = 0.5
CURRENCY, METHOD, TOP_UPS = "EUR", "prepaid", "top_ups"
PRESENT_MINOR, FILM_MINOR = 1200, 300

_OWNERS = """
select a.id from duly.accounts a
where a.id like 'acc%' and a.state = 'active' and a.currency = 'EUR'
  and exists (select from duly.payment_preferences p where p.account_id = a.id) order by a.id
"""


@dataclass
class WalletTraffic:
    """The wallets of a company; `run` sees a payment run through by its definition and period."""

    company: BrittleCompany
    run: Callable[[str, str], Coroutine[Any, Any, None]]
    counted: Counter[str] = field(default_factory=Counter)
    # What was answered as done: the amount, below zero where it left the wallet, by the key under which it was asked.
    answered: dict[str, int] = field(default_factory=dict)

    async def month(self, rng: Random, period: str) -> None:
        """Move wallets, and let a run ask for top-ups beside that."""
        owners = [str(row.id) for row in await rows_of(self.company, _OWNERS)]
        chosen = rng.sample(owners, share_of(len(owners), SHARE, least=1))
        for account in chosen[: share_of(len(chosen), TOPPED_UP, least=1)]:
            await self._choose(account)
        async with asyncio.TaskGroup() as group:
            group.create_task(self.run(TOP_UPS, period))
            for account in chosen:
                group.create_task(self._move(account, period))

    async def _choose(self, account: str) -> None:
        wallets, database = Wallets(self.company.database), self.company.database
        await ask(lambda: wallets.choose_top_up(account, is_on=True, **BECAUSE))
        await ask(lambda: database.call("set_preferred_method", account_id=account, method=METHOD))

    async def _move(self, account: str, period: str) -> None:
        """Give a present, and sell two films at once under one key; spend all twice at once, and take a film back."""
        key = f"chaos:{account}:{period}"
        await self._credit(f"{key}:present", account, PRESENT_MINOR)
        film, _ = await asyncio.gather(*(self._debit(f"{key}:film", account, FILM_MINOR) for _ in range(2)))
        await asyncio.gather(*(self._all_of_it(f"{key}:all-{number}", account) for number in range(2)))
        if film.answer is not None:
            await self._void(f"{key}:void", film.answer.id)

    async def _credit(self, key: str, account: str, amount: int) -> None:
        asked = {"key": key, "account_id": account, "amount_minor": amount, "currency": CURRENCY, "type_id": "present"}
        made = await ask(lambda: Wallets(self.company.database).credit(**asked, **BECAUSE))
        self._note(key, made, amount, "wallet credits")

    async def _debit(self, key: str, account: str, amount: int) -> LedgerAnswer:
        asked = {"key": key, "account_id": account, "amount_minor": amount, "currency": CURRENCY, "type_id": "film"}
        made = await ask(lambda: Wallets(self.company.database).debit(**asked, **BECAUSE))
        self._note(key, made, -amount, "wallet debits")
        return made

    async def _all_of_it(self, key: str, account: str) -> None:
        """Spend all that is there now; of two who do so at once one is refused, unless the other one came first."""
        held = await ask(lambda: Wallets(self.company.database).balance(account))
        if held.answer:
            await self._debit(key, account, held.answer)

    async def _void(self, key: str, id: str) -> None:
        made = await ask(lambda: Wallets(self.company.database).void(id, key=key, **BECAUSE))
        self._note(key, made, FILM_MINOR, "wallet voids")

    def _note(self, key: str, made: LedgerAnswer, amount: int, what: str) -> None:
        if made.answer is not None and key not in self.answered:
            self.answered[key] = amount
            self.counted[what] += 1
        elif made.rule:
            self.counted[f"{what} refused"] += 1
