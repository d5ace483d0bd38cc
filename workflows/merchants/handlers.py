"""The signals, updates and queries of a merchant's connection."""

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from activities.merchants.accounts import MerchantAccountActivities
from activities.merchants.connections import MerchantConnectionActivities
from models import workflow_ids
from models.merchants.connection import (
    ConnectionLink,
    Disconnection,
    MerchantConnectionStatus,
    link_of,
    require_page,
)
from models.operator_command import CommandError, OperatorCommand
from models.waiting import AcceptedCommands, WakeReason
from workflows.merchants.state import MerchantConnectionProgress
from workflows.options import COLLECT_WAITING, DATABASE, PEOPLE
from workflows.updates import async_question, async_update, surfacing_refusal, until_answer

# Why there is no page, and no link: the merchant is disconnected.
NOT_OPEN = "merchant_connection_open"


class MerchantConnectionHandlers:
    """The signals, updates and queries of a merchant's connection."""

    _state: MerchantConnectionProgress
    _refused: ApplicationError | None

    @workflow.signal(description="The gateway has an event of this merchant's account, or its owner came back.")
    def gateway_event(self) -> None:
        """Read the account: an event is a hint, never a fact."""
        self._state.waiter.wake(WakeReason.GATEWAY_EVENT)

    async def cancel_asked(self, reason: str) -> str:
        """Refuse: payments would go on, and nobody would notice when the gateway stops them."""
        del reason
        return self._state.waiter.refuse_cancel("`disconnect` stops new payments")

    def carried_after_fault(self) -> AcceptedCommands:
        """Return what was accepted and is not done."""
        return AcceptedCommands(self._state.waiter.accepted())

    @workflow.query(description="Where the connection stands, what is missing, and what comes next.")
    def status(self) -> MerchantConnectionStatus:
        """Return its state, the next moment and what happened."""
        return self._state.status()

    @async_question("Wait until the merchant has an account, and return where its owner completes it.")
    async def created(self) -> ConnectionLink:
        """Return the link for the owner; fails with the rule when the merchant may not be connected."""
        state = self._state
        await until_answer(
            lambda: (
                self._refused is not None
                or (state.known is not None and (bool(state.known.gateway_account) or state.is_over))
            )
        )
        if self._refused is not None:
            raise ApplicationError(self._refused.message, type=self._refused.type, non_retryable=True)
        if state.is_over:
            message = "state: the merchant is being disconnected: ask again"
            raise ApplicationError(message, type=NOT_OPEN, non_retryable=True)
        return link_of(state.stored)

    @async_update("Open a page of the gateway's on which the owner completes the account.")
    async def open_page(self) -> str:
        """Return an address that works once, for minutes, and acts for the owner: it is for nobody else."""
        await until_answer(lambda: self._state.known is not None)
        with surfacing_refusal():
            return await workflow.execute_activity_method(
                MerchantAccountActivities.open_onboarding,
                self._state.request.merchant_id,
                task_queue=workflow_ids.gateway_queue(self._state.request.provider),
                summary="make a page for the owner",
                priority=PEOPLE,
                **COLLECT_WAITING,
            )

    @async_update("Read the account at the gateway now.")
    async def check_now(self, command: OperatorCommand) -> str:
        """Return where the connection stands once the gateway was asked again, or could not be."""
        state = self._state
        state.waiter.note(f"read again, says {command.actor}: {command.reason}")
        # A reading that is under way may have been answered before what is asked about.
        wanted = state.readings + 1 + state.is_reading
        state.waiter.wake(WakeReason.CHECK)
        await until_answer(lambda: state.readings >= wanted or state.is_over)
        return state.stage

    @async_update("Stop new payments on the account at once. The account lives on, and its history is kept.")
    async def disconnect(self, command: OperatorCommand) -> str:
        """Disconnect the merchant in one commit, whatever the gateway is at."""
        state = self._state
        with surfacing_refusal():
            stored = await workflow.execute_activity_method(
                MerchantConnectionActivities.disconnect_merchant,
                Disconnection(state.request.merchant_id, command.actor, command.reason),
                summary="stop new payments on its account",
                **DATABASE,
            )
        state.waiter.note(f"disconnected, says {command.actor}: {command.reason}")
        state.take(stored)
        state.waiter.wake(WakeReason.GIVE_UP)
        return state.stage

    @open_page.validator
    def _may_open_page(self) -> None:
        if self._state.known is not None:
            require_page(self._state.known)

    @check_now.validator
    def _may_check(self, command: OperatorCommand) -> None:
        command.check()
        if self._state.is_over:
            raise CommandError("state: the merchant is disconnected: `merchants reconnect`")

    @disconnect.validator
    def _may_disconnect(self, command: OperatorCommand) -> None:
        command.check()
        if self._state.is_over:
            raise CommandError(f"state: the merchant is {self._state.stage}, so there is nothing to disconnect")
