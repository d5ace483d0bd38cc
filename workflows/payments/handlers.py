"""The signals, updates and queries of a payment request."""

import asyncio

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from activities.collections.collect import CollectActivities
from activities.collections.payment_pages import PaymentPageActivities
from activities.payments.payment_requests import PaymentRequestActivities
from activities.payments.request_pages import RequestPageActivities
from models import workflow_ids
from models.collections.collection import Resolution
from models.gateway.gateway_request import HELD_CODES, CollectResult
from models.operator_command import CommandError, OperatorCommand, UnknownResolution
from models.payments.hold import HoldRelease
from models.payments.payment_request import (
    CANCELLED,
    AcceptedOrders,
    PageOrder,
    PaymentLink,
    PaymentRequestEnd,
    PaymentRequestInput,
    PaymentRequestMail,
    PaymentRequestState,
    PaymentRequestStatus,
    RequestPage,
    require_open,
)
from models.waiting import WakeReason
from workflows.messages.outgoing import IN_OUTBOX, OutgoingMessages, send_pending
from workflows.options import COLLECT_WAITING, DATABASE, PEOPLE
from workflows.payments.card_payments import NOT_OPEN, CardPayments
from workflows.payments.details import UNKNOWN
from workflows.payments.holds import release_held
from workflows.payments.state import PaymentRequestProgress
from workflows.updates import async_update, require_stays, surfacing_refusal, until_answer

NO_CHOICE = PageOrder()


class PaymentRequestHandlers(CardPayments):
    """The signals, updates and queries of a payment request."""

    _state: PaymentRequestProgress
    _refused: ApplicationError | None
    _outgoing: OutgoingMessages[None]
    _paging: asyncio.Lock

    @workflow.signal(description="The gateway has an event of this request's payment.")
    def gateway_event(self) -> None:
        """Look at the gateway: an event is a hint, never a fact."""
        self._state.waiter.wake(WakeReason.GATEWAY_EVENT)

    @workflow.signal(description="A payment, a credit or a cancellation changed what is owed.")
    def receivable_changed(self) -> None:
        """Look again at what is owed."""
        self._state.waiter.wake(WakeReason.RECEIVABLE_CHANGED)

    async def cancel_asked(self, reason: str) -> str:
        """Withdraw the request as soon as no payment of it is under way."""
        state = self._state
        state.waiter.note(f"cancelled in Temporal's UI: {reason or 'no reason given'}")
        self._end(CANCELLED, "Temporal's UI", reason)
        state.waiter.wake(WakeReason.CANCELLED)
        return "the request is withdrawn, unless it turns out to be paid"

    def carried_after_fault(self) -> AcceptedOrders:
        """Return what was accepted and is not done."""
        return self._state.accepted()

    @workflow.query(description="Where the payment request stands, and what comes next.")
    def status(self) -> PaymentRequestStatus:
        """Return its state, the next moment and what happened."""
        return self._state.status()

    @async_update("Wait until the request is made, and return its link; other terms under its id are refused.")
    async def created(self, given: PaymentRequestInput) -> PaymentLink:
        """Return where the request is paid; fails with the rule when it may not be made, or was made otherwise."""
        state = self._state
        await until_answer(lambda: state.known is not None or self._refused is not None)
        if self._refused is not None:
            raise ApplicationError(self._refused.message, type=self._refused.type, non_retryable=True)
        with surfacing_refusal():
            # This start may have found one that began with other terms, perhaps executions ago: the row knows them.
            link: PaymentLink = await workflow.execute_activity_method(
                PaymentRequestActivities.hand_out_link,
                given,
                summary="a link, if it was made with these terms",
                **DATABASE,
            )
            return link

    @async_update("Open a page for the payer, or return the open one.")
    async def open_page(self, order: PageOrder = NO_CHOICE) -> str:
        """Return the address of a page on which what is to be paid now can be paid."""
        async with self._paging:
            require_stays()
            return await self._page_for(order)

    async def _page_for(self, order: PageOrder) -> str:
        state = self._state
        await until_answer(lambda: state.known is not None and not self._is_page_unread())
        self._require_open()
        await self._take_order(order)
        if state.page is not None and state.page.amount_minor != state.stored.payable_minor:
            # Something was paid elsewhere: the page asks for too much, and is closed before another is opened.
            state.waiter.wake(WakeReason.RECEIVABLE_CHANGED)
            await until_answer(lambda: not state.has_open_attempt)
            self._require_open()
        if state.page is not None and state.page.expires_at > workflow.now():
            return state.page.url
        if not state.stored.payable_minor:
            state.waiter.wake(WakeReason.RECEIVABLE_CHANGED)
            raise ApplicationError("state: nothing is to be paid any more", type=NOT_OPEN, non_retryable=True)
        return (await self._opened()).url

    @async_update("Mail the link to the payer once more.")
    async def send_link(self, command: OperatorCommand) -> str:
        """Write the message with the link. Fails when the account has no address."""
        state = self._state
        transition = f"again-{workflow.now():%Y%m%d%H%M%S%f}"
        with surfacing_refusal():
            await workflow.execute_activity_method(
                PaymentRequestActivities.mail_payment_request,
                PaymentRequestMail(
                    state.request.request_id, "again", transition, actor=command.actor, because=command.reason
                ),
                summary="write the message with the link",
                **DATABASE,
            )
        state.waiter.note(f"sent again, says {command.actor}: {command.reason}")
        self._send_pending()
        return "sent again"

    @async_update("Let the payment be asked for that a rule holds, for the amount that is held.")
    async def release_hold(self, command: HoldRelease) -> str:
        """Release the hold: its payer's next page is opened. What is not to be paid is withdrawn instead."""
        state = self._state
        released = await release_held(state.waiter, state.stored.account_id, state.stored.period, command)
        state.waiter.end_review()
        return released

    @async_update("Close the page, and ask for the payment no more.")
    async def withdraw(self, command: OperatorCommand) -> str:
        """Withdraw the request and return how it ended: whoever paid at the last moment has paid."""
        state = self._state
        self._end("withdrawn", command.actor, command.reason)
        state.waiter.note(f"withdraw, says {command.actor}: {command.reason}")
        state.waiter.wake(WakeReason.GIVE_UP)
        await until_answer(lambda: state.is_over)
        return state.stage

    @async_update("Say what became of an unknown payment: by the gateway's id, or by decision.")
    async def resolve_unknown(self, command: UnknownResolution) -> CollectResult:
        """Settle the unknown attempt. A gateway id is checked with the gateway; a decision is kept with its author."""
        state, stored = self._state, self._state.stored
        with surfacing_refusal():
            resolved = await workflow.execute_activity_method(
                CollectActivities.resolve_unknown,
                Resolution(
                    account_id=stored.account_id,
                    period=stored.period,
                    attempt=state.attempt,
                    gateway_reference=command.gateway_reference,
                    actor=command.actor,
                    reason=command.reason,
                ),
                task_queue=workflow_ids.gateway_queue(stored.provider),
                summary=f"check {command.gateway_reference or 'the decision that nothing was paid'}",
                priority=PEOPLE,
                **COLLECT_WAITING,
            )
        state.waiter.note(f"resolved as {resolved.outcome} by {command.actor}: {command.reason}")
        state.waiter.wake(WakeReason.RESOLVED)
        return resolved

    @created.validator
    def _may_be_created(self, given: PaymentRequestInput) -> None:
        if given.request_id != self._state.request.request_id or given.terms is None:
            raise CommandError("given: must be the input of the start, with its terms")

    @open_page.validator
    def _may_open_page(self, order: PageOrder = NO_CHOICE) -> None:
        self._require_possible()

    @send_link.validator
    def _may_send(self, command: OperatorCommand) -> None:
        command.check()
        self._require_possible()

    @release_hold.validator
    def _may_release(self, command: HoldRelease) -> None:
        # Whether anything is held is the row's to say: what was asked of a card says it to whoever asked alone.
        command.check()
        self._require_possible()

    @withdraw.validator
    def _may_withdraw(self, command: OperatorCommand) -> None:
        command.check()
        if self._state.end is None or self._state.end.state is not PaymentRequestState.WITHDRAWN:
            self._require_possible()
        # Asked again after a fault, it is being withdrawn already.
        require_open(self._state.stage)

    @resolve_unknown.validator
    def _may_resolve(self, command: UnknownResolution) -> None:
        command.check()
        if self._state.stage != UNKNOWN:
            raise CommandError(f"state: the request is {self._state.stage}, so there is no unknown outcome to resolve")

    def _is_page_unread(self) -> bool:
        """Say whether a page was open before this execution, and nobody has read it yet."""
        state = self._state
        return state.has_open_attempt and state.page is None and not state.opening and state.stage == "open"

    def _end(self, reason: str, actor: str, because: str) -> None:
        state = self._state
        request_id = state.request.request_id
        state.end = state.end or PaymentRequestEnd(request_id, PaymentRequestState.WITHDRAWN, reason, actor, because)

    async def _opened(self) -> RequestPage:
        state = self._state
        state.opening += 1
        try:
            with surfacing_refusal():
                await workflow.execute_activity_method(
                    RequestPageActivities.have_payer,
                    state.request.request_id,
                    task_queue=workflow_ids.gateway_queue(state.stored.provider),
                    summary="has the payer a customer at the gateway?",
                    priority=PEOPLE,
                    **COLLECT_WAITING,
                )
                self._require_open()
                state.begin_attempt()
                page = await workflow.execute_activity_method(
                    PaymentPageActivities.open_page,
                    state.attempt_request(),
                    task_queue=workflow_ids.gateway_queue(state.stored.provider),
                    summary="open a page for the payer",
                    priority=PEOPLE,
                    **COLLECT_WAITING,
                )
            opened = RequestPage(page.url, page.expires_at, page.attempt, state.stored.payable_minor)
            state.show_page(opened)
            if state.waiter.review_reason in HELD_CODES:
                state.waiter.end_review()
            return opened
        except ApplicationError as error:
            if error.type in HELD_CODES and state.waiter.ask_a_person(error.type, in_place_of=HELD_CODES):
                self._send_pending()
            raise
        finally:
            state.opening -= 1
            # Whatever came of it is read: a page may be open whose answer was lost.
            state.waiter.wake(WakeReason.PAGE_OPENED)

    def _send_pending(self) -> None:
        account_id = self._state.stored.account_id
        self._outgoing.begin(lambda: send_pending(account_id), IN_OUTBOX, account_id=account_id)
