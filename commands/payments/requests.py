"""Showing and listing requests to gateways (X31 to X42)."""

from typing import Any

from sqlalchemy import Row

from activities.payments.queries import PaymentQueries
from activities.payments.request_queries import RequestFilter, RequestQueries
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
        found = await RequestQueries(database).find(id)
        if found is None:
            raise refusal("request", "request_exists", f"there is no request {id!r}")
        attempts = await PaymentQueries(database).attempts(id)
    output.answer(
        {**document(found), "attempts": attempt_documents(attempts)},
        table("", "Request", id, rows=facts_of(found)),
        attempts_table(attempts, found.currency),
    )


def facts_of(found: Row[Any]) -> list[tuple[str, object]]:
    """Return what a person reads of a request: the fields of X32 that it has."""
    facts = [
        ("Kind", found.kind),
        ("State", found.state),
        ("Account", found.account_id),
        ("Amount", money(found.amount_minor, found.currency) if found.amount_minor else ""),
        ("Provider", found.provider),
        ("Run", found.run_id),
        ("Preference", found.preference),
        ("Card", found.card),
        ("Payment", found.payment_id),
        ("Payment cancellation", found.payment_cancellation_id),
        ("Refund", found.refund_id),
        ("Number", found.transaction_number),
        ("Gives back", found.of_request_id),
        ("Invoices", ", ".join(found.invoices)),
        ("Paid bills", ", ".join(found.paid_bills)),
        ("Topped-up wallet", ", ".join(found.topped_up_wallets)),
        ("At the gateway", found.gateway_reference),
        ("Error", f"{found.error_code} {found.error_description}".strip()),
        ("Asked by", f"{found.asked_by} {found.asked_because}".strip()),
        ("Asked", moment(found.created_at)),
        ("Executed", moment(found.executed_at)),
    ]
    return [(name, value) for name, value in facts if value]


async def list_page(output: Output, page: ListPage, wanted: RequestFilter, *, with_totals: bool) -> None:
    """List a page of requests, the newest first."""
    settings = read_settings()
    async with reading_database_of(settings) as database:
        listed = await RequestQueries(database).page(page, wanted, with_totals=with_totals)
    columns = {
        "Request": lambda row: row.id,
        "Kind": lambda row: row.kind,
        "Account": lambda row: row.account_id,
        "State": lambda row: row.state,
        "Amount>": lambda row: money(row.amount_minor, row.currency) if row.amount_minor else "",
        "At the gateway": lambda row: row.gateway_reference or "",
        "Why": lambda row: row.error_description or row.error_code,
        "Executed": lambda row: moment(row.executed_at),
    }
    await answer_list(output, settings, "requests", listed, columns)
