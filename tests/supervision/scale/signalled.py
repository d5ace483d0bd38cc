"""Signalling a workflow that waits, thousands of times, and what becomes of its history and of its business object.

The cases are made from the list of workflows: whoever takes signals has to be led to a moment at which it waits, and
every type that a signal carries has an example here.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress

from temporalio.client import WorkflowQueryFailedError
from temporalio.service import RPCError
from temporalio.workflow import _Definition, _SignalDefinition

from models.gateway.gateway_request import RequestKind
from models.refunds.refund import RefundOutcome, RefundResult
from models.runs.process_run import ShardProgress
from models.runs.run_control import Steering
from models.workflow_ids import payment_run_id
from tests.supervision.errands import MovementsScenario
from tests.supervision.returns import REFUND_LISTS, REFUNDS
from tests.supervision.runs import MEMBERS
from tests.supervision.scenario import WHO, Company, Moment, Opened, Scenario
from tests.supervision.scenarios import SCENARIOS
from tests.support.attempts import CHARGES
from tests.support.invariants import complaints
from tests.support.run_control import shape
from workflows.registered import WORKFLOWS

# What every workflow answers, once it has taken in what was sent before.
TAKEN_IN = "__temporal_workflow_metadata"
# The longest time in which everything has to be right afterwards, and the pause between two looks.
SECONDS = 150
PAUSE = 0.2

DEFINITIONS = {str(one.name): one for one in map(_Definition.must_from_class, WORKFLOWS)}
SIGNALLED = [name for name, definition in DEFINITIONS.items() if definition.signals]

# An example of every type that a signal carries; none of them says anything new.
EXAMPLES: Mapping[type, object] = {
    ShardProgress: ShardProgress(0, {}),
    Steering: Steering(),
    str: "nobody",
    RefundResult: RefundResult(RefundOutcome.PENDING, "nobody", kind=RequestKind.REFUND),
    bool: False,
}


async def open_paused_run(scenario: Scenario, name: str) -> Opened:
    """A run, or its shard, that is paused before everybody was asked."""
    company = scenario.company
    await shape(company.merchant, shards=1, window=1)
    company.gateway.hold(CHARGES)
    opened = await scenario.open(name, Moment.BEFORE_CALL)
    await company.gateway.arrived(1)
    await scenario.handle(payment_run_id("monthly", company.period)).execute_update("pause", WHO)
    company.gateway.let_go()
    return opened


async def open_without_card(scenario: Scenario, name: str) -> Opened:
    """A receivable that waits for a card, which its customer enters in the end."""
    company, account = scenario.company, f"acc-{name}"
    await company.merchant.invoice(account, 2500)
    handle = await company.duly.start_collection(account, company.period)
    await handle.execute_update("first_outcome")
    enters = [account]

    async def go_on() -> None:
        while enters:
            await company.merchant.card(enters.pop(), "pm_card_visa")
        await company.signal(handle.id, "card_changed")

    async def wrong() -> str:
        owed = await company.merchant.balance(account)
        return f"owes {owed}" if owed else ""

    return Opened(handle.id, go_on, wrong)


async def open_unanswered_refund_run(scenario: Scenario, name: str) -> Opened:
    """A day's refunds, of which the gateway has answered none."""
    scenario.company.gateway.hold(REFUNDS)
    opened = await scenario.open(name, Moment.BEFORE_CALL)
    await scenario.company.gateway.arrived(MEMBERS)
    return opened


async def open_unanswered_check(scenario: Scenario, name: str) -> Opened:
    """A look at a refund of somebody else's, which the gateway does not answer."""
    scenario.company.gateway.hold(REFUND_LISTS)
    opened = await scenario.open(name, Moment.WAITING)
    await scenario.company.gateway.arrived(1)
    return opened


# Where the moment that a scenario calls waiting is too short, or is none.
OPENINGS: Mapping[str, Callable[[Scenario, str], Awaitable[Opened]]] = {
    "Collection": open_without_card,
    "ObjectCheck": open_unanswered_check,
    "PaymentRun": open_paused_run,
    "PaymentRunShard": open_paused_run,
    "RefundRun": open_unanswered_refund_run,
}


async def signal_without_end(company: Company, workflow: str, signals: int, *, at_once: int) -> Sequence[int]:
    """Signal a workflow that waits so often, see it to its end, and return how long its histories were.

    So many signals come at once, and are taken in before the next.
    """
    scenario, name = SCENARIOS[workflow](company), f"signalled-{company.period}"
    await scenario.prepare(name)
    if workflow in OPENINGS:
        opened = await OPENINGS[workflow](scenario, name)
    else:
        assert Moment.WAITING not in scenario.absent, f"{workflow} takes signals: when does it wait?"
        opened = await scenario.open(name, Moment.WAITING)

    messages = itertools.cycle(DEFINITIONS[workflow].signals.values())
    executions: set[str] = set()
    for _ in range(signals // at_once):
        if isinstance(scenario, MovementsScenario):
            # An event starts anew whoever has ended, as this one does when no event comes while it looks.
            await scenario.open(name, Moment.WAITING)
        await signal(company, opened, *itertools.islice(messages, at_once))
        executions.add((await scenario.handle(opened.workflow_id).describe()).run_id)
    lengths = [await length_of(company, opened.workflow_id, execution) for execution in executions]

    company.let_all_through()
    assert await wrong_in_the_end(company, opened) == ""
    assert await complaints(company.sandbox, company.database, company.gateway) == []
    return lengths


async def signal(company: Company, opened: Opened, *messages: _SignalDefinition) -> None:
    """Send some signals, and let the workflow take them in; to one that has ended none can be sent."""
    handle = company.duly.client.get_workflow_handle(opened.workflow_id)
    with suppress(RPCError, WorkflowQueryFailedError):
        await asyncio.gather(
            *(
                handle.signal(str(message.name), args=[EXAMPLES[kind] for kind in message.arg_types or ()])
                for message in messages
            )
        )
        await handle.query(TAKEN_IN)


async def length_of(company: Company, workflow_id: str, execution: str) -> int:
    """Return how many events an execution has."""
    described = await company.duly.client.get_workflow_handle(workflow_id, run_id=execution).describe()
    return described.history_length


async def wrong_in_the_end(company: Company, opened: Opened) -> str:
    """Help a workflow on, and return what is wrong with what it looks after, when it should be over."""
    wrong = "not looked at"
    with suppress(TimeoutError):
        async with asyncio.timeout(SECONDS):
            while wrong:
                await asyncio.sleep(PAUSE)
                await company.supervise()
                await opened.go_on()
                wrong = await opened.wrong()
    return wrong
