"""Collections of a deployed release at every stage that they can stand at, and what then brings each to its end."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
from psycopg.rows import dict_row
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError

from models.workflow_ids import collection_id
from sandbox.stripe.control.client import Answer, CardOutcome, FaultKind
from tests.ledger.books import plain_url
from tests.support.builders import declined
from tests.upgrades.deployed_release import DeployedRelease

WHO = {"actor": "ada", "reason": "upgrade"}
SETTLED, GIVEN_UP = "settled", "given_up"
CHARGES, LISTS = "POST /v1/payment_intents", "GET /v1/payment_intents"
# When what is to be done by its own clock is due: the old workers are gone by then, or are about to go.
DUE_AFTER = timedelta(seconds=100)
UNPAID = """
    select i.id, i.currency, i.total_minor from duly.financial_transactions i
    where i.account_id = %(account)s and i.classification = 'invoice' and i.state = 'posted' order by i.id desc limit 1
"""


@dataclass(frozen=True)
class Receivable:
    """What an account owes for a period, collected by a workflow."""

    duly: DeployedRelease
    account: str
    period: str
    card: str
    stage: "Waiting"

    @property
    def handle(self) -> WorkflowHandle[Any, Any]:
        """The workflow."""
        return self.duly.client.get_workflow_handle(collection_id(self.account, self.period))

    async def command(self, update: str, **arguments: object) -> Any:
        """Send a command as an operator does."""
        return await self.handle.execute_update(update, {**WHO, **arguments})

    async def page(self) -> str:
        """Have a page for the customer, or the open one."""
        return str(await self.handle.execute_update("open_page"))


Action = Callable[[Receivable], Awaitable[object]]


async def nothing(receivable: Receivable) -> None:
    """Leave it to itself."""


async def retry(receivable: Receivable) -> None:
    """An operator tries now."""
    await receivable.command("retry_now")


async def give_up(receivable: Receivable) -> None:
    """An operator stops it."""
    await receivable.command("give_up")


async def mark_paid(receivable: Receivable) -> None:
    """The customer has paid the bank."""
    await receivable.command(
        "mark_paid_outside", reference=f"statement of {receivable.account}", method="bank_transfer"
    )


async def leave_until_due(receivable: Receivable) -> None:
    """Let its clock run out after the upgrade."""
    await receivable.command("extend_grace", until=(datetime.now(UTC) + DUE_AFTER).isoformat())


async def leave_for_a_day(receivable: Receivable) -> None:
    """Leave the customer in peace."""
    await receivable.command("extend_grace", until=(datetime.now(UTC) + timedelta(days=1)).isoformat())


async def skip_all(receivable: Receivable) -> None:
    """Leave the policy's three attempts out, one after the other."""
    for _ in range(3):
        await receivable.command("skip_attempt")


async def open_page(receivable: Receivable) -> None:
    """The customer follows the link."""
    await receivable.page()


async def pay_on_page(receivable: Receivable) -> None:
    """The customer pays on the page, and the gateway says so."""
    page = await receivable.page()
    async with httpx.AsyncClient() as browser:
        answer = await browser.post(page, data={"card": "pm_card_visa"})
        assert answer.status_code == 303, answer.text
    await receivable.handle.signal("gateway_event")


async def signal_event(receivable: Receivable) -> None:
    """The gateway sends an event of it; it may have asked for itself by now."""
    with suppress(RPCError):
        await receivable.handle.signal("gateway_event")


async def let_answers_through(receivable: Receivable) -> None:
    """The gateway answers again."""
    receivable.duly.control.clear_faults()
    await signal_event(receivable)


async def pay_a_part(receivable: Receivable) -> None:
    """The customer has paid a part of it to the bank."""
    [owed] = await ask(receivable.duly, UNPAID, account=receivable.account)
    part = {"EUR": "5.00", "JPY": "500", "KWD": "1.000"}[owed["currency"]]
    arguments = ("--amount", part, "--method", "bank_transfer", "--reference", f"part of {receivable.account}")
    await receivable.duly.command(
        receivable.duly.code, "transactions", "create", "payment", receivable.account, *arguments
    )


@dataclass(frozen=True)
class Waiting:
    """What a collection waits for: how its card answers, what is done before the upgrade and after it, and its end."""

    name: str
    answers: tuple[CardOutcome, ...]
    fault: FaultKind | None = None
    before: Action = nothing
    after: Action = nothing
    ends: tuple[str, str] = (SETTLED, SETTLED)

    @property
    def goes_on_by_itself(self) -> bool:
        """Whether workers take a step of it without a command: its clock runs out, or the gateway is asked again."""
        return self.fault is not None or self.after in {nothing, signal_event}


LATER = declined("insufficient_funds")
STOLEN = declined("stolen_card")
AUTHENTICATE = CardOutcome(answer=Answer.AUTHENTICATE)
PROCESSING = CardOutcome(answer=Answer.PROCESS, then=Answer.SUCCEED, after_seconds=150)
PROCESSING_DECLINED = CardOutcome(answer=Answer.PROCESS, then=Answer.DECLINE, after_seconds=150)

STAGES = (
    Waiting("an operator retries", (LATER,), after=retry),
    Waiting("the next attempt is due", (LATER,), before=leave_until_due),
    Waiting("every attempt is left out", (LATER,), after=skip_all, ends=(GIVEN_UP, "attempts_used_up")),
    Waiting("in grace", (LATER,), before=leave_for_a_day, after=retry),
    Waiting("given up", (LATER,), after=give_up, ends=(GIVEN_UP, "operator_gave_up")),
    Waiting("paid outside", (LATER,), after=mark_paid, ends=(SETTLED, "nothing_owed")),
    Waiting("paid in part", (LATER,), before=pay_a_part, after=retry),
    Waiting("to be authenticated", (AUTHENTICATE,), after=pay_on_page),
    Waiting("a page is open", (AUTHENTICATE,), before=open_page, after=pay_on_page),
    Waiting("a page is open and closed for a retry", (AUTHENTICATE,), before=open_page, after=retry),
    Waiting("a page is open for whoever was declined", (LATER,), before=open_page, after=pay_on_page),
    Waiting("the answer is lost", (), FaultKind.RESPONSE_LOST, after=let_answers_through),
    Waiting("the request is lost", (), FaultKind.REQUEST_LOST, after=let_answers_through),
    Waiting("deadline", (STOLEN,), before=leave_until_due, ends=(GIVEN_UP, "customer_deadline_passed")),
    Waiting("another card is needed", (STOLEN,), after=pay_on_page),
    Waiting("processing", (PROCESSING,), after=signal_event),
)


async def ask(duly: DeployedRelease, statement: str, **arguments: Any) -> list[dict[str, Any]]:
    """Run a statement as the owner of the tables."""
    async with await psycopg.AsyncConnection.connect(
        plain_url(duly.postgres.owner_url()), autocommit=True, row_factory=dict_row
    ) as connection:
        cursor = await connection.execute(statement.encode(), arguments)
        return await cursor.fetchall() if cursor.description else []
