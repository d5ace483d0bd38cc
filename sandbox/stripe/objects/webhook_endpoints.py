"""Webhook endpoints: addresses to which events go, registered over the API."""

import secrets
from urllib.parse import urlsplit

from stripe import WebhookEndpoint

from sandbox.stripe.api.errors import invalid_parameter
from sandbox.stripe.api.fields import blank
from sandbox.stripe.jsontypes import Json
from sandbox.stripe.state.account_state import AccountState, merge_metadata
from sandbox.stripe.state.ids import APPLICATION

MAX = 16


def create(state: AccountState, params: Json) -> Json:
    """A new endpoint; its signing secret is in this answer and in no other."""
    _check_url(params["url"])
    if len(state.webhook_endpoints) >= MAX:
        raise invalid_parameter(f"You have reached the maximum of {MAX} test webhook endpoints.", "url")
    endpoint = state.webhook_endpoints.insert(
        blank(WebhookEndpoint)
        | {
            "id": state.ids.new("we"),
            "api_version": params.get("api_version"),
            # Only this tells afterwards that it was made for the events of connected accounts.
            "application": APPLICATION if params.get("connect") else None,
            "created": state.clock.now(),
            "description": params.get("description"),
            "enabled_events": list(params["enabled_events"]),
            "metadata": merge_metadata({}, params.get("metadata") or {}),
            "status": "enabled",
            "url": params["url"],
        }
    )
    endpoint.pop("secret", None)
    state.endpoint_secrets[endpoint["id"]] = f"whsec_{secrets.token_hex(16)}"
    return endpoint | {"secret": state.endpoint_secrets[endpoint["id"]]}


def update(state: AccountState, params: Json, id: str) -> Json:
    """Changes where events go, or which."""
    endpoint = state.webhook_endpoints.get(id)
    if "url" in params:
        _check_url(params["url"])
    endpoint |= {name: params[name] for name in ("url", "description") if name in params}
    if "enabled_events" in params:
        endpoint["enabled_events"] = list(params["enabled_events"])
    if "disabled" in params:
        endpoint["status"] = "disabled" if params["disabled"] else "enabled"
    if "metadata" in params:
        endpoint["metadata"] = merge_metadata(endpoint["metadata"], params["metadata"])
    return endpoint


def delete(state: AccountState, _params: Json, id: str) -> Json:
    """Forgets the endpoint."""
    state.webhook_endpoints.get(id)
    state.webhook_endpoints.remove(id)
    state.endpoint_secrets.pop(id, None)
    return {"id": id, "object": "webhook_endpoint", "deleted": True}


def _check_url(url: str) -> None:
    if urlsplit(url).scheme not in {"http", "https"}:
        raise invalid_parameter(
            "Invalid URL: An explicit scheme (such as https) must be provided.", "url", "url_invalid"
        )
