"""Links into the customers' portal, handed out and mailed, and the end of sessions."""

from collections.abc import Sequence

from temporalio.common import WorkflowIDConflictPolicy

from activities.portal.access import PortalAccess
from activities.request_tokens import PortalLinks
from commands.output import Output, table
from commands.session import database_of, read_settings, temporal_for_orders
from models.messages.message import MailingRequest
from models.problem import refusal
from models.workflow_ids import WORKFLOW_QUEUE, mailing_id
from workflows.messages.mailing import Mailing


async def give_link(output: Output, account: str) -> None:
    """Make a link by which an account's customer signs in. Raises RefusedError where no portal is set."""
    settings = read_settings()
    if not settings.portal_url:
        raise refusal("DULY_PORTAL_URL", "portal_set", "there is no portal: set its address")
    async with database_of(settings) as database:
        token = await PortalLinks(database).made(account)
    url = f"{settings.portal_url}/enter/{token}"
    rows = [("Link", url), ("Good for", f"{PortalLinks.MINUTES} minutes, once")]
    output.answer(
        {"account": account, "url": url, "minutes": PortalLinks.MINUTES}, table("", "Account", account, rows=rows)
    )


async def end_sessions(output: Output, account: str) -> None:
    """End all sessions of an account's customer, and let no link that is out begin another."""
    async with database_of(read_settings()) as database:
        ended = await PortalAccess(database).end_all(account)
    output.answer({"account": account, "ended": ended}, f"{account}: {ended} sessions ended.")


async def start_mailing(accounts: Sequence[str]) -> None:
    """Let the links that were written for some accounts be mailed."""
    client = await temporal_for_orders(read_settings())
    await client.start_workflow(
        Mailing.run,
        MailingRequest(),
        id=mailing_id(f"portal/{accounts[0]}"),
        task_queue=WORKFLOW_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        static_summary="a customer asked for a link to the portal",
    )
