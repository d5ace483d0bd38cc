"""A merchant's own account at the gateway: made, completed by its owner, watched for as long as it is connected."""

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from activities.merchants.accounts import MerchantAccountActivities
from activities.merchants.connections import MerchantConnectionActivities
from models import workflow_ids
from models.merchants.account import ConnectionState
from models.merchants.connection import (
    CHECKS_LATER,
    CHECKS_WHILE_OPEN,
    MerchantConnectionInput,
    MerchantConnectionResult,
    ReconnectRequest,
    StoredConnection,
    until_next_check,
)
from workflows.faults import Refusal, broken_rule
from workflows.inputs.checks import checked_init
from workflows.merchants.handlers import MerchantConnectionHandlers
from workflows.merchants.state import MerchantConnectionProgress
from workflows.options import COLLECT_WAITING, DATABASE, PEOPLE, UNTIL_DONE


@workflow.defn(name="MerchantConnection")
class MerchantConnection(MerchantConnectionHandlers):
    """Owns one merchant's connection until it is disconnected. A merchant that reconnects gets another execution."""

    @checked_init
    def __init__(self, request: MerchantConnectionInput) -> None:
        self._state = MerchantConnectionProgress(request, lambda: True)
        self._refused = None

    @workflow.run
    async def run(self, request: MerchantConnectionInput) -> MerchantConnectionResult:
        """Keep what is known of the account true. Fails when the merchant may not be connected: nothing was written."""
        state = self._state
        state.show()
        state.take(await self._open(request))
        while not state.is_over:
            state.enter()
            pause = await (self._read() if state.stored.gateway_account else self._make_account())
            if pause is not None and not state.is_over:
                state.enter()
                await state.waiter.wait(workflow.now() + pause, self._what_comes())
                self._continue_if_long()
        return await self._finish()

    async def _open(self, request: MerchantConnectionInput) -> StoredConnection:
        try:
            if request.terms is not None and request.terms.gateway_account:
                return await workflow.execute_activity_method(
                    MerchantAccountActivities.reconnect_merchant,
                    ReconnectRequest(request.merchant_id, request.provider, request.terms),
                    task_queue=workflow_ids.gateway_queue(request.provider),
                    summary="is it the merchant's account? then it goes on",
                    priority=PEOPLE,
                    **UNTIL_DONE,
                )
            return await workflow.execute_activity_method(
                MerchantConnectionActivities.open_merchant_connection,
                MerchantConnectionInput(request.merchant_id, request.provider, request.terms),
                summary="write the connection down" if request.terms else "read the connection",
                **DATABASE,
            )
        except ActivityError as error:
            if (rule := broken_rule(error)) is None:
                raise
            self._refused = rule
            await workflow.wait_condition(workflow.all_handlers_finished)
            raise Refusal(error) from error

    async def _make_account(self) -> timedelta | None:
        """Make the account; return how long to wait where the gateway does not take what it is to be made of."""
        state = self._state
        try:
            made = await workflow.execute_activity_method(
                MerchantAccountActivities.make_merchant_account,
                state.request.merchant_id,
                task_queue=workflow_ids.gateway_queue(state.request.provider),
                summary="make its account at the gateway",
                priority=PEOPLE,
                **UNTIL_DONE,
            )
        except ActivityError as error:
            if (rule := broken_rule(error)) is None:
                raise
            # Another e-mail or country, or a setting of the platform's: whoever connected it hears of it.
            self._refused = rule
            state.waiter.note(f"no account was made: {rule.message}")
            state.waiter.ask_a_person(rule.type or "refused")
            return CHECKS_LATER
        self._refused = None
        state.waiter.end_review()
        state.take(made)
        return None

    async def _read(self) -> timedelta | None:
        """Read the account; return how long it is left alone after that."""
        state = self._state
        state.is_reading = True
        try:
            stored = await workflow.execute_activity_method(
                MerchantAccountActivities.read_merchant_account,
                state.request.merchant_id,
                task_queue=workflow_ids.gateway_queue(state.request.provider),
                summary="where does the gateway say that it stands?",
                priority=PEOPLE,
                **COLLECT_WAITING,
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            if (rule := broken_rule(error)) is not None:
                state.waiter.ask_a_person(rule.type or "refused")
            # What was read before stands; a gateway that is away says nothing about the account.
            state.waiter.note("the gateway could not be asked")
            state.end_reading()
            return CHECKS_WHILE_OPEN
        state.take(stored)
        state.end_reading()
        state.checks = 0 if stored.state is ConnectionState.SUCCESSFUL else state.checks + 1
        return until_next_check(stored, state.checks)

    def _what_comes(self) -> str:
        return "the account is read again" if self._state.stored.gateway_account else "the gateway is asked again"

    async def _finish(self) -> MerchantConnectionResult:
        state, stored = self._state, self._state.stored
        state.waiter.end_review()
        if stored.reason != "by_a_person":
            # Nobody here wanted it: payments have stopped, and a person has to know.
            state.waiter.ask_a_person("merchant_shut_us_out")
        state.waiter.end_waiting()
        state.enter()
        await workflow.wait_condition(workflow.all_handlers_finished)
        return MerchantConnectionResult(stored.merchant_id, stored.gateway_account, stored.reason)

    def _continue_if_long(self) -> None:
        if self._state.waiter.is_history_long():
            workflow.continue_as_new(self._state.resumed_request())
