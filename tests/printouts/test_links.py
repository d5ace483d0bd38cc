"""Links to documents: whoever has one has the file, for some days, and nothing else."""

from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
from temporalio.client import Client

from activities.database import Database
from activities.events.inbox import EventInbox
from activities.events.receiver_clock import ReceiverClock
from activities.gateway.stripe_gateway import StripeGateway
from activities.request_tokens import hash_of
from tests.support.command_line import CommandLine
from tests.support.company import POSTED_ON, Company
from webhook import Webhook, build_app

LINE = ("--line", "product=card,price=99.90", "--posted-on", POSTED_ON)
WHO = ("--actor", "maria", "--reason", "asked on the phone")


@pytest.fixture
async def visitor(
    database: Database, temporal_server: Client, gateway: StripeGateway
) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who follows links to the receiver."""
    webhook = Webhook(EventInbox(database, "stripe"), temporal_server, ("whsec_x",), ReceiverClock(gateway))
    transport = httpx.ASGITransport(app=build_app(webhook))
    async with httpx.AsyncClient(transport=transport, base_url="http://duly") as client:
        yield client


async def test_a_link_leads_to_the_file_until_it_ends_and_its_end_is_kept_nowhere(
    cli: CommandLine, seller: Company, buyer: Callable[..., Awaitable[str]], visitor: httpx.AsyncClient
) -> None:
    invoice = await seller.create("invoice", await buyer(), *LINE)
    link = await cli.json("documents", "link", invoice["number"], *WHO)
    path = httpx.URL(link["url"]).path
    shown = await cli.json("documents", "show", invoice["number"])

    first, again = await visitor.get(path), await visitor.get(path)
    wrong = await visitor.get(path[:-1] + ("a" if path[-1] != "a" else "b"))
    odd = await visitor.get("/documents/x")
    kept = await seller.value("select string_agg(l::text, '') from duly.document_links l")
    other = await cli.json("documents", "link", invoice["number"], *WHO)

    assert first.status_code == again.status_code == 200
    assert (first.content[:5], first.headers["content-type"]) == (b"%PDF-", "application/pdf")
    assert len(first.content) == shown["files"][0]["bytes"]
    assert f"{invoice['number']}.pdf" in first.headers["content-disposition"]
    assert (first.headers["cache-control"], first.headers["referrer-policy"]) == ("no-store", "no-referrer")
    assert path.rpartition("/")[2] not in kept
    assert other["url"] != link["url"]
    assert [one.status_code for one in (wrong, odd)] == [404, 404]


async def test_a_link_that_is_over_answers_as_one_that_never_was(
    cli: CommandLine,
    seller: Company,
    buyer: Callable[..., Awaitable[str]],
    visitor: httpx.AsyncClient,
    database: Database,
) -> None:
    invoice = await seller.create("invoice", await buyer(), *LINE)
    draft = await seller.create("invoice", "cust", *LINE[:2], "--draft")
    link = await cli.json("documents", "link", invoice["number"], "--days", "1", *WHO)
    file = await seller.value("select id from duly.document_files")
    ended = "a" * 43

    await database.call("note_document_link", file_id=file, token_hash=hash_of(ended), days=0)

    over, never = await visitor.get(f"/documents/{ended}"), await visitor.get(f"/documents/{'b' * 43}")
    refused = await cli("documents", "link", draft["id"], *WHO, "--json")

    assert (over.status_code, over.text) == (never.status_code, never.text)
    assert over.status_code == 404
    assert link["expires_at"] > "2026"
    assert refused.rules == [("transaction", "document_posted")]
