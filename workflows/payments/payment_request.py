"""A payment by a link: made, mailed, paid on a page of the gateway's, or expired or withdrawn (P17, P18)."""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from activities.collections.payment_pages import PaymentPageActivities
from activities.payments.payment_requests import PaymentRequestActivities
from activities.payments.request_pages import RequestPageActivities
from models import workflow_ids
from models.gateway.gateway_request import CollectOutcome, CollectResult
from models.payments.payment_request import (
    PAID_ELSEWHERE,
    PageReading,
    PaymentRequestEnd,
    PaymentRequestInput,
    PaymentRequestMail,
    PaymentRequestResult,
    PaymentRequestState,
    RequestPage,
    StoredPaymentRequest,
    earliest,
    next_reminder,
)
from models.waiting import Wake, WakeReason
from workflows.faults import Refusal, broken_rule
from workflows.inputs.checks import checked_init
from workflows.messages.outgoing import OutgoingMessages
from workflows.options import COLLECT_WAITING, DATABASE, PEOPLE, UNTIL_DONE
from workflows.payments.handlers import PaymentRequestHandlers
from workflows.payments.state import PaymentRequestProgress
from workflows.waiting import ANYTHING, EVIDENCE

# How long is waited before the gateway is asked again about a payment that is under way; the last pause repeats.
CHECK_INTERVALS: tuple[timedelta, ...] = (
    timedelta(minutes=1),
    timedelta(minutes=3),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=6),
)
REVIEW_AFTER = timedelta(hours=6)
# The change since which the commit that records a failed payment writes to its payer.
FAILURES_IN_OUTBOX = "failures-in-outbox"


@workflow.defn(name="PaymentRequest")
class PaymentRequest(PaymentRequestHandlers):
    """Owns one payment request. It has one page at a time, and is paid once, whatever channel pays."""

    @checked_init
    def __init__(self, request: PaymentRequestInput) -> None:
        self._outgoing = OutgoingMessages[None]()
        self._paging = asyncio.Lock()
        self._state = PaymentRequestProgress(request, self._may_be_cut_off)
        self._refused = None

    @workflow.run
    async def run(self, request: PaymentRequestInput) -> PaymentRequestResult:
        """See the request through to its end. Fails when it may not be made: then nothing was written."""
        state = self._state
        state.show()
        state.take(await self._open(request), is_first=True)
        if request.terms is not None and state.stored.is_mailed:
            self._send_pending()
        while not state.is_over:
            await workflow.wait_condition(lambda: not state.opening)
            if state.has_open_attempt:
                await self._see_page_through()
            elif not state.stored.payable_minor and state.end is None:
                # It was paid or credited while no workflow looked after it. The database knows whether on its page.
                state.end = self._ending(PaymentRequestState.PAID, PAID_ELSEWHERE)
            elif state.end is not None:
                await self._close(state.end)
            elif state.is_charge_due and self._is_expired():
                state.end_charge()
                state.end = self._ending(PaymentRequestState.EXPIRED, "expired")
            elif state.is_charge_due:
                await self._charge_card(state.card_id)
            else:
                state.enter()
                await self._act_on(await self._wait("waits for its payer"))
            self._continue_if_long()
        return await self._finish()

    def _is_expired(self) -> bool:
        """Say whether the request has expired while a charge was ordered: a fault may lie between."""
        return workflow.now() >= self._state.stored.expires_at and workflow.patched("no-charge-once-expired")

    def _may_be_cut_off(self) -> bool:
        # A charge that was ordered before a fault has no handler that waits for it.
        return self._outgoing.may_be_cut_off and not self._state.is_charge_due

    async def _open(self, request: PaymentRequestInput) -> StoredPaymentRequest:
        try:
            return await workflow.execute_activity_method(
                PaymentRequestActivities.open_payment_request,
                PaymentRequestInput(request.request_id, request.provider, request.terms),
                summary="write the request down, with the claim on what it names" if request.terms else "read it",
                **DATABASE,
            )
        except ActivityError as error:
            if (rule := broken_rule(error)) is None:
                raise
            self._refused = rule
            await workflow.wait_condition(workflow.all_handlers_finished)
            raise Refusal(error) from error

    async def _see_page_through(self) -> None:
        """Read what the page has come to, and wait for what that calls for. An open page is closed before an end."""
        state, reading = self._state, await self._read()
        was_processing = state.is_processing
        result = state.record(reading)
        if result is None:
            await self._go_on_after(reading.result, was_processing=was_processing)
        elif reading.page is None:
            await self._wait_for_evidence(result)
        elif state.end is not None or state.is_charge_due or self._is_page_overtaken(reading.page):
            await self._close_page()
        else:
            state.show_page(reading.page)
            state.enter(result)
            await self._act_on(await self._wait(f"the page of attempt {state.attempt} is open"))

    def _is_page_overtaken(self, page: RequestPage) -> bool:
        """Say whether a page is to be closed: nobody may pay on it what is owed no more."""
        # By the gateway's clock it may be open for a moment more: nobody waits for that.
        return page.expires_at <= workflow.now() or page.amount_minor != self._state.stored.payable_minor

    async def _read(self) -> PageReading:
        state = self._state
        try:
            return await workflow.execute_activity_method(
                RequestPageActivities.read_page,
                state.attempt_request(),
                task_queue=workflow_ids.gateway_queue(state.stored.provider),
                summary=f"what has the page of attempt {state.attempt} come to?",
                priority=PEOPLE,
                **COLLECT_WAITING,
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            if (rule := broken_rule(error)) is not None:
                # A broken rule will not mend itself: a person has to look, and nothing is lost meanwhile.
                state.waiter.ask_a_person(rule.type or "refused")
            state.waiter.note_unsent(error)
            return PageReading(CollectResult(CollectOutcome.UNKNOWN, attempt=state.attempt))

    async def _go_on_after(self, result: CollectResult | None, *, was_processing: bool) -> None:
        """The attempt is over: its money is there, or the request waits for its payer again."""
        state = self._state
        state.checks = 0
        if result is not None and result.outcome is CollectOutcome.SETTLED:
            state.end = self._ending(PaymentRequestState.PAID, "paid")
        elif workflow.patched(FAILURES_IN_OUTBOX):
            # A bank debit may have failed days after it was given. What its payer reads is in the outbox since that was
            # recorded, whatever has become of the request; and what is to be paid now may be something else.
            await self._read_again()
            self._send_pending()
        elif was_processing and state.end is None and state.stored.is_mailed:
            await self._mail("failed", f"failed-{state.attempt}")

    async def _wait(self, summary: str) -> Wake:
        """Wait for the payer, the next reminder, or the end of the request or of its page."""
        state, now = self._state, workflow.now()
        page_ends_at = state.page.expires_at if state.page else None
        until = earliest(state.stored.expires_at, next_reminder(state.stored, now), page_ends_at)
        return await state.waiter.wait(until, summary, listen_to=ANYTHING)

    async def _act_on(self, wake: Wake) -> None:
        state, now = self._state, workflow.now()
        if wake.reason is WakeReason.RECEIVABLE_CHANGED:
            await self._read_again()
            if not state.stored.payable_minor and not state.is_over:
                state.end = state.end or self._ending(PaymentRequestState.PAID, PAID_ELSEWHERE)
            elif state.page is not None and state.page.amount_minor != state.stored.payable_minor:
                await self._close_page()
        elif wake.reason is WakeReason.TIMER and now >= state.stored.expires_at:
            await workflow.wait_condition(lambda: not state.opening)
            state.end = state.end or self._ending(PaymentRequestState.EXPIRED, "expired")
        elif wake.reason is WakeReason.TIMER and not (state.page and now >= state.page.expires_at):
            # A timer fires a moment late.
            days = round((state.stored.expires_at - now) / timedelta(days=1))
            await self._mail("reminder", f"reminder-{days}")

    async def _wait_for_evidence(self, result: CollectResult) -> None:
        """Wait, then read the same attempt again: evidence ends this, a timer never does."""
        state = self._state
        state.enter(result)
        if state.is_charge_due:
            # It was ordered instead of a payment that is under way, and not after it.
            state.end_charge()
        if state.unknown_since and workflow.now() - state.unknown_since >= REVIEW_AFTER:
            state.waiter.ask_a_person("unknown_outcome")
        pause = CHECK_INTERVALS[min(state.checks, len(CHECK_INTERVALS) - 1)]
        state.checks += 1
        summary = f"check {state.checks} of attempt {state.attempt}"
        await state.waiter.wait(workflow.now() + pause, summary, listen_to=EVIDENCE)

    async def _close_page(self) -> None:
        """Close the page for good. What it came to is read next: who paid at the last moment has paid."""
        state = self._state
        await workflow.execute_activity_method(
            PaymentPageActivities.close_page,
            state.attempt_request(),
            task_queue=workflow_ids.gateway_queue(state.stored.provider),
            summary=f"close the page of attempt {state.attempt}",
            priority=PEOPLE,
            **UNTIL_DONE,
        )

    async def _mail(self, reason: str, transition: str) -> None:
        await workflow.execute_activity_method(
            PaymentRequestActivities.mail_payment_request,
            PaymentRequestMail(self._state.request.request_id, reason, transition),
            summary=f"write the message with the link: {transition}",
            **DATABASE,
        )
        self._state.waiter.note(f"mailed: {transition}")
        self._send_pending()

    def _ending(self, ended: PaymentRequestState, reason: str) -> PaymentRequestEnd:
        return PaymentRequestEnd(self._state.request.request_id, ended, reason)

    async def _close(self, end: PaymentRequestEnd) -> None:
        stored = await workflow.execute_activity_method(
            PaymentRequestActivities.end_payment_request,
            end,
            summary=f"{end.state}: {end.reason}",
            **DATABASE,
        )
        self._state.take(stored)

    async def _finish(self) -> PaymentRequestResult:
        state, stored = self._state, self._state.stored
        state.waiter.end_review()
        state.waiter.note(f"over: {stored.state} {stored.reason}")
        state.waiter.end_waiting()
        state.enter()
        if stored.state is PaymentRequestState.PAID:
            self._send_pending()
        if not await self._outgoing.finished():
            state.waiter.note("the last message is left to the next mailing")
        await workflow.wait_condition(workflow.all_handlers_finished)
        return PaymentRequestResult(stored.state, stored.reason, stored.amount_minor, stored.currency)

    def _continue_if_long(self) -> None:
        if self._state.waiter.is_history_long():
            workflow.continue_as_new(self._state.resumed_request())
