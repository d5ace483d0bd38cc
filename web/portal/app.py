"""The web application of the portal: which address leads to which page, and what becomes of errors."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from activities.database import DatabaseUnavailableError, RuleBrokenError, SchemaMismatchError
from activities.events.link_limits import BoundedLinks
from models.problem import RefusedError
from web.assets import Assets
from web.portal import bills, details, mail, paying, views, wallet
from web.portal.context import Portal, PortalVisit, reader_before
from web.portal.sign_in import (
    PortalForm,
    ask_page,
    entering,
    entry_page,
    link_request,
    of_session,
    sent,
    sign_out,
    visit_of,
)
from web.security import FailurePage, SecurityHeaders
from web.serving import alive, readiness

# No page has a script at all.
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; form-action 'self';"
    " frame-ancestors 'none'; base-uri 'none'"
)
_PAGES = {
    "/": views.show_overview,
    "/documents": views.show_documents,
    "/documents/{id}": views.show_document,
    "/documents/{id}/file/{format}": views.give_file,
    "/bills": bills.show_bills,
    "/bills/{id}": bills.show_bill,
    "/bills/{id}/file/{format}": bills.give_bill,
    "/payments": views.show_payments,
    "/subscriptions": views.show_subscriptions,
    "/cards": paying.show_cards,
    "/cards/{id}/remove": paying.show_removal,
    "/wallet": wallet.show_wallet,
    "/details": details.show_details,
}
_FORMS = {
    "/documents/{id}/pay": paying.pay_document,
    "/bills/{id}/pay": bills.pay_bill,
    "/pay": paying.pay_all,
    "/cards/add": paying.add_card,
    "/cards/{id}/replace": paying.replace_card,
    "/cards/{id}/remove": paying.remove_card,
    "/cards/{id}/default": paying.set_default,
    "/wallet/voucher": wallet.redeem_voucher,
    "/wallet/top-up": wallet.switch_top_up,
    "/details": details.edit_account,
    "/details/address": details.edit_address,
    "/details/mail": mail.choose,
    "/sign-out": sign_out,
}

# What nobody does for an account that has ended.
_WHILE_OPEN = frozenset(
    {
        *("/documents/{id}/pay", "/bills/{id}/pay", "/pay"),
        *("/cards/add", "/cards/{id}/replace", "/cards/{id}/default"),
        *("/wallet/voucher", "/wallet/top-up"),
    }
)


def build_portal(portal: Portal, assets: Assets, counts: Any) -> Starlette:
    """Make the web application; `counts` takes how many requests were refused because too much was asked for."""

    gated = BoundedLinks(counts).gated
    routes = [
        Route("/assets/{hash}/{name}", assets.serve),
        Route("/health", alive),
        Route("/ready", readiness(partial(portal.access.of_session, ""))),
        Route("/sign-in", gated(ask_page(portal)), methods=["GET"]),
        Route("/sign-in", gated(link_request(portal)), methods=["POST"]),
        Route("/enter/{token}", gated(entry_page(portal)), methods=["GET"]),
        Route("/enter/{token}", gated(entering(portal)), methods=["POST"]),
        Route("/mail/{token}", gated(mail.choice_page(portal)), methods=["GET"]),
        Route("/mail/{token}", gated(mail.choosing(portal)), methods=["POST"]),
        *(Route(path, gated(of_session(portal, page)), methods=["GET"]) for path, page in _PAGES.items()),
        *(Route(path, gated(sent(portal, _form(path))), methods=["POST"]) for path in _FORMS),
    ]
    headers = Middleware(
        SecurityHeaders, is_encrypted=portal.settings.is_portal_encrypted, policy=_POLICY, referrer="no-referrer"
    )
    failed = Middleware(FailurePage, page=partial(_failed, portal))
    app = Starlette(routes=routes, middleware=[headers, failed], exception_handlers=_answers_to_errors(portal))
    # It would lead to whatever host the request names.
    app.router.redirect_slashes = False
    return app


def _form(path: str) -> PortalForm:
    form = _FORMS[path]

    async def while_open(visit: PortalVisit, given: FormData) -> Response:
        return visit.message("account_over", 409) if visit.customer.is_ended else await form(visit, given)

    return while_open if path in _WHILE_OPEN else form


def _failed(portal: Portal, request: Request) -> Response:
    """Answer what nobody has foreseen: it is in the log of the process."""
    return portal.message(reader_before(request), "away" if request.method == "GET" else "unsure", 500)


def _answers_to_errors(portal: Portal) -> dict[Any, Callable[[Request, Exception], Awaitable[Response]]]:
    async def say(request: Request, key: str, status: int) -> Response:
        # In the language of the account, and with the way on, wherever somebody is signed in.
        with suppress(DatabaseUnavailableError, SchemaMismatchError):
            if visit := await visit_of(portal, request):
                return visit.message(key, status)
        return portal.message(reader_before(request), key, status)

    def saying(key: str, status: int) -> Callable[[Request, Exception], Awaitable[Response]]:
        async def answer(request: Request, _error: Exception) -> Response:
            return await say(request, key, status)

        return answer

    async def away(request: Request, _error: Exception) -> Response:
        # Of a form that was sent nobody can say it: the answer to its commit may be what was lost.
        return portal.message(reader_before(request), "away" if request.method == "GET" else "unsure", 503)

    async def refused(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        key = {404: "no_such_page", 403: "open_again", 409: "open_again", 429: "too_often"}.get(status, "not_done")
        return await say(request, key, status)

    return {
        HTTPException: refused,
        RefusedError: saying("not_done", 409),
        RuleBrokenError: saying("not_done", 409),
        DatabaseUnavailableError: away,
        SchemaMismatchError: away,
    }
