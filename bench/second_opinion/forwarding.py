"""What Duly's calls say that localstripe cannot read, and the one filter that it lacks. Nothing is answered here."""

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import aiohttp
import orjson

from bench.second_opinion.idempotency import Call, CallAnswer

INTENTS, CHARGES = "/v1/payment_intents", "/v1/charges"

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
        """Pass a call on and return the answer as it is; a customer's intents are looked up by their charges."""
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
        """List the customer's charges, which localstripe can, and retrieve the payment intent of each."""
        expanded = tuple(
            (name, value.removeprefix("data.")) for name, value in call.parameters if name.startswith("expand[")
        )
        found: dict[str, Any] = {}
        after: tuple[tuple[str, str], ...] = ()
        while True:
            wanted = (("customer", call.value("customer")), ("limit", str(PAGE)), *after)
            page = await self._pass_on(replace(call, path=CHARGES, parameters=wanted))
            if page.status >= 300:
                return page
            listed = orjson.loads(page.body)
            for id_ in (each["payment_intent"] for each in listed["data"] if each["payment_intent"] not in found):
                intent = await self._pass_on(replace(call, path=f"{INTENTS}/{id_}", parameters=expanded))
                found[id_] = orjson.loads(intent.body)
            if not listed["has_more"]:
                listed |= {"url": INTENTS, "data": list(found.values())}
                return replace(page, body=orjson.dumps(listed))
            after = (("starting_after", listed["data"][-1]["id"]),)
