"""The web application of the console: which address leads to which page, and what becomes of errors."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from activities.database import DatabaseUnavailableError, RuleBrokenError, SchemaMismatchError
from models.console.roles import Permission
from models.problem import RefusedError
from web.actions.forms import ACTIONS, form_again, send_form, show_form
from web.actions.of_messages import MESSAGE, MESSAGE_ABOUT
from web.actions.sent import show_sent
from web.assets import Assets
from web.bank.files import show_debit_file, show_refund_file
from web.bank.pages import preview_bank_file, send_bank_file, show_bank_files
from web.bank.uploads import BANK_FILE
from web.bank.writing import (
    WITH_PAYEES,
    draft_refunds,
    make_debit_batch,
    show_batch_form,
    show_debit_file_form,
    show_draft_form,
    show_refund_file_form,
    write_debit_file,
    write_refund_file,
)
from web.bills.pages import give_bill, show_bill
from web.context import Web
from web.identity_provider import CALLBACK, IdentityProvider
from web.ledger.transaction import show_transaction, transaction_more
from web.many.followed import close_many, export_sent_many, go_on, show_sent_many
from web.many.pages import CHOSEN, choose_many, preview_many, send_many
from web.merchants.pages import merchant_more, show_merchant
from web.merchants.providers import show_provider
from web.messages.segments import export_members, segment_members, segment_totals, show_segment
from web.messages.sending import segment_subject, send_message, show_message_form, transaction_subject
from web.passkey_pages import beginning, completing, register, registering, remove, show_passkeys
from web.provider_sign_in import coming_back, leaving
from web.rendering import LocalMoments
from web.reports.home_charts import home_chart
from web.reports.pages import export_report, show_report, show_reports
from web.runs.progress import run_now
from web.runs.refund_runs import refund_run_now, show_refund_run
from web.saved.pages import change_views, show_views
from web.security import TEXTS, FailurePage, SecurityHeaders
from web.serving import alive, readiness
from web.sign_in import Page, sent_form, sign_in_page, sign_out, signed_in, signing_in
from web.unsent.forms import unsure_page
from web.views.account import account_about, account_money, account_now, account_ways, show_account
from web.views.home import home, money_today
from web.views.listing import ListOfNoun, export_list, show_list
from web.views.money_objects import show_gateway_request, show_payment, show_refund
from web.views.process_objects import (
    show_collection,
    show_discrepancy,
    show_dispute,
    show_request,
    show_run,
)
from web.views.record_lists import LISTS
from web.views.record_objects import show_approval, show_event, show_message
from web.views.search import search
from web.views.timeline import account_timeline
from web.vouchers.pages import show_voucher

# What an open page asks for by itself.
_ASKED_AGAIN = (run_now, refund_run_now)
_WORDS: Mapping[int, str] = {
    403: "You may not do this",
    404: "There is no such page",
    405: "This page takes no such request",
    409: "This was refused",
    413: "This is too large",
    429: "Too much is asked for at once",
    503: "The database does not answer",
}
_UNSURE = "Nobody knows whether it was done: look at the object before it is asked for again."

# Ids of runs, collections and messages have slashes of their own.
OBJECTS: Mapping[str, Page] = {
    "/accounts/{id}": show_account,
    "/accounts/{id}/now": account_now,
    "/accounts/{id}/timeline": account_timeline,
    "/accounts/{id}/money": account_money,
    "/accounts/{id}/about": account_about,
    "/accounts/{id}/ways": account_ways,
    "/transactions/{id}": show_transaction,
    "/transactions/{id}/more": transaction_more,
    "/bills/{id}": show_bill,
    "/payments/{id:path}": show_payment,
    "/requests/{id:path}": show_gateway_request,
    "/refunds/{id:path}": show_refund,
    "/runs/{id:path}": show_run,
    "/runs-now/{id:path}": run_now,
    "/refund-runs/{id:path}": show_refund_run,
    "/refund-runs-now/{id:path}": refund_run_now,
    "/collections/{id:path}": show_collection,
    "/disputes/{id}": show_dispute,
    "/discrepancies/{id}": show_discrepancy,
    "/payment-requests/{id}": show_request,
    "/events/{id}": show_event,
    "/messages/{id:path}": show_message,
    "/approvals/{id}": show_approval,
    "/refund-files/{id}": show_refund_file,
    "/debit-files/{id}": show_debit_file,
    "/reports/{id}": show_report,
    "/vouchers/{id}": show_voucher,
    "/merchants/{id}": show_merchant,
    "/merchants/{id}/more": merchant_more,
    "/providers/{id}": show_provider,
    "/segments/{id}": show_segment,
    "/segments/{id}/totals": segment_totals,
    "/segments/{id}/members": segment_members,
}


def build_app(web: Web, assets: Assets) -> Starlette:
    """Make the web application."""

    routes = [
        Route("/assets/{hash}/{name}", assets.serve),
        Route("/health", alive),
        Route("/ready", readiness(partial(web.users.known, ""))),
        Route("/sign-in", sign_in_page(web), methods=["GET"]),
        Route("/sign-in", signing_in(web), methods=["POST"]),
        *_of_provider(web),
        *_of_passkeys(web),
        Route("/sign-out", sent_form(web, sign_out), methods=["POST"]),
        Route("/", signed_in(web, home)),
        Route("/home/money", signed_in(web, money_today)),
        Route("/home/{id}", signed_in(web, home_chart)),
        Route("/reports", signed_in(web, show_reports)),
        Route("/reports/{id}.{ending}", signed_in(web, export_report, Permission.EXPORT)),
        Route("/search", sent_form(web, search), methods=["POST"]),
        *(route for of in LISTS.values() for route in _of_list(web, of)),
        Route("/views/{noun}", signed_in(web, show_views), methods=["GET"]),
        Route("/views/{noun}", sent_form(web, change_views), methods=["POST"]),
        Route("/do/{noun}/{verb}/{id:path}", signed_in(web, show_form), methods=["GET"]),
        Route(
            "/do/{noun}/{verb}/{id:path}", sent_form(web, send_form, bounds=TEXTS, again=form_again), methods=["POST"]
        ),
        Route("/bank-files", signed_in(web, show_bank_files), methods=["GET"]),
        Route("/bank-files", sent_form(web, preview_bank_file, Permission.CORRECT, BANK_FILE), methods=["POST"]),
        Route("/bank-files/send", sent_form(web, send_bank_file, Permission.CORRECT, BANK_FILE), methods=["POST"]),
        *(*_of_messages(web), *_of_files_to_write(web), *_of_many(web)),
        Route("/sent/{key}", signed_in(web, partial(show_sent, ACTIONS))),
        Route("/bills/{id}/file/{format}", signed_in(web, give_bill)),
        *(Route(path, signed_in(web, page, is_used=page not in _ASKED_AGAIN)) for path, page in OBJECTS.items()),
    ]
    headers = Middleware(SecurityHeaders, is_encrypted=web.settings.is_console_encrypted)
    failed = Middleware(FailurePage, page=partial(_failed, web))
    local = Middleware(LocalMoments, zone=web.settings.console_time_zone)
    app = Starlette(routes=routes, middleware=[headers, local, failed], exception_handlers=_answers_to_errors(web))
    # It would lead to whatever host the request names.
    app.router.redirect_slashes = False
    return app


def _of_passkeys(web: Web) -> list[Route]:
    return [
        Route("/sign-in/passkey/options", beginning(web), methods=["POST"]),
        Route("/sign-in/passkey", completing(web), methods=["POST"]),
        Route("/passkeys", signed_in(web, show_passkeys), methods=["GET"]),
        Route("/passkeys", sent_form(web, register), methods=["POST"]),
        Route("/passkeys/options", sent_form(web, registering), methods=["POST"]),
        Route("/passkeys/remove", sent_form(web, remove), methods=["POST"]),
    ]


def _answers_to_errors(web: Web) -> dict[Any, Callable[[Request, Exception], Awaitable[Response]]]:
    async def refused(_request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        why = error.detail if isinstance(error, HTTPException) and error.detail != HTTPStatus(status).phrase else ""
        return _problem(web, status, why)

    async def missing(_request: Request, error: Exception) -> Response:
        return _problem(web, 404, "; ".join(one.message for one in getattr(error, "problems", ())))

    async def broken(request: Request, error: Exception) -> Response:
        # An address with what no text holds is that of nothing.
        if request.method == "GET" and getattr(error, "type", "") == "value_is_storable":
            return _problem(web, 404, "")
        return _problem(web, 409, str(getattr(error, "message", "")))

    async def away(request: Request, _error: Exception) -> Response:
        if request.method == "GET":
            way = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return _problem(web, 503, "Nothing was changed. Try again in a minute.", again=way)
        # The answer to its commit may be what was lost. With a key of its own it is done once, however often it comes.
        if page := unsure_page(request):
            return HTMLResponse(web.pages.render("unsent/form.html", **page), 503)
        return _problem(web, 503, _UNSURE)

    return {
        HTTPException: refused,
        RefusedError: missing,
        RuleBrokenError: broken,
        DatabaseUnavailableError: away,
        SchemaMismatchError: away,
    }


def _of_provider(web: Web) -> Sequence[Route]:
    if not web.settings.console_oidc_issuer:
        return ()
    provider = IdentityProvider(web.settings)
    return (
        Route("/sign-in/provider", leaving(web, provider)),
        Route(CALLBACK, coming_back(web, provider)),
    )


def _of_messages(web: Web) -> Sequence[Route]:
    forms = {
        "/segments/{id}/message": (segment_subject, MESSAGE.permission),
        "/transactions/{id}/message": (transaction_subject, MESSAGE_ABOUT.permission),
    }
    return [
        Route("/segments/{id}/members.csv", signed_in(web, export_members, Permission.EXPORT)),
        *(
            Route(path, signed_in(web, partial(show_message_form, find), may), methods=["GET"])
            for path, (find, may) in forms.items()
        ),
        *(
            Route(path, sent_form(web, partial(send_message, find), may), methods=["POST"])
            for path, (find, may) in forms.items()
        ),
    ]


def _of_many(web: Web) -> list[Route]:
    return [
        Route("/many/{noun}", signed_in(web, preview_many), methods=["GET"]),
        Route("/many/{noun}", sent_form(web, choose_many, bounds=CHOSEN), methods=["POST"]),
        Route("/many/{noun}/send", sent_form(web, send_many, bounds=CHOSEN), methods=["POST"]),
        Route("/many/sent/{key}.csv", signed_in(web, export_sent_many)),
        Route("/many/sent/{key}", signed_in(web, show_sent_many), methods=["GET"]),
        Route("/many/sent/{key}", sent_form(web, go_on), methods=["POST"]),
        Route("/many/sent/{key}/close", sent_form(web, close_many), methods=["POST"]),
    ]


def _of_files_to_write(web: Web) -> Sequence[Route]:
    forms = {
        "/bank-files/refunds": (show_draft_form, draft_refunds),
        "/bank-files/debits": (show_batch_form, make_debit_batch),
        "/refund-files/{id}/file": (show_refund_file_form, write_refund_file),
        "/debit-files/{id}/file": (show_debit_file_form, write_debit_file),
    }
    may = Permission.CORRECT
    return [
        *(Route(path, signed_in(web, form, may), methods=["GET"]) for path, (form, _) in forms.items()),
        *(Route(path, sent_form(web, sent, may, WITH_PAYEES), methods=["POST"]) for path, (_, sent) in forms.items()),
    ]


def _of_list(web: Web, of: ListOfNoun) -> Sequence[Route]:
    return (
        Route(f"/{of.noun}", signed_in(web, partial(show_list, of), of.permission)),
        Route(f"/{of.noun}.csv", signed_in(web, partial(export_list, of), Permission.EXPORT)),
    )


def _failed(web: Web, request: Request) -> Response:
    """Answer what nobody has foreseen: it is in the log of the process."""
    why = "The log of the console has the error; nothing was changed."
    return _problem(web, 500, why if request.method == "GET" else f"The log of the console has the error. {_UNSURE}")


def _problem(web: Web, status: int, why: str, again: str = "") -> Response:
    page = web.pages.render("problem.html", title=_WORDS.get(status, "This did not work"), why=why, again=again)
    return HTMLResponse(page, status)
