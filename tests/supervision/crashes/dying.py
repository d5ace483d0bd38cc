"""A scenario in which the worker of one activity dies once, supervised until it is right again."""

from contextlib import suppress
from datetime import timedelta

from temporalio.service import RPCError

from tests.supervision.crashes.crashing_activities import CrashingActivities, Death
from tests.supervision.crashes.rows import Pressed
from tests.supervision.scenario import Company, Scenario
from tests.support.invariants import complaints

# Longer than a workflow stands still after a fault, and so often at most.
A_WHILE = timedelta(minutes=11)
TIMES = 12


async def is_survived(
    company: Company, crashing: CrashingActivities, scenario: Scenario, row: tuple[str, str, Pressed, Death]
) -> None:
    """Lead a scenario to its row's moment, let the worker die there, and assert that the money is right in the end."""
    workflow, name, pressed, death = row
    await scenario.prepare(f"dies-{company.period}")
    crashing.die_once(workflow, name, death)
    opened = await scenario.open(f"dies-{company.period}", pressed.at)

    wrong = "not looked at"
    for _ in range(TIMES):
        if pressed.update:
            await company.command(opened.workflow_id, pressed.update, pressed.command)
        if pressed.signal:
            await company.signal(opened.workflow_id, pressed.signal)
        with suppress(RPCError):
            # The server may need more than its half minute for all that happens in a while.
            await company.duly.environment.sleep(A_WHILE)
        await company.supervise()
        await opened.go_on()
        wrong = "" if pressed.changes_end else await opened.wrong()
        if crashing.has_died and not wrong:
            break

    assert wrong == ""
    assert crashing.has_died
    assert await complaints(company.sandbox, company.database, company.gateway) == []
