"""What is prepaid, to be pressed on: wallets that runs spend and top up, and wallets and vouchers that expire."""

from models.collections.collection import RetryCommand
from models.runs.process_run import RunRequest
from models.workflow_ids import collection_id, payment_run_id
from tests.supervision.errands import AuditScenario
from tests.supervision.runs import PaymentRunScenario, RunScenario
from tests.supervision.scenario import Moment, Opened
from tests.support.builders import declined
from tests.vouchers.conftest import VOUCHERS
from tests.vouchers.voucher_history import hashed
from tests.wallets.conftest import WALLETS
from tests.wallets.top_ups import ToppedUp
from workflows.runs.payment_run import PaymentRun

UNTAXED = WALLETS.replace('tax_rate = "standard"', "")
RETRY = RetryCommand("maria", "the card is good by now")
SPENT = "select account_id, amount_minor from duly.wallet_transactions where direction = 'debit' order by account_id"


class WalletRunScenario(PaymentRunScenario):
    """A run whose members prefer their wallets: in the end each has spent once what it held, and its card the rest."""

    # What each of the three members holds of the ten euros that it owes.
    held = (1000, 400, 0)

    async def prepare(self, name: str) -> None:
        merchant = self.company.merchant
        await merchant.configure(UNTAXED)
        await super().prepare(name)
        for number, amount in enumerate(self.held):
            account = f"acc-{name}-{number}"
            if amount:
                given = "select duly.wallet_credit(:key, :account, :amount, 'EUR', 'present')"
                await merchant.value(given, key=f"given:{account}", account=account, amount=amount)
            await merchant.value("select duly.set_preferred_method(:account, 'prepaid')", account=account)

    async def open(self, name: str, moment: Moment) -> Opened:
        opened = await super().open(name, moment)
        expected = [(f"acc-{name}-{number}", amount) for number, amount in enumerate(self.held) if amount]

        async def wrong() -> str:
            spent = [tuple(row) for row in await self.company.merchant.run(SPENT)]
            return await opened.wrong() or ("" if spent == expected else f"spent: {spent}")

        return Opened(opened.workflow_id, opened.go_on, wrong)


class TopUpRunScenario(RunScenario):
    """A run that tops wallets up: in the end each has been charged once and holds what was asked for, once."""

    workflow = PaymentRun.run
    definition = "top_ups"

    async def prepare(self, name: str) -> None:
        topped_up = ToppedUp(self.company.merchant, self.company.database)
        await topped_up.set_up()
        await topped_up.low(f"acc-{name}-paid")
        await topped_up.low(f"acc-{name}-later", answers=[declined("insufficient_funds")])

    async def open(self, name: str, moment: Moment) -> Opened:
        company, day = self.company, f"{self.company.period}-27"
        run_id, request = payment_run_id(self.definition, day), RunRequest(self.definition, day, not_due_yet=True)
        topped_up = ToppedUp(company.merchant, company.database)
        await self.start(run_id, request)
        if moment is Moment.DONE:
            await self.handle(run_id).result()

        async def go_on() -> None:
            await self.start(run_id, request)
            for row in await company.merchant.run("select account_id, period from duly.collections"):
                await company.command(collection_id(row.account_id, row.period), "retry_now", RETRY)

        async def wrong() -> str:
            asked = [row[1:] for row in await topped_up.states()]
            held = [await topped_up.wallet(f"acc-{name}-{which}") for which in ("paid", "later")]
            certified = await company.merchant.value(
                "select count(*) from duly.process_runs where completed_at is not null"
            )
            is_right = asked == [(2000, "credited", 0)] * 2 and held == [2500, 2500] and certified == 1
            return "" if is_right else f"asked for {asked}, held {held}, {certified} certified"

        return Opened(run_id, go_on, wrong)


class ExpiringScenario(AuditScenario):
    """An audit of a night in which credits of wallets and vouchers have ended: in the end each has been booked once."""

    async def prepare(self, name: str) -> None:
        merchant = self.company.merchant
        await merchant.configure(UNTAXED + VOUCHERS)
        for number in range(2):
            account = await merchant.account(f"acc-{name}-{number}", cards=[])
            await merchant.value(
                "select duly.wallet_credit(:key, :account, 500, 'EUR', 'present')", key=account, account=account
            )
        await merchant.value(
            "select duly.issue_vouchers(p_key => :key, p_type_id => 'given', p_amount_minor => 700,"
            " p_currency => 'EUR', p_hashes => cast(:hashes as text[]))",
            key=name,
            hashes=[hashed(f"{name}-{code}") for code in range(3)],
        )
        for table in ("wallet_transactions", "voucher_batches"):
            for statement in (
                f"alter table duly.{table} disable trigger append_only",
                f"update duly.{table} set expires_on = expires_on - 60",
                f"alter table duly.{table} enable trigger append_only",
            ):
                await merchant.run(statement)

    async def _wrong(self) -> str:
        ended = [
            await self.company.merchant.value(statement)
            for statement in (
                "select count(*) from duly.wallet_transactions where direction = 'debit' and amount_minor = 500",
                "select sum(duly.wallet_balance(id)) from duly.accounts where kind = 'customer'",
                "select count(*) from duly.voucher_ends",
                "select count(*) from duly.voucher_transactions where kind = 'expired'",
            )
        ]
        return await super()._wrong() or ("" if ended == [2, 0, 3, 1] else f"ended: {ended}")
