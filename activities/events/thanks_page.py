"""What customers read who come back from a page of the gateway, and their way back to the portal.

The gateway sends everybody to one address, wherever they had come from: whoever is signed in at the portal is still so,
and others are asked there for their address.
"""

from jinja2 import Environment, select_autoescape
from starlette.responses import HTMLResponse, Response

from activities.events.request_links import PRIVATE_HEADERS

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Thank you</title>
<style>body{font:16px/1.5 sans-serif;max-width:34rem;margin:3rem auto;padding:0 1rem}h1{font-size:1.4rem}</style></head>
<body><h1>Thank you.</h1>
<p>{{ text }}</p>
{% if back %}<p><a href="{{ back }}">Back to your account</a></p>{% endif %}
</body></html>
"""
_TEMPLATE = Environment(autoescape=select_autoescape(default=True, default_for_string=True)).from_string(_PAGE)


def thanks_page(text: str, portal_url: str, path: str) -> Response:
    """Thank a customer; where there is a portal, lead back to a page of it."""
    back = f"{portal_url}{path}" if portal_url else ""
    return HTMLResponse(_TEMPLATE.render(text=text, back=back), headers=dict(PRIVATE_HEADERS))
