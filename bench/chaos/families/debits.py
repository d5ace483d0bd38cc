"""Bank debits in chaos: mandates, a run that asks for debits, its files, and a bank that answers in every way."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from typing import Any

from psycopg.types.json import Jsonb

from activities.bank.debits.debit_answers import DebitAnswers
from activities.bank.debits.debit_files import DebitFiles
from activities.bank.debits.mandates import Mandates, MandateTerms, bank_account
from activities.bank.import_lock import one_import_at_a_time
from activities.bank.iso_statement import statement_entries
from activities.bank.iso_status import status_answers
from activities.bank.statement_import import BankImport
from bench.chaos.company import BrittleCompany
from bench.chaos.families.bank_files import FiledDebit, StatementLine, filed_debits, write_statement, write_status
from bench.chaos.families.ledger_calls import BECAUSE, ask, rows_of, share_of
from models.bank.entry import BankEntry
from models.bank.refund_answer import BankRefundAnswer
from models.workflow_ids import collection_id

PROVIDER, METHOD, DEBITS = "sepa", "direct_debit", "debits"
IBAN, SIGNED_ON = "DE89370400440532013000", date(2026, 1, 15)
SHARE = 0.03
PRICE_MINOR = 2500
# Of the debits the bank refuses and takes back so many, the latter with what it charges for it.
REFUSED, TAKEN_BACK, CHARGED_MINOR = 0.15, 0.15, 350
REASON = "AM04"
ROUND_SECONDS = 3.0
# Orders are invoiced today, and only a run of a month that is not over before asks for them.
YEARS_LATER = 50

_PAYERS = "select account_id from duly.mandates where provider_id = 'sepa' order by account_id"
_BATCHES = "select id from duly.debit_batches where provider_id = 'sepa' order by id"
_PENDING = """
select exists(select from duly.debits where provider_id = 'sepa' and state = 'pending')
"""
# Whose collections have not heard what the bank has said.
_UNHEARD = """
select distinct r.account_id, r.period from duly.debits d join duly.gateway_requests r on r.id = d.request_id
join duly.collections c on c.account_id = r.account_id and c.period = r.period and c.closed_at is null
where d.state in ('rejected', 'collected', 'returned')
"""


@dataclass
class DebitTraffic:
    """A company's bank debits, and its bank; `run` sees a payment run through by its definition and period.

    `filed` has every debit that the bank was given, as often as in another message, and `lines` what it has booked.
    """

    company: BrittleCompany
    seed: int
    run: Callable[[str, str], Coroutine[Any, Any, None]]
    counted: Counter[str] = field(default_factory=Counter)
    filed: list[FiledDebit] = field(default_factory=list)
    lines: list[StatementLine] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    _messages: set[str] = field(default_factory=set)
    _files: int = 0
    _busy: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def set_up(self, accounts: int) -> None:
        """Open accounts that pay by nothing but a mandate."""
        mandates, account_details = Mandates(self.company.database), bank_account("Ann Smith", IBAN, "")
        for number in range(share_of(accounts, SHARE, least=1)):
            id = f"debit_{number + 1:04d}"
            fields = {"owner_name": "Ann Smith", "currency": "EUR", "locale": "de-DE", "time_zone": "Europe/Berlin"}
            await self.company.database.rows(
                "select duly.create_account(:id, :fields, 'maria', 'chaos')", id=id, fields=Jsonb(fields)
            )
            await mandates.create(
                f"M-{number + 1:04d}", id, PROVIDER, METHOD, account_details, terms=MandateTerms(SIGNED_ON), **BECAUSE
            )
            await self.company.database.call("set_preferred_method", account_id=id, method=METHOD)

    async def month(self, period: str, invoice: Callable[[str, str, str], Awaitable[None]]) -> None:
        """Invoice everybody who pays by debits, and let a run ask for them."""
        payers = [str(row.account_id) for row in await rows_of(self.company, _PAYERS)]
        for account in payers:
            await invoice(account, "EUR", period)
        over = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._answer_until(over))
            await self.run(DEBITS, f"{YEARS_LATER + int(period[:4])}{period[4:]}")
            over.set()

    async def _answer_until(self, over: asyncio.Event) -> None:
        while not over.is_set():
            await self.bank_round()
            with suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), ROUND_SECONDS)

    async def bank_round(self) -> None:
        """Give the bank what is due, apply what it answers, and signal whoever waits for that. One at a time."""
        async with self._busy:
            files = DebitFiles(self.company.database)
            pending = await rows_of(self.company, _PENDING)
            if pending and pending[0][0]:
                await ask(lambda: files.batch(PROVIDER, **BECAUSE))
            for row in await rows_of(self.company, _BATCHES):
                if str(row.id) not in self._messages:
                    await self._deliver(files, str(row.id))
            await self._signal()

    async def _deliver(self, files: DebitFiles, batch: str) -> None:
        """Upload a file; its answers are applied until they are, and sometimes once more."""
        written = await ask(lambda: files.content(batch))
        if written.answer is None:
            return
        debits = filed_debits(written.answer[0])
        self.filed += debits
        self._messages.add(batch)
        await ask(lambda: files.sent(batch, **BECAUSE))
        self.counted["files of debits"] += 1
        refused, lines = self._judge(debits)
        self.refused |= dict.fromkeys(refused, REASON)
        await self._confirm(refused)
        # The bank lists what it takes back in the statement of another day.
        for part in (
            [one for one in lines if not one.returned_because],
            [one for one in lines if one.returned_because],
        ):
            await self._import(part)
        self.lines += lines

    def _judge(self, debits: list[FiledDebit]) -> tuple[list[str], list[StatementLine]]:
        """Say what becomes of each debit, by its id and the seed alone."""
        refused: list[str] = []
        lines: list[StatementLine] = []
        for one in debits:
            drawn = Random(f"{self.seed}:{one.id}").random()
            if drawn < REFUSED:
                refused.append(one.id)
                continue
            lines.append(StatementLine(f"B{one.id}", one.id, one.amount_minor))
            if drawn < REFUSED + TAKEN_BACK:
                lines.append(StatementLine(f"R{one.id}", one.id, one.amount_minor + CHARGED_MINOR, REASON))
        self.counted.update({"debits refused": len(refused), "debits": len(debits)})
        self.counted["debits returned"] += sum(bool(one.returned_because) for one in lines)
        return refused, lines

    async def _confirm(self, refused: list[str]) -> None:
        if refused:
            file = self._new_file("pain002")
            write_status(file, ((id, REASON) for id in refused))
            answers = DebitAnswers(self.company.database)

            async def applied() -> list[object]:
                read = [one for one in status_answers(file) if isinstance(one, BankRefundAnswer)]
                return [await answers.apply(one) for one in read]

            await self._until_done(applied)

    async def _import(self, lines: list[StatementLine]) -> None:
        """Import a statement twice at once: each of its lines is money once."""
        if not lines:
            return
        file = self._new_file("camt053")
        write_statement(file, lines, datetime.now(UTC).date())

        async def imported() -> list[object]:
            database, read = self.company.database, statement_entries(file)
            async with one_import_at_a_time(database):
                entries = [one for one in read if isinstance(one, BankEntry)]
                return list(await BankImport(database, actor="maria").write(entries))

        await asyncio.gather(*(self._until_done(imported) for _ in range(2)))

    async def _until_done(self, call: Callable[[], Awaitable[object]]) -> None:
        for _ in range(20):
            if (await ask(call)).answer is not None:
                return
        raise RuntimeError("the bank's answers were not applied in twenty tries")

    async def _signal(self) -> None:
        for row in await rows_of(self.company, _UNHEARD):
            handle = self.company.client.get_workflow_handle(collection_id(row.account_id, row.period))
            await ask(lambda handle=handle: handle.signal("gateway_event"))  # type: ignore[misc]

    def _new_file(self, kind: str) -> Path:
        self._files += 1
        return self.company.stack.folder.path / f"{kind}-{self._files}.xml"
