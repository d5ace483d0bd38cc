"""Payment requests in chaos: paid by a link or a card, by several at once, in advance; expired, and withdrawn."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from random import Random

import httpx
from temporalio.client import WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

from activities.request_tokens import RequestLinks
from bench.chaos.company import BrittleCompany
from bench.chaos.families.ledger_calls import ask, rows_of, share_of
from bench.chaos.persistence import until_answered
from models.money import Money
from models.operator_command import OperatorCommand
from models.payments.card_payment import CardPayment
from models.payments.payment_request import PaymentLink, PaymentRequestInput, pay_path
from models.payments.request_terms import PaymentRequestTerms
from models.workflow_ids import WORKFLOW_QUEUE, payment_request_id
from sandbox.customers.merchant import PROVIDER
from workflows.payments.payment_request import PaymentRequest
from workflows.visibility import payment_request_label

SHARE = 0.04
AT_ONCE = 16
PAYER_SECONDS_MAX = 90.0
PAUSE_SECONDS = 0.5
# How long whoever asks waits for a payer, and for one who never comes.
VALID_SECONDS, SOON_SECONDS = 600, 8
CARD = "pm_card_visa"
PRICES_MINOR = {"EUR": 1900, "JPY": 1900, "KWD": 2900}
PAYERS = ("ada@example.com", "bob@example.com")
WITHDRAWN = OperatorCommand("maria", "asked for by mistake")

_OPEN = "select id from duly.payment_requests where closed_at is null order by id"
_OWED = """
select n.number from duly.transaction_numbers n
join duly.financial_transactions t on t.id = n.transaction_id where t.idempotency_key = :key
"""


class PaymentRequestKind(StrEnum):
    """What becomes of a request, as far as its payers have a say."""

    PAID = "paid"
    OF_INVOICE = "of_invoice"
    NEW_PAYER = "new_payer"
    SEVERAL_PAYERS = "several_payers"
    IN_ADVANCE = "in_advance"
    BY_CARD = "by_card"
    EXPIRED = "expired"
    AT_THE_LAST_MOMENT = "at_the_last_moment"
    WITHDRAWN = "withdrawn"
    WITHDRAWN_WHILE_PAID = "withdrawn_while_paid"


@dataclass
class RequestTraffic:
    """The payment requests of a company, and who pays them in a browser; `invoice` owes an account's month an order."""

    company: BrittleCompany
    invoice: Callable[[str, str, str], Awaitable[None]]
    counted: Counter[str] = field(default_factory=Counter)
    # Requests whose payer was led on from the gateway's page: it has the money.
    paid: set[str] = field(default_factory=set)

    async def month(self, rng: Random, accounts: Sequence[tuple[str, str]], period: str) -> None:
        """Make requests of every kind in turn, and let their payers do what they do."""
        chosen = rng.sample(accounts, share_of(len(accounts), SHARE, least=2))
        kinds = rng.sample(list(PaymentRequestKind), len(PaymentRequestKind))
        slots = asyncio.Semaphore(AT_ONCE)

        async def see_through(number: int, account: str, currency: str) -> None:
            async with slots:
                await self._see_through(kinds[number % len(kinds)], account, currency, f"{period}-{number}")

        async with asyncio.TaskGroup() as group:
            for number, (account, currency) in enumerate(chosen):
                group.create_task(see_through(number, account, currency))

    async def withdraw_all(self) -> None:
        """Withdraw what is still open, for whoever asked has been told to: nobody would pay it any more."""
        await asyncio.gather(*(self._withdraw(str(row.id)) for row in await rows_of(self.company, _OPEN)))

    async def _see_through(self, kind: PaymentRequestKind, account: str, currency: str, name: str) -> None:
        id = f"{kind.replace('_', '-')}-{name}"
        terms = await self._terms(kind, account, currency, name)
        link = await self._made(id, terms) if terms else None
        if link is None:
            return
        self.counted["payment requests"] += 1
        match kind:
            case PaymentRequestKind.EXPIRED:
                await self._pressed(link.path, None, SOON_SECONDS)
            case PaymentRequestKind.WITHDRAWN:
                await self._pressed(link.path, None, PAYER_SECONDS_MAX)
                await self._withdraw(id)
            case PaymentRequestKind.WITHDRAWN_WHILE_PAID:
                await asyncio.gather(self._pay(id, link.path), self._withdraw(id))
            case PaymentRequestKind.AT_THE_LAST_MOMENT:
                await self._pay(id, link.path, after_seconds=SOON_SECONDS - 1)
            case PaymentRequestKind.BY_CARD:
                await asyncio.gather(self._charge(id), self._pay(id, link.path))
            case PaymentRequestKind.SEVERAL_PAYERS:
                links = RequestLinks(self.company.database)
                made = [await ask(lambda payer=payer: links.made(id, payer=payer)) for payer in (1, 2)]  # type: ignore[misc]
                await asyncio.gather(*(self._pay(id, pay_path(one.answer)) for one in made if one.answer))
            case PaymentRequestKind.IN_ADVANCE:
                chosen = Money(PRICES_MINOR[currency] * 2, currency).to_decimal()
                await self._pay(id, link.path, amount=str(chosen))
            case _:
                # Whoever is impatient presses twice, and pays in two windows.
                await asyncio.gather(*(self._pay(id, link.path) for _ in range(2)))

    async def _terms(
        self, kind: PaymentRequestKind, account: str, currency: str, name: str
    ) -> PaymentRequestTerms | None:
        price = PRICES_MINOR[currency]
        asked = PaymentRequestTerms(
            account, f"Order {name}", amount_minor=price, currency=currency, sender="maria", valid_seconds=VALID_SECONDS
        )
        match kind:
            case PaymentRequestKind.OF_INVOICE:
                await self.invoice(account, currency, f"{name}:link")
                owed = await rows_of(self.company, _OWED, key=f"order:{account}:{name}:link")
                if not owed:
                    return None
                return replace(asked, amount_minor=0, currency="", invoices=(str(owed[0].number),))
            case PaymentRequestKind.NEW_PAYER:
                new = f"new_{name.replace('-', '_')}"
                return replace(asked, account_id=new, owner_name="Somebody New", owner_email=f"new.{name}@example.com")
            case PaymentRequestKind.SEVERAL_PAYERS:
                return replace(asked, is_mailed=True, payers=PAYERS)
            case PaymentRequestKind.IN_ADVANCE:
                return replace(asked, amount_minor=0, least_minor=price, most_minor=price * 4)
            case PaymentRequestKind.EXPIRED | PaymentRequestKind.AT_THE_LAST_MOMENT:
                return replace(asked, valid_seconds=SOON_SECONDS)
            case _:
                return asked

    async def _made(self, id: str, terms: PaymentRequestTerms) -> PaymentLink | None:
        """Make a request and learn its link in one call, as often as it takes."""
        given = PaymentRequestInput(id, PROVIDER, terms)

        async def made() -> PaymentLink:
            start = WithStartWorkflowOperation(
                PaymentRequest.run,
                given,
                id=payment_request_id(id),
                task_queue=WORKFLOW_QUEUE,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                **payment_request_label(id, account=terms.account_id, provider=PROVIDER),
            )
            return await self.company.client.execute_update_with_start_workflow(
                PaymentRequest.created, given, start_workflow_operation=start
            )

        return await until_answered(made, seconds=PAYER_SECONDS_MAX)

    async def _withdraw(self, id: str) -> None:
        handle = self.company.client.get_workflow_handle(payment_request_id(id))
        asked = await ask(lambda: handle.execute_update(PaymentRequest.withdraw, WITHDRAWN))
        self.counted["payment requests withdrawn"] += asked.answer == "withdrawn"

    async def _charge(self, id: str) -> None:
        """Charge the card on file for a request, once: whoever gets no answer does not order it twice."""
        handle = self.company.client.get_workflow_handle(payment_request_id(id))
        order = CardPayment("maria", "asked for by telephone")
        await until_answered(lambda: handle.execute_update(PaymentRequest.pay, order), seconds=PAUSE_SECONDS)

    async def _pay(self, id: str, path: str, *, amount: str = "", after_seconds: float = 0) -> None:
        """Press the button and pay on the page that it leads to, with a good card."""
        page = await self._pressed(path, {"amount": amount} if amount else None, PAYER_SECONDS_MAX)
        if page:
            await asyncio.sleep(after_seconds)
            if await self._submitted(page):
                self.paid.add(id)
                self.counted["pages paid"] += 1

    async def _pressed(self, path: str, data: dict[str, str] | None, seconds: float) -> str:
        """Press the button until it leads to the gateway's page; "" where the request is over, or for so long away."""
        address = f"http://127.0.0.1:{self.company.proxies['receiver'].port}{path}"
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            try:
                async with httpx.AsyncClient(trust_env=False, timeout=PAYER_SECONDS_MAX) as browser:
                    answer = await browser.post(address, data=data)
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code == httpx.codes.SEE_OTHER:
                return answer.headers["location"]
            if answer is not None and answer.status_code in {httpx.codes.OK, httpx.codes.GONE}:
                return ""
            await asyncio.sleep(PAUSE_SECONDS)
        return ""

    async def _submitted(self, page: str) -> bool:
        """Pay on a page; whether it leads on, which it does once the money is taken. A closed page does not."""
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=PAYER_SECONDS_MAX) as browser:
                answer = await browser.post(page, data={"card": CARD})
        except httpx.TransportError:
            return False
        return answer.status_code == httpx.codes.SEE_OTHER and answer.headers["location"].endswith("/return")
