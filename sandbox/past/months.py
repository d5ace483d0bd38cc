"""A month of a company in the past, day by day: what happens to whom, and the runs, sweeps and statements of it."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, time, timedelta
from enum import IntEnum

from temporalio.client import Client

from models.gateway.events import SweepRequest
from models.period import Period
from models.reconciliation.reconciliation import ReconciliationCertificate, ReconciliationRequest
from models.runs.process_run import RunKind, RunRequest
from models.workflow_ids import (
    REMINDERS,
    WORKFLOW_QUEUE,
    billing_run_id,
    payment_run_id,
    reconciliation_id,
    sweep_id,
)
from sandbox.customers.merchant import BILLING_DEFINITION, PAYMENT_DEFINITION, PROVIDER
from sandbox.past.cards import NEED_A_NEW_CARD
from sandbox.past.company import Company
from sandbox.past.lives import Incident, incidents_of
from sandbox.past.passing import PassingTime
from workflows.events.event_sweep import EventSweep
from workflows.messages.reminders import Reminders
from workflows.reconciliation.reconciliation import Reconciliation
from workflows.runs.billing_run import BillingRun
from workflows.runs.payment_run import PaymentRun
from workflows.visibility import run_label

# Everybody's day begins a little after midnight, so that what is due on a day is done on it.
DAWN = time(0, 30, tzinfo=UTC)
BILLED_AT, PAID_AT = time(2, tzinfo=UTC), time(5, tzinfo=UTC)


class Day(IntEnum):
    """What happens on which day of a month."""

    PAYMENTS = 2
    COMPLAINTS = 5
    NEW_CARDS = 7
    BANK = 9
    REMINDERS = 12
    DECISIONS = 19
    CARDS_RUN_OUT = 21
    PAYOUT = 23
    PAYOUT_BOOKED = 24
    PAYOUT_ARRIVES = 26


SWEPT_ON = frozenset({3, 6, 10, 14, 20, 22, 24, 27})

RETURNS = frozenset(
    {
        Incident.REFUND_IN_PART,
        Incident.REFUND_IN_FULL,
        Incident.CANCELLATION,
        Incident.REWARD,
        Incident.DISPUTE_WON,
        Incident.DISPUTE_LOST,
    }
)


class PastMonth:
    """One month of a company."""

    def __init__(self, client: Client, time_: PassingTime, company: Company, *, seed: int) -> None:
        self._client = client
        self._time = time_
        self._company = company
        self._seed = seed
        self._late: list[str] = []

    async def live(self, number: int, period: Period) -> ReconciliationCertificate:
        """Live through it to its last evening, and return the certificate of its last but one day."""
        company = self._company
        incidents = incidents_of(number, company.paying_by_card(number), self._seed)
        await self._time.move_to(_dawn(period.starts_on))
        await company.join(number)
        await company.change_prices(number)
        await company.upgrade([account for account, what in incidents.items() if what is Incident.UPGRADE])
        await company.cards.answer(incidents)
        await self._time.move_to(datetime.combine(period.starts_on, BILLED_AT))
        await self._bill(period)
        await self._time.move_to(datetime.combine(_day(period, Day.PAYMENTS), PAID_AT))
        await self._collect(period)
        for day in range(Day.PAYMENTS + 1, (period.ends_on - period.starts_on).days + 1):
            await self._time.move_to(_dawn(_day(period, day)))
            await self._happen(day, number, period, incidents)
        await company.close(number)
        return await self._reconcile(period.ends_on - timedelta(days=2))

    async def _happen(self, day: int, number: int, period: Period, incidents: dict[str, Incident]) -> None:
        """Do what a day of the month brings."""
        company, today = self._company, _day(period, day)
        happens: dict[int, Callable[[], Awaitable[None]]] = {
            Day.COMPLAINTS: lambda: self._complain(incidents, period),
            Day.NEW_CARDS: lambda: self._bring_cards(incidents, number),
            Day.BANK: lambda: self._receive_transfers(today, incidents, number),
            Day.REMINDERS: lambda: self._remind(today),
            Day.DECISIONS: company.returns.decide_disputes,
            Day.CARDS_RUN_OUT: lambda: self._run_out(period, number),
            Day.PAYOUT: self._pay_out,
            Day.PAYOUT_BOOKED: lambda: self._book_payout(today),
            Day.PAYOUT_ARRIVES: lambda: company.bank.statement(today, by_transfer=[], too_much=[]),
        }
        if (act := happens.get(day)) is not None:
            await act()
        if day in SWEPT_ON:
            await self._sweep(today)

    async def _receive_transfers(self, today: date, incidents: dict[str, Incident], number: int) -> None:
        too_much = [account for account, what in incidents.items() if what is Incident.OVERPAYMENT]
        by_transfer = self._company.paying_by_transfer(number)
        await self._company.bank.statement(today, by_transfer=by_transfer, too_much=too_much)

    async def _run_out(self, period: Period, number: int) -> None:
        self._late = await self._company.cards.run_out(period.starts_on.year, period.starts_on.month, number)

    async def _pay_out(self) -> None:
        control = self._company.tools.control
        for payout in control.pay_out():
            _ = control.complete_payout(str(payout["id"]))

    async def _book_payout(self, today: date) -> None:
        # A payout is in no answer of ours and no event that is expected: a reconciliation of its day books it.
        _ = await self._reconcile(today - timedelta(days=1))

    async def _complain(self, incidents: dict[str, Incident], period: Period) -> None:
        for account, incident in incidents.items():
            if incident in RETURNS:
                await self._company.returns.happen(account, incident, str(period))

    async def _bring_cards(self, incidents: dict[str, Incident], number: int) -> None:
        for account in [*self._late, *(one for one, what in incidents.items() if what in NEED_A_NEW_CARD)]:
            # Who has left since may be closed, and saves no card any more.
            if account in self._company.paying_by_card(number):
                await self._company.cards.bring(account, number)
        self._late = []

    async def _remind(self, today: date) -> None:
        _ = await self._client.execute_workflow(
            Reminders.run, id=f"{REMINDERS}-{_moment(today)}", task_queue=WORKFLOW_QUEUE
        )

    async def _bill(self, period: Period) -> None:
        request, name = RunRequest(BILLING_DEFINITION, str(period)), billing_run_id(BILLING_DEFINITION, str(period))
        label = run_label(RunKind.BILLING, request, name)
        _ = await self._client.execute_workflow(BillingRun.run, request, id=name, task_queue=WORKFLOW_QUEUE, **label)

    async def _collect(self, period: Period) -> None:
        request, name = RunRequest(PAYMENT_DEFINITION, str(period)), payment_run_id(PAYMENT_DEFINITION, str(period))
        label = run_label(RunKind.PAYMENT, request, name, provider=PROVIDER)
        _ = await self._client.execute_workflow(PaymentRun.run, request, id=name, task_queue=WORKFLOW_QUEUE, **label)

    async def _sweep(self, day: date) -> None:
        _ = await self._client.execute_workflow(
            EventSweep.run, SweepRequest(PROVIDER), id=f"{sweep_id(PROVIDER)}-{_moment(day)}", task_queue=WORKFLOW_QUEUE
        )

    async def _reconcile(self, day: date) -> ReconciliationCertificate:
        certificate: ReconciliationCertificate = await self._client.execute_workflow(
            Reconciliation.run,
            ReconciliationRequest(PROVIDER, day),
            id=reconciliation_id(PROVIDER, str(day)),
            task_queue=WORKFLOW_QUEUE,
        )
        return certificate


def _day(period: Period, day: int) -> date:
    return period.starts_on + timedelta(days=day - 1)


def _moment(day: date) -> str:
    """Return a day's dawn as it stands in the ids of what schedules start."""
    return f"{_dawn(day):%Y-%m-%dT%H:%M:%SZ}"


def _dawn(day: date) -> datetime:
    """Return when a day begins: a minute later than the one before, so that no wait of whole days ends just then."""
    return datetime.combine(day, DAWN) + timedelta(minutes=day.day)
