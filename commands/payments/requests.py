"""Showing and listing requests to gateways (X31 to X42)."""

from activities.payments.queries import PaymentQueries, RequestFilter
from commands.formatting import document, moment, money
from commands.lists.paging import answer_list
from commands.output import Output, table
from commands.payments.show import attempt_documents, attempts_table
from commands.session import read_settings, reading_database_of
from models.listing import ListPage
from models.problem import refusal


async def show(output: Output, id: str) -> None:
    """Show one request with its attempts. Raises RefusedError when there is none."""
    async with reading_database_of(read_settings()) as database:
        queries = PaymentQueries(database)
        found = await queries.request(id)
        if found is None:
            raise refusal("request", "request_exists", f"there is no request {id!r}")
        attempts = await queries.attempts(id)
    facts = [
        ("Kind", found.kind),
        ("State", found.state),
        ("Account", found.account_id),
        ("Amount", money(found.amount_minor, found.currency) if found.amount_minor else ""),
        ("Provider", found.provider),
        ("Run", found.run_id),
        ("Preference", found.preference),
        ("Transaction", found.transaction_id),
        ("Gives back", found.of_request_id),
        ("At the gateway", found.gateway_reference),
        ("Error", f"{found.error_code} {found.error_description}".strip()),
        ("Executed", moment(found.executed_at)),
    ]
    output.answer(
        {**document(found), "attempts": attempt_documents(attempts)},
        table("", "Request", id, rows=[(name, value) for name, value in facts if value]),
        attempts_table(attempts, found.currency),
    )


async def list_page(output: Output, page: ListPage, wanted: RequestFilter, *, with_totals: bool) -> None:
    """List a page of requests, the newest first."""
    settings = read_settings()
    async with reading_database_of(settings) as database:
        listed = await PaymentQueries(database).requests(page, wanted, with_totals=with_totals)
    columns = {
        "Request": lambda row: row.id,
        "Kind": lambda row: row.kind,
        "Account": lambda row: row.account_id,
        "State": lambda row: row.state,
        "Amount>": lambda row: money(row.amount_minor, row.currency) if row.amount_minor else "",
        "Why": lambda row: row.error_description or row.error_code,
        "Executed": lambda row: moment(row.executed_at),
    }
    await answer_list(output, settings, "requests", listed, columns)
