"""From the past into the present: the same company, on servers with the true clock."""

from models.supervision.supervision import SupervisionReport, SupervisionRequest
from models.workflow_ids import SUPERVISOR, WORKFLOW_QUEUE
from sandbox.customers.load import load
from sandbox.customers.merchant import POLICY
from sandbox.demo.tools import Tools
from sandbox.past.company import Company, with_policies
from workflows.supervision.supervisor import Supervisor

_CLOSE = "select duly.set_account_state(id, 'terminated') from duly.accounts where id = any (:ids) and state = 'active'"


async def go_on(company: Company, month: int) -> None:
    """Let the last ones join, and let begin what is wrong with customers: from now on policies take seconds."""
    tools = company.tools
    await company.configure(with_policies(POLICY, POLICY))
    joining = [life.account for life in company.lives if life.joins == month]
    await load(joining, tools.customers, tools.database, tools.folder)
    there = [life.account for life in company.lives if life.joins < month and life.is_there(month)]
    await company.cards.meet_problems(there)
    await tools.database.rows(_CLOSE, ids=[account.id for account in there if account.is_terminated])


async def resume(tools: Tools) -> SupervisionReport:
    """Let everything that is open go on from its row, as its schedule would: this Temporal knows nothing."""
    report: SupervisionReport = await tools.client.execute_workflow(
        Supervisor.run, SupervisionRequest(), id=SUPERVISOR, task_queue=WORKFLOW_QUEUE
    )
    return report
