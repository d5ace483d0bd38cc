"""Checkout, the 3-D Secure challenge and onboarding: show a form, take its answer, send the customer on."""

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

from jinja2 import Environment, FileSystemLoader, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from sandbox.stripe import money
from sandbox.stripe.api.errors import ApiError, invalid_request
from sandbox.stripe.bank_accounts import TEST_BANK_ACCOUNTS, TestBankAccount
from sandbox.stripe.cards import TEST_CARDS
from sandbox.stripe.core import Sandbox
from sandbox.stripe.jsontypes import Json
from sandbox.stripe.objects import accounts, checkout_sessions
from sandbox.stripe.objects.payments import challenges
from sandbox.stripe.state.account_state import AccountState

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=select_autoescape(default=True)
)
Page = Callable[[Sandbox, Request], Awaitable[Response]]


def _page(template: str, status: int = 200, **values: object) -> Response:
    return HTMLResponse(_TEMPLATES.get_template(template).render(**values), status)


def _see(url: str) -> Response:
    return RedirectResponse(url, 303)


async def _field(request: Request, name: str) -> str:
    """A field of the posted form; there are no uploads, so the body is a query string."""
    fields = parse_qs((await request.body()).decode())
    values = fields.get(name)
    if not values:
        raise invalid_request(f"The form has no {name}.", param=name)
    return values[0]


def _world_with(sandbox: Sandbox, table: str, id: str) -> AccountState:
    """The account that the page belongs to: a page's address is all that its customer has."""
    owners = (state for state in sandbox.account_states() if state.table(table).find(id) is not None)
    return next(owners, sandbox.platform)


async def checkout(sandbox: Sandbox, request: Request) -> Response:
    """The customer chooses a card; a decline is shown on the page and another may be tried."""
    id = request.path_params["id"]
    state = _world_with(sandbox, "checkout_sessions", id)
    session = state.checkout_sessions.get(id)
    if session["status"] != "open":
        return _page("message.html", 410, title="This page is closed", text=f"The session is {session['status']}.")
    if request.method == "GET":
        return _checkout_form(state, session)
    name = await _field(request, "card")
    if name not in TEST_CARDS and name not in _accounts_on(session):
        return _checkout_form(state, session, error="Choose one of the test cards, or another method that is offered.")
    try:
        intent = checkout_sessions.submit(state, id, name)
    except ApiError as refused:
        return _checkout_form(state, session, error=str(refused))
    action = intent["next_action"]
    return _see(action["redirect_to_url"]["url"] if action else f"/pages/checkout/{id}/return")


def _accounts_on(session: Json) -> dict[str, TestBankAccount]:
    """The bank accounts that a page takes."""
    types = session["payment_method_types"]
    return {name: account for name, account in TEST_BANK_ACCOUNTS.items() if account.type in types}


def _checkout_form(state: AccountState, session: Json, error: str | None = None) -> Response:
    total = money.shown(session["amount_total"], session["currency"]) if session["mode"] == "payment" else None
    items = state.line_items.get(session["id"], [])
    return _page(
        "checkout.html",
        402 if error else 200,
        session=session,
        brand=session.get("branding_settings"),
        cards=TEST_CARDS if "card" in session["payment_method_types"] else {},
        accounts=_accounts_on(session),
        total=total,
        items=items,
        error=error,
    )


async def checkout_return(sandbox: Sandbox, request: Request) -> Response:
    """Sends the customer where the session says: on when it is complete, back to the form when it is not."""
    id = request.path_params["id"]
    state = _world_with(sandbox, "checkout_sessions", id)
    session = state.checkout_sessions.get(id)
    if session["status"] == "complete":
        target = session["success_url"] or session["return_url"]
        return _see(target.replace("{CHECKOUT_SESSION_ID}", id))
    return _checkout_form(state, session, error="Your card was not accepted. Please choose another one.")


async def challenge(sandbox: Sandbox, request: Request) -> Response:
    """The bank asks whether it is really the cardholder."""
    id = request.path_params["id"]
    table = "setup_intents" if id.startswith("seti_") else "payment_intents"
    state = _world_with(sandbox, table, id)
    intent = challenges.intent_of(state, id)
    if intent["status"] != "requires_action":
        return _page("message.html", 410, title="Nothing to confirm", text=f"This is {intent['status']} already.")
    if request.method == "GET":
        amount = money.shown(intent["amount"], intent["currency"]) if "amount" in intent else None
        return _page("challenge.html", intent=intent, amount=amount)
    return_url = (intent["next_action"].get("redirect_to_url") or {}).get("return_url")
    passed = await _field(request, "result") == "pass"
    challenges.answer(state, id, passed=passed)
    if return_url is None:
        return _page("message.html", title="Thank you", text="You can close this page.")
    noun = "setup_intent" if id.startswith("seti_") else "payment_intent"
    return _see(_with_query(return_url, {noun: id, "redirect_status": "succeeded" if passed else "failed"}))


def _with_query(url: str, query: dict[str, str]) -> str:
    parts = urlsplit(url)
    joined = "&".join(filter(None, (parts.query, urlencode(query))))
    return urlunsplit(parts._replace(query=joined))


async def onboarding(sandbox: Sandbox, request: Request) -> Response:
    """The owner of a connected account tells what Stripe wants to know; the page works once."""
    token = request.path_params["id"]
    state = sandbox.platform
    link = state.links.get(token)
    if link is None:
        return _page("message.html", 404, title="No such page", text="Ask for a new link.")
    if "used" in link or link["expires_at"] <= state.clock.now():
        return _see(link["refresh_url"]) if link["refresh_url"] else _page("message.html", 410, title="Expired")
    account = state.accounts.get(link["account"])
    if request.method == "GET":
        return _page("onboarding.html", account=account)
    link["used"] = True
    if await _field(request, "result") == "complete":
        accounts.onboard(state, account)
    return _see(link["return_url"]) if link["return_url"] else _page("message.html", title="Thank you")


async def _serve(sandbox: Sandbox, page: Page, request: Request) -> Response:
    sandbox.clock.run_due()
    try:
        return await page(sandbox, request)
    except ApiError as refused:
        return _page("message.html", refused.status, title="Something is wrong", text=str(refused))


def routes(sandbox: Sandbox) -> list[Route]:
    """The pages, bound to the sandbox."""
    pages: tuple[tuple[str, Page, list[str]], ...] = (
        ("checkout/{id}", checkout, ["GET", "POST"]),
        ("checkout/{id}/return", checkout_return, ["GET"]),
        ("challenge/{id}", challenge, ["GET", "POST"]),
        ("onboarding/{id}", onboarding, ["GET", "POST"]),
    )
    return [Route(f"/pages/{path}", partial(_serve, sandbox, page), methods=methods) for path, page, methods in pages]
