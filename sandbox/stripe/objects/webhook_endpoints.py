"""Webhook endpoints: addresses to which events go, registered over the API."""

import secrets
from urllib.parse import urlsplit

from stripe import WebhookEndpoint

from sandbox.stripe.account_state import World, merge_metadata
from sandbox.stripe.errors import invalid_parameter
from sandbox.stripe.fields import blank
from sandbox.stripe.jsontypes import Json

MAX = 16


def create(world: World, params: Json) -> Json:
    """A new endpoint; its signing secret is in this answer and in no other."""
    _check_url(params["url"])
    if len(world.webhook_endpoints) >= MAX:
        raise invalid_parameter(f"You have reached the maximum of {MAX} test webhook endpoints.", "url")
    endpoint = world.webhook_endpoints.insert(
        blank(WebhookEndpoint)
        | {
            "id": world.ids.new("we"),
            "api_version": params.get("api_version"),
            "created": world.clock.now(),
            "description": params.get("description"),
            "enabled_events": list(params["enabled_events"]),
            "metadata": merge_metadata({}, params.get("metadata") or {}),
            "status": "enabled",
            "url": params["url"],
        }
    )
    endpoint.pop("secret", None)
    world.endpoint_secrets[endpoint["id"]] = f"whsec_{secrets.token_hex(16)}"
    return endpoint | {"secret": world.endpoint_secrets[endpoint["id"]]}


def update(world: World, params: Json, id: str) -> Json:
    """Changes where events go, or which."""
    endpoint = world.webhook_endpoints.get(id)
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


def delete(world: World, _params: Json, id: str) -> Json:
    """Forgets the endpoint."""
    world.webhook_endpoints.get(id)
    world.webhook_endpoints.remove(id)
    world.endpoint_secrets.pop(id, None)
    return {"id": id, "object": "webhook_endpoint", "deleted": True}


def _check_url(url: str) -> None:
    if urlsplit(url).scheme not in {"http", "https"}:
        raise invalid_parameter(
            "Invalid URL: An explicit scheme (such as https) must be provided.", "url", "url_invalid"
        )
