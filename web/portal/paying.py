"""Paying and saving cards: each on a page of the gateway's, which the product's own processes open."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from activities.ledger.account_queries import AccountQueries
from commands.cards.cards import CardOptions, register, send_update
from commands.options import ANSWER_SECONDS
from commands.output import Failure, Output
from commands.payments.payment_requests import RequestOptions, create
from commands.runner import translated
from commands.session import read_settings, temporal_for_orders
from commands.updates import NOTHING_GIVEN, ask
from models.operator_command import OperatorCommand
from models.printable import is_one_line
from models.workflow_ids import card_id, collection_id, payment_request_id
from web.portal.acting import ACTOR, WHY, AnsweredDocument, carried_out, is_unknown, key_of, unknown
from web.portal.context import PortalVisit
from web.portal.limits import CHANGES, GATEWAY_PAGES
from web.portal.views import document_id, free_of, show_document, show_overview

_CONFLICT = 409


async def show_cards(visit: PortalVisit) -> Response:
    """Show the cards, and what may be done with each."""
    return visit.page("cards.html", cards=await visit.queries.cards(), key=visit.key)


async def show_removal(visit: PortalVisit) -> Response:
    """Ask before a card is taken away."""
    card = await _mine(visit)
    return visit.page("remove_card.html", card=card) if card else RedirectResponse("/cards", 303)


async def add_card(visit: PortalVisit, form: FormData) -> Response:
    """Open the page on which another card is saved."""
    return await _register(visit, form)


async def replace_card(visit: PortalVisit, form: FormData) -> Response:
    """Open the page on which a card is saved that takes the place of one."""
    card = await _mine(visit)
    return await _register(visit, form, card) if card else await _gone(visit)


async def remove_card(visit: PortalVisit, _form: FormData) -> Response:
    """Take a card away, here and at the gateway; one that is gone already is as it is wanted."""
    card = await _mine(visit)
    return await _command(visit, card, "remove") if card else RedirectResponse("/cards?done=yes", 303)


async def set_default(visit: PortalVisit, _form: FormData) -> Response:
    """Let a card be charged first."""
    card = await _mine(visit)
    return await _command(visit, card, "set_default") if card else await _gone(visit)


async def pay_document(visit: PortalVisit, form: FormData) -> Response:
    """Open the page on which one invoice is paid."""
    found = await visit.queries.document(document_id(visit))
    if found is None or found.classification != "invoice":
        raise HTTPException(404)
    key = key_of(form, visit.customer.account_id)
    if not found.unsettled_minor:
        # It was paid since the page was opened, perhaps by this form.
        shown = await show_document(replace(visit, notice="paid_already"))
        shown.status_code = _CONFLICT
        return shown
    return await pay_invoices(visit, key, [found.id], found.number) or await unknown(visit, show_document, form)


async def pay_all(visit: PortalVisit, form: FormData) -> Response:
    """Open one page on which every open invoice that nobody asks for yet is paid."""
    unsettled = await AccountQueries(visit.portal.reading).unsettled(visit.customer.account_id)
    key = key_of(form, visit.customer.account_id)
    # Sent twice, they are asked for by the first: then its page is opened again.
    claimed = await visit.queries.claimed()
    ours = [row.invoice_id for row in claimed if row.request_id == f"portal-{key}"]
    wanted = ours or [row.transaction_id for row in free_of(unsettled, claimed) or unsettled]
    if not wanted:
        return visit.message("not_payable", _CONFLICT)
    title = visit.reader.text("open_invoices")
    return await pay_invoices(visit, key, wanted, title) or await unknown(visit, show_overview, form)


async def pay_invoices(visit: PortalVisit, key: str, invoices: Sequence[str], title: str) -> Response | None:
    """Open the page of whoever asks for the invoice already, or ask for it by a request of the customer's own.

    None when nobody can say whether it is asked for.
    """
    visit.require(GATEWAY_PAGES, "gateway pages")
    try:
        if not (workflow := await _claiming(visit, invoices)):
            try:
                workflow = payment_request_id(await _request(visit, f"portal-{key}", invoices, title))
            except Failure:
                # Another tab was first: both lead to one page.
                if not (workflow := await _claiming(visit, invoices)):
                    raise
        return _leave(visit, await _page_of(workflow))
    except Failure as failure:
        return None if is_unknown(failure) else visit.message("not_payable", _CONFLICT)


async def _claiming(visit: PortalVisit, invoices: Sequence[str]) -> str:
    """Return which process asks for an invoice already; "" for none."""
    claimed = next((row for row in await visit.queries.claimed() if row.invoice_id in invoices), None)
    if claimed is None:
        return ""
    if claimed.request_id is None:
        return collection_id(visit.customer.account_id, claimed.period)
    return payment_request_id(claimed.request_id)


async def _request(visit: PortalVisit, id: str, invoices: Sequence[str], title: str) -> str:
    provider, _ = await _way(visit)
    wanted = RequestOptions(
        id=id,
        account=visit.customer.account_id,
        provider=provider,
        title=title,
        description="",
        amount="",
        invoices=tuple(invoices),
        # So that a page that nobody pays keeps the invoice from its run no longer than it must.
        valid_days=1,
        is_mailed=False,
        sender_email="",
        sender=ACTOR,
        reason=WHY,
    )

    async def made(output: Output) -> None:
        await create(output, wanted, wait_seconds=ANSWER_SECONDS)

    await carried_out("payment-requests create", visit.customer.account_id, made)
    return id


async def _register(visit: PortalVisit, form: FormData, replaced: Any = None) -> Response:
    new = f"card_{key_of(form, visit.customer.account_id)}"
    visit.require(GATEWAY_PAGES, "gateway pages")
    provider, method = (replaced.provider_id, replaced.method) if replaced else await _way(visit)
    options = CardOptions(
        token="",
        card=new,
        provider=provider,
        method=method,
        is_recurring=True,
        order=replaced.fallback_order if replaced else min(100, 1 + await _last_place(visit)),
        is_preferred=False,
        replaces=replaced.id if replaced else "",
        wait_seconds=ANSWER_SECONDS,
    )

    async def registered(output: Output) -> None:
        await register(output, visit.customer.account_id, options)

    try:
        answered = await carried_out("cards register", visit.customer.account_id, registered)
        return _leave(visit, answered["first_outcome"]["url"])
    except Failure as failure:
        if not any(problem.rule == "card_id_is_free" for problem in failure.problems):
            return await _no_page(visit, form, failure)
    try:
        # The form was sent twice: there is one card, and its page is open.
        return _leave(visit, await _page_of(card_id(new)))
    except Failure as failure:
        return await _no_page(visit, form, failure)


async def _no_page(visit: PortalVisit, form: FormData, failure: Failure) -> Response:
    return await unknown(visit, show_cards, form) if is_unknown(failure) else visit.message("no_page", _CONFLICT)


async def _page_of(workflow_id: str) -> str:
    """Return the address of the page on which a process waits for its customer. Raises Failure: there is none now."""
    output = AnsweredDocument()

    async def asked() -> None:
        client = await temporal_for_orders(read_settings())
        output.answer({"url": await ask(client, workflow_id, "open_page", NOTHING_GIVEN, str, noun="page")})

    await translated(asked())
    return str(output.document["url"])


def _leave(visit: PortalVisit, url: str) -> Response:
    """Lead to the gateway's page by a page of ours: a form may not be sent on to another site."""
    return visit.page("leaving.html", url=url) if url else visit.message("no_page", _CONFLICT)


async def _command(visit: PortalVisit, card: Any, update: str) -> Response:
    visit.require(CHANGES, "changes")

    async def asked(output: Output) -> None:
        await send_update(output, card.id, update, OperatorCommand(ACTOR, WHY))

    try:
        await carried_out(f"cards {update.replace('_', '-')}", card.id, asked)
    except Failure as failure:
        return await unknown(visit, show_cards) if is_unknown(failure) else visit.message("not_done", _CONFLICT)
    return RedirectResponse("/cards?done=yes", 303)


async def _mine(visit: PortalVisit) -> Any:
    """Return the card of an address; None for one that was the account's, and is not in use any more.

    Raises HTTPException (404): the account never had one such.
    """
    id = visit.request.path_params["id"]
    found = next((card for card in await visit.queries.cards() if card.id == id), None)
    if found is None and not (is_one_line(id) and await visit.queries.had_card(id)):
        raise HTTPException(404)
    return found


async def _gone(visit: PortalVisit) -> Response:
    """Say that a card was removed or replaced meanwhile, in another tab or by whoever invoices."""
    shown = await show_cards(replace(visit, notice="card_gone"))
    shown.status_code = _CONFLICT
    return shown


async def _way(visit: PortalVisit) -> tuple[str, str]:
    """Return the provider and method of what the account pays by: its first card, its preference, or ours."""
    cards = await visit.queries.cards()
    found = cards[0] if cards else await visit.queries.provider_of_preference()
    return (found.provider_id, found.method) if found else (visit.portal.settings.provider, "card")


async def _last_place(visit: PortalVisit) -> int:
    return max((card.fallback_order for card in await visit.queries.cards()), default=0)
