"""Vouchers in chaos: issued, redeemed by two at once, cancelled while they are redeemed, and expired."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from random import Random

import psycopg

from activities.vouchers.vouchers import VoucherOrder, Vouchers
from bench.chaos.company import BrittleCompany
from bench.chaos.families.ledger_calls import BECAUSE, LedgerAnswer, ask, share_of
from bench.chaos.persistence import until_answered
from sandbox.servers.postgres import DATABASE, SUPERUSER

# A batch of each kind for so many accounts.
SHARE = 0.01
GIVEN, SOLD = "given", "sold"
PRICES_MINOR = {"EUR": 500, "JPY": 500, "KWD": 1500}


@dataclass
class VoucherTraffic:
    """The vouchers of a company."""

    company: BrittleCompany
    seed: int
    counted: Counter[str] = field(default_factory=Counter)
    # Who was told that a voucher is theirs, by the hash of its code.
    redeemed: dict[str, str] = field(default_factory=dict)

    async def month(self, rng: Random, accounts: Sequence[tuple[str, str]], period: str) -> None:
        """Issue batches, and let two reach for each of their vouchers at once."""
        by_currency = [one for one in accounts if one[1] == "EUR"]
        if len(by_currency) < 2:
            return
        for number in range(share_of(len(by_currency), SHARE, least=1)):
            (first, currency), (second, _) = rng.sample(by_currency, 2)
            name = f"{period}:{number}"
            await asyncio.gather(
                self._given(f"{GIVEN}:{name}", currency, (first, second)),
                self._sold(f"{SOLD}:{name}", first, currency, second),
                self._expired(f"over:{name}", currency, second),
            )

    async def _given(self, name: str, currency: str, pair: tuple[str, str]) -> None:
        """Give two away: two accounts reach for one of them, and one account asks twice for the other one."""
        hashes = self._hashes(name, 2)
        if await self._issue(name, GIVEN, currency, None, hashes) is None:
            return
        keys = (f"{name}:first", f"{name}:second", f"{name}:again", f"{name}:again")
        wanted = ((pair[0], hashes[0]), (pair[1], hashes[0]), (pair[0], hashes[1]), (pair[0], hashes[1]))
        await asyncio.gather(*(self._redeem(key, *one) for key, one in zip(keys, wanted, strict=True)))

    async def _sold(self, name: str, buyer: str, currency: str, other: str) -> None:
        """Sell two; somebody redeems one of them while the batch is cancelled."""
        hashes = self._hashes(name, 2)
        batch = await self._issue(name, SOLD, currency, buyer, hashes)
        if batch is not None:
            await asyncio.gather(
                self._redeem(f"{name}:redeemed", other, hashes[0]), self._cancel(f"{name}:cancelled", batch)
            )

    async def _expired(self, name: str, currency: str, account: str) -> None:
        """Let the last day of a voucher go by: it is booked once by whoever comes, and nobody redeems it any more."""
        hashes = self._hashes(name, 1)
        batch = await self._issue(name, GIVEN, currency, None, hashes)
        if batch is None or not await self._let_days_pass(batch):
            return
        statement = "select * from duly.expire_vouchers('', 500)"
        await asyncio.gather(
            *(ask(lambda: self.company.database.rows(statement)) for _ in range(2)),
            self._redeem(f"{name}:late", account, hashes[0]),
        )
        self.counted["vouchers expired"] += 1

    async def _issue(self, name: str, type: str, currency: str, buyer: str | None, hashes: list[str]) -> str | None:
        order = VoucherOrder(f"chaos:{name}", type, PRICES_MINOR[currency], currency, buyer, None, **BECAUSE)
        made = await ask(lambda: Vouchers(self.company.database).issue(order, hashes))
        if made.answer is None:
            return None
        self.counted["vouchers issued"] += len(hashes)
        return str(made.answer[0].id)

    async def _redeem(self, key: str, account: str, code_hash: str) -> None:
        asked = {"key": f"chaos:{key}", **BECAUSE}
        made = await ask(lambda: Vouchers(self.company.database).redeem(account, code_hash, **asked))
        self._note(made, "vouchers redeemed")
        if made.answer is not None:
            self.redeemed[code_hash] = account

    async def _cancel(self, key: str, batch: str) -> None:
        asked = {"key": f"chaos:{key}", **BECAUSE}
        self._note(
            await ask(lambda: Vouchers(self.company.database).cancel(batch, **asked)), "batches of vouchers cancelled"
        )

    def _note(self, made: LedgerAnswer, what: str) -> None:
        self.counted[f"{what}, refused" if made.rule else what] += made.rule != "" or made.answer is not None

    def _hashes(self, name: str, count: int) -> list[str]:
        """Return hashes of codes that the seed gives: nobody guesses them who does not read this."""
        return [sha256(f"{self.seed}:{name}:{number}".encode()).hexdigest() for number in range(count)]

    async def _let_days_pass(self, batch: str) -> bool:
        """Bring the last day of a batch near, which no clock of this company does."""

        async def over() -> bool:
            await asyncio.to_thread(self._end_before_today, batch)
            return True

        return bool(await until_answered(over, seconds=60))

    def _end_before_today(self, batch: str) -> None:
        postgres = self.company.postgres.postgres
        address = f"postgresql://{SUPERUSER}:{postgres.passwords.superuser}@127.0.0.1:{postgres.port}/{DATABASE}"
        try:
            with psycopg.connect(address, connect_timeout=5) as connection:
                connection.execute("set session_replication_role = replica")
                connection.execute(
                    "update duly.voucher_batches set expires_on = current_date - 3 where id = %s", (batch,)
                )
        except psycopg.OperationalError as error:
            raise TimeoutError(str(error)) from error
