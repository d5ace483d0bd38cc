"""What a merchant connection's workflow knows and shows: the stored connection, and how often it was read."""

from collections.abc import Callable

from temporalio import workflow

from models.merchants.account import ConnectionState
from models.merchants.connection import (
    CONNECTING,
    MerchantConnectionInput,
    MerchantConnectionSnapshot,
    MerchantConnectionStatus,
    StoredConnection,
)
from workflows import visibility
from workflows.merchants.details import details_of
from workflows.waiting import Waiter

# Payments have stopped, and nobody but a person finds out why.
_ASKS = {
    ConnectionState.RESTRICTED: "merchant_restricted",
    ConnectionState.INCOMPLETE: "merchant_incomplete",
    ConnectionState.PENDING: "merchant_pending",
}


class MerchantConnectionProgress:
    """One merchant's connection."""

    def __init__(self, request: MerchantConnectionInput, is_idle: Callable[[], bool]) -> None:
        resumed = request.resumed or MerchantConnectionSnapshot()
        self.request = request
        self.known: StoredConnection | None = None
        self.checks = resumed.checks
        self.readings = 0
        self.is_reading = False
        self.waiter = Waiter(lambda: request.merchant_id, self.show, is_idle, resumed.waiter)

    def end_reading(self) -> None:
        """A reading of the account has been answered, or could not be."""
        self.is_reading = False
        self.readings += 1

    @property
    def stored(self) -> StoredConnection:
        """The connection as it was stored when it was read last."""
        assert self.known is not None
        return self.known

    @property
    def is_over(self) -> bool:
        """Say whether it is disconnected: what was read before that says nothing any more."""
        return self.known is not None and self.known.state is ConnectionState.DISCONNECTED

    @property
    def stage(self) -> str:
        """Where the connection stands, in the words of its states, or that its account is being made."""
        if self.known is None or not (self.known.gateway_account or self.is_over):
            return CONNECTING
        return self.known.state

    def take(self, stored: StoredConnection) -> None:
        """Take in the connection as it is stored, and ask a person where payments have stopped."""
        if self.is_over:
            return
        before, self.known = self.known, stored
        if before is None or before.state is not stored.state or before.reason != stored.reason:
            self.waiter.note(f"{self.stage} {stored.reason}".strip())
        was_paid = before is not None and before.state is ConnectionState.SUCCESSFUL
        if stored.state is ConnectionState.SUCCESSFUL:
            self.waiter.end_review()
        elif stored.state in _ASKS and (was_paid or stored.state is ConnectionState.RESTRICTED):
            self.waiter.ask_a_person(_ASKS[stored.state])

    def enter(self) -> None:
        """Let operators find the connection where it stands."""
        workflow.upsert_search_attributes(
            [
                visibility.STAGE.value_set(self.stage),
                visibility.PROVIDER.value_set(self.request.provider),
                *(
                    [visibility.GATEWAY_REFERENCE.value_set(self.stored.gateway_account)]
                    if self.stored.gateway_account
                    else []
                ),
            ]
        )
        self.show()

    def status(self) -> MerchantConnectionStatus:
        """Return what the query `status` answers."""
        known, waiter = self.known, self.waiter
        return MerchantConnectionStatus(
            stage=self.stage,
            gateway_account=known.gateway_account if known else "",
            reason=known.reason if known else "",
            missing=known.missing if known else (),
            due_at=known.due_at if known else None,
            next_action=waiter.next_action,
            next_action_at=waiter.next_action_at,
            history=waiter.history,
            is_in_review=waiter.is_in_review,
            review_reason=waiter.review_reason,
        )

    def show(self) -> None:
        """Refresh what the UI says about the connection."""
        workflow.set_current_details(details_of(self.request, self.status()))

    def resumed_request(self) -> MerchantConnectionInput:
        """Return the input of the execution that goes on from here; the rest stands in the row."""
        resumed = MerchantConnectionSnapshot(self.checks, self.waiter.snapshot())
        return MerchantConnectionInput(self.request.merchant_id, self.request.provider, resumed=resumed)
