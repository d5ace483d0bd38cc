"""What Duly's calls say that localstripe cannot read, and the one filter that it lacks. Nothing is answered here."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import aiohttp
import orjson

from bench.second_opinion.idempotency import Call, CallAnswer

INTENTS = "/v1/payment_intents"

# Parameters that localstripe refuses as unexpected: it moves the same money without them.
_UNREAD = {
    ("POST", INTENTS): ("automatic_payment_methods[enabled]", "automatic_payment_methods[allow_redirects]"),
    ("POST", "/v1/refunds"): ("reason",),
}
# No refund fails there, and a field that its objects do not have cannot be expanded.
_NEVER_THERE = frozenset({"failure_balance_transaction", "data.failure_balance_transaction"})
# Headers that are localstripe's own; the others are about this one connection.
_PASSED_ON = ("Content-Type", "Date")
PAGE = 100


def readable(call: Call) -> Call:
    """Return the call without what localstripe cannot read."""
    unread = _UNREAD.get((call.method, call.path), ())
    parameters = tuple(
        (name, value)
        for name, value in call.parameters
        if name not in unread and not (name.startswith("expand[") and value in _NEVER_THERE)
    )
    return replace(call, parameters=parameters)


class LocalstripeClient:
    """Asks localstripe."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url

    async def send(self, call: Call) -> CallAnswer:
        """Pass a call on and return the answer as it is; a list by customer is picked out of the whole one."""
        asked = readable(call)
        if not asked.is_write and asked.path == INTENTS and asked.value("customer"):
            return await self._intents_of(asked)
        return await self._pass_on(asked)

    async def _pass_on(self, call: Call) -> CallAnswer:
        text = urlencode(call.parameters)
        url = self._url + call.path
        headers = {"Authorization": call.authorization}
        if call.is_write:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        elif text:
            url = f"{url}?{text}"
        async with self._session.request(
            call.method, url, data=text.encode() if call.is_write else None, headers=headers
        ) as answer:
            passed_on = {name: answer.headers[name] for name in _PASSED_ON if name in answer.headers}
            return CallAnswer(answer.status, await answer.read(), passed_on)

    async def _intents_of(self, call: Call) -> CallAnswer:
        """Read the whole list, page by page, and keep what is the customer's."""
        expanded = tuple((name, value) for name, value in call.parameters if name.startswith("expand["))
        found: list[dict[str, Any]] = []
        after = ""
        while True:
            cursor = (("starting_after", after),) if after else ()
            page = await self._pass_on(replace(call, parameters=(("limit", str(PAGE)), *cursor, *expanded)))
            if page.status >= 300:
                return page
            listed = orjson.loads(page.body)
            found += _of_customer(listed["data"], call.value("customer"))
            if not listed["has_more"]:
                return replace(page, body=orjson.dumps({**listed, "data": found}))
            after = listed["data"][-1]["id"]


def _of_customer(intents: list[dict[str, Any]], customer: str) -> Iterator[dict[str, Any]]:
    return (intent for intent in intents if intent["customer"] == customer)
