"""A payment request that is charged to a card on file: its page is closed first, and then the card is an attempt."""

import asyncio
from dataclasses import replace

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from activities.collections.collect import CollectActivities
from activities.payments.payment_requests import PaymentRequestActivities
from models import workflow_ids
from models.gateway.gateway_request import AttemptCause, CollectOutcome, CollectResult
from models.operator_command import CommandError
from models.payments.card_payment import CardPayment, NotedCardPayment
from models.payments.payment_request import (
    NotedPageOrder,
    PageOrder,
    PaymentRequestState,
    StoredPaymentRequest,
    require_open,
)
from models.waiting import WakeReason
from workflows.faults import broken_rule, goes_on
from workflows.options import COLLECT_WAITING, DATABASE, PEOPLE
from workflows.payments.state import PaymentRequestProgress
from workflows.updates import async_update, require_stays, surfacing_refusal, until_answer

# Why nothing is opened or charged: there is nothing to pay any more, or a payment is under way.
NOT_OPEN = "payment_request_open"


class CardPayments:
    """The update that pays a request by a card, and what the request's own loop does for it."""

    _state: PaymentRequestProgress
    _paging: asyncio.Lock

    @async_update("Charge a card on file of the account, instead of the page: it is closed first.")
    async def pay(self, command: CardPayment) -> CollectResult:
        """Return what the charge came to. Fails where the request is paid on its page meanwhile, or may not be charged.

        A decline leaves the request open: its link is as good as before.
        """
        state = self._state
        async with self._paging:
            require_stays()
            await until_answer(lambda: state.known is not None)
            self._require_open()
            if state.is_charge_due:
                self._require_same(command)
            elif state.charged is None or state.payment != command:
                await self._order(command)
            # Else it was ordered before a fault, and what it came to is the answer.
            await until_answer(
                lambda: state.charged is not None or state.stage != PaymentRequestState.OPEN or state.is_over
            )
            if state.charged is None:
                state.end_charge()
                self._require_open()
            charged = state.charged
            # Whatever it came to is read by the loop, which ends the request, or waits for its payer again.
            await workflow.wait_condition(
                lambda: (
                    state.is_over or not state.has_open_attempt or state.stage != PaymentRequestState.OPEN or goes_on()
                )
            )
            state.end_charge()
        if charged is None:
            raise ApplicationError("state: the request is over", type=NOT_OPEN, non_retryable=True)
        return charged

    async def _order(self, command: CardPayment) -> None:
        """Keep which card is charged, and who says so, and let the loop charge it."""
        state = self._state
        if command.amount_minor:
            await self._take_order(PageOrder(command.amount_minor))
        else:
            await self._read_again()
        self._require_open()
        card = await self._noted(command)
        state.waiter.note(f"charged to {card}, says {command.actor}: {command.reason}")
        state.order_charge(card, command)
        state.waiter.wake(WakeReason.RETRY_NOW)

    def _require_same(self, command: CardPayment) -> None:
        """Let who asks again after a fault wait for what was ordered before it: by the same, for the same."""
        state = self._state
        if state.payment != command:
            message = f"state: another charge was ordered before, of {state.card_id}: ask again once it is over"
            raise ApplicationError(message, type=NOT_OPEN, non_retryable=True)

    async def _noted(self, command: CardPayment) -> str:
        with surfacing_refusal():
            card: str = await workflow.execute_activity_method(
                PaymentRequestActivities.note_card_payment,
                NotedCardPayment(self._state.request.request_id, command),
                summary="which card is charged, and who says so",
                **DATABASE,
            )
        return card

    async def _charge_card(self, card_id: str) -> None:
        """Make one attempt on the card, no page being open; what it came to is read like any other attempt."""
        state = self._state
        state.begin_attempt()
        asked = replace(state.attempt_request(), cause=AttemptCause.MANUAL, card_id=card_id)
        try:
            state.charged = await workflow.execute_activity_method(
                CollectActivities.collect,
                asked,
                task_queue=workflow_ids.gateway_queue(state.stored.provider),
                summary=f"attempt {state.attempt}: charge {card_id}",
                priority=PEOPLE,
                **COLLECT_WAITING,
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            if (rule := broken_rule(error)) is not None:
                state.waiter.ask_a_person(rule.type or "refused")
            state.waiter.note_unsent(error)
            state.charged = CollectResult(CollectOutcome.UNKNOWN, attempt=state.attempt)

    @pay.validator
    def _may_pay(self, command: CardPayment) -> None:
        command.check()
        self._require_possible()

    def _require_possible(self) -> None:
        require_open(self._state.stage)
        if self._state.end is not None:
            raise CommandError("state: the request is being ended")

    def _require_open(self) -> None:
        """Fail an update that was accepted while a payment got under way, or the request ended."""
        try:
            self._require_possible()
        except CommandError as error:
            raise ApplicationError(str(error), type=NOT_OPEN, non_retryable=True) from error

    async def _take_order(self, order: PageOrder) -> None:
        """Read what is to be paid now; what a payer has said is kept with it."""
        state = self._state
        if not state.stored.most_minor and not state.stored.has_payers and not order.amount_minor:
            await self._read_again()
            return
        with surfacing_refusal():
            noted: StoredPaymentRequest = await workflow.execute_activity_method(
                PaymentRequestActivities.note_page_order,
                NotedPageOrder(state.request.request_id, order),
                summary="keep who opens a page, and the amount that they have chosen",
                **DATABASE,
            )
        if not state.is_over:
            state.take(noted)

    async def _read_again(self) -> None:
        """Read what is to be paid now."""
        stored: StoredPaymentRequest = await workflow.execute_activity_method(
            PaymentRequestActivities.load_payment_request,
            self._state.request.request_id,
            summary="what is to be paid now?",
            **DATABASE,
        )
        if not self._state.is_over:
            self._state.take(stored)
