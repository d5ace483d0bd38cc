"""The page behind a merchant's link: where its connection stands, and a button to the gateway's own pages (P4 to P10).

A GET leads nowhere: what the gateway makes for an owner acts for them, so only the button's POST asks for it. Coming
back says that the owner has left the gateway's pages, and nothing about what they did there.
"""

from dataclasses import dataclass

from jinja2 import Environment, select_autoescape
from starlette.responses import HTMLResponse, Response

from activities.events.request_links import PRIVATE_HEADERS
from activities.messages.template_values import one_line
from models.merchants.account import ConnectionState, is_rejected

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ name }}: payments</title>
<style>body{font:16px/1.5 sans-serif;max-width:34rem;margin:3rem auto;padding:0 1rem}h1{font-size:1.4rem}
button{font:inherit;padding:.6rem 1.4rem}</style></head>
<body><h1>{{ name }}</h1>
<p>{{ text }}</p>
{% if missing %}<ul>{% for each in missing %}<li>{{ each }}</li>{% endfor %}</ul>{% endif %}
{% if button %}
<form method="post" action="/connect/{{ token }}"><button type="submit">{{ button }}</button></form>
{% endif %}
</body></html>
"""
_TEMPLATE = Environment(autoescape=select_autoescape(default=True, default_for_string=True)).from_string(_PAGE)

# What the page says, and its button, by state.
_TEXTS = {
    ConnectionState.PENDING: (
        "Your account is being set up. Whatever is still open is asked on Stripe's pages.",
        "Continue",
    ),
    ConnectionState.INCOMPLETE: ("More information is required before you can be paid.", "Manage"),
    ConnectionState.SUCCESSFUL: ("Integration successful: you are paid on your own account.", "Manage"),
    ConnectionState.RESTRICTED: ("Stripe lets this account take no payments at the moment.", "Manage"),
    ConnectionState.DISCONNECTED: ("This account is not connected any more. Please ask whoever sent you the link.", ""),
}
_OFF = "Payments are not switched on for you. Please ask whoever sent you the link."
_REJECTED = "Stripe has turned this account down. Please ask Stripe why."


@dataclass(frozen=True)
class LinkedMerchant:
    """What a merchant's owner may know behind their link."""

    merchant_id: str
    name: str
    state: ConnectionState
    reason: str
    missing: tuple[str, ...]
    takes_payments: bool

    def __post_init__(self) -> None:
        """Read the values as the database has them."""
        object.__setattr__(self, "state", ConnectionState(self.state))
        object.__setattr__(self, "missing", tuple(self.missing))

    @property
    def has_page(self) -> bool:
        """Say whether its button leads anywhere."""
        is_open = self.state is not ConnectionState.DISCONNECTED and self.takes_payments
        return is_open and not is_rejected(self.reason)


def merchant_page(merchant: LinkedMerchant, token: str) -> Response:
    """Show where the connection stands, with a button while the owner can do something at the gateway."""
    text, button = _TEXTS[merchant.state]
    if is_rejected(merchant.reason):
        text = _REJECTED
    elif not merchant.takes_payments and merchant.state is not ConnectionState.DISCONNECTED:
        text = _OFF
    content = _TEMPLATE.render(
        name=one_line(merchant.name),
        text=text,
        missing=[one.replace("_", " ").replace(".", ", ") for one in merchant.missing] if merchant.has_page else [],
        button=button if merchant.has_page else "",
        token=token,
    )
    return HTMLResponse(content, headers=dict(PRIVATE_HEADERS))
