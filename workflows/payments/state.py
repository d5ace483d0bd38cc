"""What a payment request's workflow knows and shows: the stored request, its open attempt, the page, what ends it."""

from collections.abc import Callable
from datetime import datetime

from temporalio import workflow

from models.gateway.gateway_request import CollectOutcome, CollectRequest, CollectResult
from models.moment import in_utc
from models.payments.card_payment import CardPayment
from models.payments.payment_request import (
    REQUEST_ENDED,
    AcceptedOrders,
    PageReading,
    PaymentRequestEnd,
    PaymentRequestInput,
    PaymentRequestSnapshot,
    PaymentRequestState,
    PaymentRequestStatus,
    RequestPage,
    StoredPaymentRequest,
)
from workflows import visibility
from workflows.faults import carried_state
from workflows.payments.details import UNKNOWN, details_of
from workflows.waiting import Waiter


class PaymentRequestProgress:
    """One payment request."""

    def __init__(self, request: PaymentRequestInput, is_idle: Callable[[], bool]) -> None:
        resumed = request.resumed or PaymentRequestSnapshot()
        self.request = request
        self.known: StoredPaymentRequest | None = None
        self.page: RequestPage | None = None
        self.attempt = 0
        self.has_open_attempt = False
        self.is_processing = False
        self.checks = resumed.checks
        self.unknown_since: datetime | None = resumed.unknown_since
        accepted = carried_state(AcceptedOrders) or AcceptedOrders()
        self.end: PaymentRequestEnd | None = resumed.end or accepted.end
        self.opening = 0
        # The card that is to be charged instead of the page, and what that came to.
        self.card_id = accepted.card_id
        self.charged: CollectResult | None = accepted.charged
        # Who has ordered that, and has no answer yet.
        self.payment: CardPayment | None = accepted.payment
        self.waiter = Waiter(lambda: self.subject, self.show, is_idle, resumed.waiter)

    @property
    def stored(self) -> StoredPaymentRequest:
        """The request as it was stored when it was read last."""
        assert self.known is not None
        return self.known

    @property
    def is_over(self) -> bool:
        """Say whether nothing comes any more."""
        return self.known is not None and self.known.state in REQUEST_ENDED

    @property
    def stage(self) -> str:
        """Where the request stands, in the words of its states."""
        if self.unknown_since is not None:
            return UNKNOWN
        if self.is_processing:
            return PaymentRequestState.PROCESSING
        return self.known.state if self.known is not None and self.is_over else PaymentRequestState.OPEN

    @property
    def subject(self) -> str:
        """The request in one line, for the timeline."""
        return f"{self.request.request_id}{f' of {self.known.account_id}' if self.known else ''}"

    def take(self, stored: StoredPaymentRequest, *, is_first: bool = False) -> None:
        """Take in the request as it is stored; at first also how far its attempts have come."""
        self.known = stored
        if is_first:
            self.attempt, self.has_open_attempt = stored.attempt, stored.has_open_attempt

    def begin_attempt(self) -> int:
        """Return the number of the attempt that a page is opened as: that of one without an end, if there is one."""
        if not self.has_open_attempt:
            self.attempt, self.has_open_attempt = self.attempt + 1, True
        return self.attempt

    def attempt_request(self) -> CollectRequest:
        """Return what an activity is asked about the attempt."""
        stored = self.stored
        return CollectRequest(stored.account_id, stored.period, stored.provider, attempt=self.attempt)

    def record(self, reading: PageReading) -> CollectResult | None:
        """Take in what was read of the attempt; None when it is over, or was never made."""
        result, self.page = reading.result, reading.page
        outcome = result.outcome if result else None
        is_known = outcome is not CollectOutcome.UNKNOWN
        self.unknown_since = None if is_known else self.unknown_since or workflow.now()
        self.is_processing = outcome is CollectOutcome.PROCESSING and reading.page is None
        if result is None:
            # Its number is free: it is that of the next one.
            self.attempt, self.has_open_attempt = self.attempt - 1, False
            return None
        if outcome in {CollectOutcome.PROCESSING, CollectOutcome.UNKNOWN}:
            return result
        self.has_open_attempt = False
        self.waiter.end_review()
        self.waiter.note(f"attempt {result.attempt}: {result.outcome} {result.decline_code or result.code}".strip())
        return None

    def accepted(self) -> AcceptedOrders:
        """Return what a person has ordered and is not done, or not answered. Any other end is read from the rows."""
        is_withdrawn = self.end is not None and self.end.state is PaymentRequestState.WITHDRAWN
        return AcceptedOrders(
            self.waiter.accepted(),
            self.end if is_withdrawn else None,
            self.card_id if self.is_charge_due else "",
            self.payment,
            self.charged if self.payment else None,
        )

    def order_charge(self, card_id: str, payment: CardPayment) -> None:
        """Let the loop charge a card, once no page is open."""
        self.card_id, self.charged, self.payment = card_id, None, payment

    def end_charge(self) -> None:
        """Nothing more is charged for whoever has asked for it."""
        self.card_id, self.charged, self.payment = "", None, None

    @property
    def is_charge_due(self) -> bool:
        """Say whether a card is to be charged that has not been."""
        return bool(self.card_id) and self.charged is None

    def show_page(self, page: RequestPage) -> None:
        """A page is open for the payer."""
        if self.page is None or self.page.url != page.url:
            self.waiter.note(f"attempt {page.attempt}: a page is open until {in_utc(page.expires_at)}")
        self.page = page

    def enter(self, result: CollectResult | None = None) -> None:
        """Let operators find the request where it stands."""
        stored, waiter = self.stored, self.waiter
        waiter.next_action_at = None
        updates = [
            visibility.STAGE.value_set(self.stage),
            visibility.ACCOUNT.value_set(stored.account_id),
            visibility.PROVIDER.value_set(stored.provider),
            *visibility.amount_updates(stored.amount_minor, stored.currency),
        ]
        if result is not None and result.gateway_reference:
            updates.append(visibility.GATEWAY_REFERENCE.value_set(result.gateway_reference))
        if self.unknown_since:
            updates.append(visibility.UNKNOWN_SINCE.value_set(self.unknown_since))
        workflow.upsert_search_attributes(updates)
        self.show()

    def status(self) -> PaymentRequestStatus:
        """Return what the query `status` answers."""
        known, waiter = self.known, self.waiter
        return PaymentRequestStatus(
            stage=self.stage,
            account_id=known.account_id if known else "",
            amount_minor=known.amount_minor if known else 0,
            currency=known.currency if known else "",
            expires_at=known.expires_at if known else None,
            attempt=self.attempt,
            has_page=self.page is not None,
            next_action=waiter.next_action,
            next_action_at=waiter.next_action_at,
            history=waiter.history,
            is_in_review=waiter.is_in_review,
            review_reason=waiter.review_reason,
        )

    def show(self) -> None:
        """Refresh what the UI says about the request."""
        workflow.set_current_details(details_of(self.request, self.status()))

    def resumed_request(self) -> PaymentRequestInput:
        """Return the input of the execution that goes on from here; the rest stands in the rows."""
        resumed = PaymentRequestSnapshot(self.checks, self.unknown_since, self.end, self.waiter.snapshot())
        return PaymentRequestInput(self.request.request_id, self.request.provider, resumed=resumed)
