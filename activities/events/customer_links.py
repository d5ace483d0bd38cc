"""From the links in messages to the pages on which their customers are waited for."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import TypeVar
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from temporalio.client import Client, RPCTimeoutOrCancelledError, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.service import RPCError, RPCStatusCode

from activities.events.attachments import attached_file
from activities.events.bounded_http import read_body
from activities.events.delivery import GATEWAY_EVENT
from activities.events.inbox import EventInbox
from activities.events.link_limits import BoundedLinks
from activities.events.merchant_pages import merchant_page
from activities.events.request_links import InvalidAmountError, LinkedRequest, chosen_amount, request_page
from activities.events.thanks_page import thanks_page
from models.gateway.gateway_request import HELD_CODES
from models.operator_command import OperatorCommand
from models.payments.payment_request import PageOrder
from models.workflow_ids import card_id as card_workflow_id
from models.workflow_ids import collection_id, merchant_connection_id, payment_request_id

# A form of ours is smaller by far.
FORM_BYTES_MAX = 4096

Found = TypeVar("Found")

# What our links end in is made of these; anything else leads nowhere, and is not looked up.
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,128}")

# Why no page opens however often its customer comes back, and what they read then.
_NO_PAGE_AT_ALL = frozenset({"gateway_customer_exists", "gateway_takes_it"})
_NO_PAGE_TEXT = "No page can be opened for this. Please ask whoever sent you the link for another way."

# The provider is stopped: nobody knows for how long, and a later visit finds the page. The second name is of 0.1.0.
_STOPPED = HELD_CODES | {"card_blocked", "provider_effective", "provider_is_effective"}
_STOPPED_TEXT = "Payments are not taken at the moment. Please come back later: the link stays good."

_UNDER_WAY = "A payment is under way. Please come back in a minute."

_NO_MERCHANT = "There is nothing to connect with this link any more."
_NOT_YET = "The account is being prepared. Please come back in a minute."

# A workflow that was stopped is resumed after an hour, by a comparison that is made every quarter of an hour.
_LATER_TEXT = "This is being looked into. Please come back in two hours."

# A customer waits in front of a browser: after this they are asked to come back.
PAGE_TIMEOUT = timedelta(seconds=20)
# An owner who comes back is shown what the gateway says by then, if it says so soon.
READ_TIMEOUT = timedelta(seconds=8)
# A signal is no more than a hint: the account is read again by itself.
SIGNAL_TIMEOUT = timedelta(seconds=5)


class CustomerLinks:
    """Leads customers from their links to pages of the gateway."""

    def __init__(self, inbox: EventInbox, client: Client, gate: BoundedLinks) -> None:
        self._inbox = inbox
        self._portal_url = ""
        self._client = client
        self._gate = gate

    def lead_back_to(self, portal_url: str) -> None:
        """Lead whoever comes back from the gateway's pages on to the portal at an address; "" for none."""
        self._portal_url = portal_url

    async def pay(self, request: Request) -> Response:
        """Take a customer from the link in a message to a page on which they can pay."""
        token = request.path_params["token"]
        is_token = _TOKEN.fullmatch(token) is not None
        if requested := await self._found(self._inbox.request_of_link, token) if is_token else None:
            if request.method != "POST" or not requested.is_payable:
                return request_page(requested, token)
            return await self._pay_request(request, requested)
        receivable = await self._found(self._inbox.receivable_of, token) if is_token else None
        if receivable is None:
            return PlainTextResponse("There is nothing to pay with this link any more.", status_code=404)
        return await self._lead_to_page(collection_id(*receivable), otherwise=_UNDER_WAY)

    async def _pay_request(self, request: Request, requested: LinkedRequest) -> Response:
        """Lead the payer of a request to its page, for the amount that they chose where it is theirs to choose."""
        body = await read_body(request, FORM_BYTES_MAX)
        if body is None:
            return Response(status_code=413, headers={"connection": "close"})
        typed = parse_qs(body.decode(errors="replace"), max_num_fields=10).get("amount", [""])[-1]
        try:
            order = PageOrder(chosen_amount(requested, typed), requested.payer)
        except InvalidAmountError:
            return request_page(requested, request.path_params["token"], refused=typed)
        return await self._lead_to_page(payment_request_id(requested.request_id), order, otherwise=_UNDER_WAY)

    async def file(self, request: Request) -> Response:
        """Give out a file of a payment request to whoever has its link."""
        async with self._gate.lookups:
            return await attached_file(
                self._inbox.database, request.path_params["token"], int(request.path_params["place"])
            )

    async def card(self, request: Request) -> Response:
        """Take a card's holder from the link in a message to the page on which they are waited for."""
        token = request.path_params["token"]
        card_id = await self._found(self._inbox.card_of, token) if _TOKEN.fullmatch(token) else None
        if card_id is None:
            return PlainTextResponse("There is nothing to confirm here any more.", status_code=404)
        return await self._lead_to_page(
            card_workflow_id(card_id), otherwise="Nothing needs to be done about this card now."
        )

    async def connect(self, request: Request) -> Response:
        """Show a merchant's owner where their connection stands; the button takes them to the gateway's pages."""
        token = request.path_params["token"]
        merchant = await self._found(self._inbox.merchant_of_link, token) if _TOKEN.fullmatch(token) else None
        if merchant is None:
            return PlainTextResponse(_NO_MERCHANT, status_code=404)
        if request.method != "POST" or not merchant.has_page:
            return merchant_page(merchant, token)
        return await self._lead_to_page(merchant_connection_id(merchant.merchant_id), otherwise=_NOT_YET)

    async def connected(self, request: Request) -> Response:
        """An owner comes back from the gateway's pages: what they did there is for the gateway to say."""
        token = request.path_params["token"]
        merchant = await self._found(self._inbox.merchant_of_link, token) if _TOKEN.fullmatch(token) else None
        if merchant is None:
            return PlainTextResponse(_NO_MERCHANT, status_code=404)
        await self._inbox.owner_returned(merchant.merchant_id)
        await self._read_again(self._client.get_workflow_handle(merchant_connection_id(merchant.merchant_id)))
        return RedirectResponse(f"/connect/{token}", status_code=303)

    async def _read_again(self, handle: WorkflowHandle[object, object]) -> None:
        """Let an account be read, so that its owner sees at once where it stands; a hint is enough where that fails."""
        try:
            async with asyncio.timeout(READ_TIMEOUT.total_seconds()):
                await handle.execute_update(
                    "check_now", OperatorCommand("owner", "came back"), result_type=str, rpc_timeout=READ_TIMEOUT
                )
        except (RPCError, RPCTimeoutOrCancelledError, TimeoutError, WorkflowUpdateFailedError):
            with suppress(RPCError):
                await handle.signal(GATEWAY_EVENT, rpc_timeout=SIGNAL_TIMEOUT)

    async def _found(self, find: Callable[[str], Awaitable[Found]], token: str) -> Found:
        async with self._gate.lookups:
            return await find(token)

    async def _lead_to_page(self, workflow_id: str, *given: PageOrder, otherwise: str) -> Response:
        """Ask a workflow where its customer must go, and send them there."""
        handle: WorkflowHandle[object, object] = self._client.get_workflow_handle(workflow_id)
        try:
            # The server ends a poll by itself, and the client begins the next: only this ends them all.
            async with asyncio.timeout(PAGE_TIMEOUT.total_seconds()):
                url = await handle.execute_update("open_page", args=given, result_type=str, rpc_timeout=PAGE_TIMEOUT)
        except WorkflowUpdateFailedError as error:
            rule = getattr(error.cause, "type", "")
            if rule in _NO_PAGE_AT_ALL:
                return PlainTextResponse(_NO_PAGE_TEXT, status_code=410)
            if rule in _STOPPED:
                return PlainTextResponse(_STOPPED_TEXT, status_code=503)
            return PlainTextResponse(otherwise, status_code=409)
        except (RPCError, RPCTimeoutOrCancelledError, TimeoutError) as error:
            # What somebody stopped goes on from its row, but not in a minute.
            is_gone = isinstance(error, RPCError) and error.status is RPCStatusCode.NOT_FOUND
            return PlainTextResponse(_LATER_TEXT if is_gone else "Please come back in a minute.", status_code=503)
        return RedirectResponse(url, status_code=303)

    async def saved(self, _request: Request) -> Response:
        """Thank a card's holder; whether the card is good is for the gateway to say."""
        return thanks_page("Your card is being checked.", self._portal_url, "/cards")

    async def paid(self, _request: Request) -> Response:
        """Thank a customer; whether they paid is for the gateway to say."""
        return thanks_page("You will receive a receipt by e-mail.", self._portal_url, "/")
