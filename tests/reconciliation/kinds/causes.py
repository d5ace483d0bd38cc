"""What brings each kind of discrepancy about, for real, and what the command that its remedy names needs."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import text
from starlette.applications import Starlette

from models.currency import EXPONENTS
from models.reconciliation.movement_kinds import EntryKind
from sandbox.stripe.control.client import STRIPES_DELAYS, AccountSettings, Fault, FaultKind
from tests.bank.statements import camt, entry
from tests.fixtures.reconciling import ReconciliationClient
from tests.reconciliation.dashboard import pay, pay_in_the_dashboard
from tests.reconciliation.payouts.test_payouts import in_the_bank, late_payouts, paid_out, trace_of
from tests.reconciliation.test_methods import pay_by
from tests.support.command_line import CommandLine

WHO = ("--actor", "maria", "--reason", "as agreed")
DAY = 86_400


@dataclass(frozen=True)
class Company:
    """Everything that a cause may touch."""

    reconciling: ReconciliationClient
    cli: CommandLine
    gateway: Starlette
    period: str
    folder: Path

    @property
    def movements(self) -> Any:
        """The gateway's own list of movements, which is written here as no account can."""
        return self.gateway.state.sandbox.platform.balance_transactions

    async def charge(self, amount_minor: int = 2500) -> str:
        """Let a customer pay; return the charge's id."""
        account = await self.reconciling.merchant.account()
        await self.reconciling.paid(account, self.period, amount_minor)
        return str(
            await self.reconciling.merchant.value(
                "select charge_reference from duly.gateway_attempts where outcome = 'succeeded'"
            )
        )

    async def stranger(self, amount_minor: int = 900) -> str:
        """Let somebody pay who is no customer of ours; return the charge's id."""
        customer = await self.reconciling.stripe.v1.customers.create_async({})
        await pay(self.reconciling, customer.id, amount_minor)
        (charge,) = [one["id"] for one in self.gateway.state.sandbox.platform.charges if one["customer"] == customer.id]
        return str(charge)

    async def refund(self, charge: str, amount_minor: int) -> str:
        """Refund a charge in the gateway's dashboard."""
        made = await self.reconciling.stripe.v1.refunds.create_async({"charge": charge, "amount": amount_minor})
        return made.id

    async def as_owner(self, statement: str) -> None:
        """Change what only a fault can."""
        async with self.reconciling.owner_engine.begin() as connection:
            await connection.execute(text(statement))


async def double_charge(one: Company) -> None:
    """Somebody pays in the dashboard what was paid, in its name."""
    account = await one.reconciling.merchant.account()
    reference = await one.reconciling.paid(account, one.period)
    intent = await one.reconciling.stripe.v1.payment_intents.retrieve_async(reference)
    await pay_in_the_dashboard(one.reconciling, account, 2500, metadata=intent.metadata.to_dict())


async def unbooked_charge(one: Company) -> None:
    """A customer's card is charged in the dashboard."""
    await pay_in_the_dashboard(one.reconciling, await one.reconciling.merchant.account(), 700)


async def foreign_charge(one: Company) -> None:
    """Another system charges on the same account."""
    await one.stranger()


async def unbooked_refund(one: Company) -> None:
    """A payment is refunded in the dashboard."""
    await one.refund(await one.charge(), 1000)


async def double_refund(one: Company) -> None:
    """A gateway that forgets keys refunds twice what was asked for once."""
    await one.charge(5000)
    payment = await one.reconciling.merchant.value("select transaction_id from duly.gateway_requests")
    sandbox = one.reconciling.sandbox
    sandbox.set_account_settings(AccountSettings(honours_idempotency_keys=False))
    sandbox.add_fault(Fault(operation="POST /v1/refunds", kind=FaultKind.RESPONSE_LOST, calls=(1,)))
    sandbox.add_fault(Fault(operation="GET /v1/refunds", kind=FaultKind.UNAVAILABLE_503))
    await one.cli("refunds", "create", payment, "--amount", "10.00", "--id", f"rf_{one.period}", *WHO)
    sandbox.clear_faults()


async def unbooked_refund_back(one: Company) -> None:
    """A refund of the dashboard is booked by its day, and comes back when nobody watches it."""
    refund = await one.refund(await one.charge(), 1000)
    await one.reconciling.reconcile()
    request = await one.reconciling.merchant.value("select id from duly.gateway_requests where kind = 'refund'")
    await one.reconciling.duly.client.get_workflow_handle(f"refund/{request}").terminate("pressed by mistake")
    one.reconciling.sandbox.fail_refund(refund)


async def foreign_refund(one: Company) -> None:
    """Another system refunds its own charge."""
    charge = await one.stranger()
    await one.refund(charge, 300)
    await one.reconciling.reconcile()
    for found in await one.reconciling.discrepancies():
        if found.kind == "foreign_charge":
            await one.cli.json("reconcile", "resolve", found.id, "--as", "explained", *WHO)


async def unbooked_dispute(one: Company) -> None:
    """A bank disputes a payment, and the event is lost."""
    one.reconciling.sandbox.create_dispute(await one.charge())


async def foreign_dispute(one: Company) -> None:
    """A bank disputes another system's charge, which was explained."""
    charge = await one.stranger()
    await one.reconciling.reconcile()
    (found,) = await one.reconciling.discrepancies()
    await one.cli.json("reconcile", "resolve", found.id, "--as", "explained", *WHO)
    one.reconciling.sandbox.create_dispute(charge)


async def differs(one: Company) -> None:
    """The gateway books a cent less than was captured."""
    one.reconciling.sandbox.set_account_settings(AccountSettings(books_off_by=-1))
    one.reconciling.sandbox.set_delays(STRIPES_DELAYS)
    await one.charge()
    one.reconciling.sandbox.advance(DAY / 24)


async def balance(one: Company) -> None:
    """Money lay at the gateway before Duly began, on days that nobody reads."""
    await one.stranger()
    (movement,) = list(one.movements)
    one.movements.remove(movement["id"])
    one.movements.insert({**movement, "id": "txn_before", "created": movement["created"] - 400 * DAY})


async def payout_lines(one: Company) -> None:
    """The gateway's list of a payout lacks a line."""
    payout = await paid_out(one.reconciling, one.period)
    one.reconciling.sandbox.complete_payout(str(payout["id"]))
    (line,) = [movement["id"] for movement in one.movements if movement["type"] == "charge"]
    del one.gateway.state.sandbox.platform.paid_out[line]


async def payout_not_arrived(one: Company) -> None:
    """The bank's statement is imported a week late."""
    payout = await paid_out(one.reconciling, one.period)
    one.reconciling.sandbox.complete_payout(str(payout["id"]))
    await one.reconciling.reconcile()
    await late_payouts(one.reconciling, 20)


async def payout_sent_back(one: Company) -> None:
    """The gateway has a payout back, and the bank's statement does not show it leaving."""
    payout = await in_the_bank(one.reconciling, one.cli, one.folder, one.period)
    one.reconciling.sandbox.fail_payout(str(payout["id"]))
    await one.reconciling.reconcile()
    await late_payouts(one.reconciling, 20)


async def payout_not_returned(one: Company) -> None:
    """The bank took a payout back, and the gateway does not have it."""
    payout = await in_the_bank(one.reconciling, one.cli, one.folder, one.period)
    trace = await trace_of(one.reconciling, payout["id"])
    line = entry("B2", "23.97", side="DBIT", text=trace)
    await one.cli.json("import", "bank", camt(one.folder, line))
    await late_payouts(one.reconciling, 400)


async def unknown_currency(one: Company) -> None:
    """The account is settled in a currency that was given up."""
    assert "BGN" not in EXPONENTS
    one.reconciling.sandbox.set_account_settings(
        AccountSettings(settlement_currency="bgn", exchange_rates={"eur": 1.95583})
    )
    await one.charge()


async def refused(one: Company) -> None:
    """A customer pays by a method that nobody has configured."""
    account = await one.reconciling.merchant.account(owes_minor=700)
    await pay_in_the_dashboard(one.reconciling, account, 700)
    pay_by(one.gateway, "klarna")


async def unexpected_transfer(one: Company) -> None:
    """Somebody sends money to another account in the dashboard."""
    await moved_by_itself(one, "transfer", "transfer", "tr_1")


async def unknown_movement(one: Company) -> None:
    """The gateway holds a part of the balance for some reason."""
    await moved_by_itself(one, "reserved_funds", "risk_reserved_funds", "")


async def moved_by_itself(one: Company, type_: str, category: str, source: str) -> None:
    """Let the balance move by something that no request of ours made."""
    await one.charge()
    (like,) = list(one.movements)
    amounts = {"amount": -500, "net": -500, "fee": 0, "fee_details": []}
    named = {"id": "txn_by_itself", "type": type_, "reporting_category": category, "source": source or None}
    one.movements.insert({**like, **amounts, **named})


async def missing_charge(one: Company) -> None:
    """What the ledger booked yesterday is not among what the gateway shows."""
    await one.charge()
    for movement in list(one.movements):
        one.movements.remove(movement["id"])
    await one.as_owner("update duly.gateway_expectations set expected_at = expected_at - interval '25 hours'")


CAUSES: dict[str, Callable[[Company], Awaitable[None]]] = {
    cause.__name__: cause
    for cause in (
        double_charge,
        unbooked_charge,
        foreign_charge,
        unbooked_refund,
        double_refund,
        unbooked_refund_back,
        foreign_refund,
        unbooked_dispute,
        foreign_dispute,
        differs,
        balance,
        payout_lines,
        payout_not_arrived,
        payout_sent_back,
        payout_not_returned,
        unknown_currency,
        refused,
        unexpected_transfer,
        unknown_movement,
        missing_charge,
    )
}

# Kinds that take a platform and a merchant's account, each with the test that produces and ends it.
BY_OTHER_TESTS = {
    "unexpected_application_fee": "tests/merchants/providers/test_fees_of_a_month.py",
    "unexpected_application_fee_refund": "tests/merchants/providers/test_fees_given_back.py",
    "application_fee_given_back": "tests/merchants/providers/test_fees_given_back.py",
    "transfer_not_made": "tests/merchants/providers/destinations/test_month_of_both_flows.py",
}

MISSING = {f"missing_{kind}" for kind in (EntryKind.CHARGE,)}
