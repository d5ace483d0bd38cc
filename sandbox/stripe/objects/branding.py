"""How pages look: what a Checkout session asks for over what its account has, and what an account is made with."""

import re

from sandbox.stripe.api.errors import invalid_parameter
from sandbox.stripe.jsontypes import Json

# What an account has that was never branded.
_ACCOUNT: Json = {
    "background_color": "#ffffff",
    "border_style": "rounded",
    "button_color": "#0074d4",
    "display_name": "Stripe sandbox",
    "font_family": "default",
    "icon": None,
    "logo": None,
}
_COLORS = ("background_color", "button_color")
_PICTURES = ("icon", "logo")
_HEX = re.compile(r"#[0-9a-fA-F]{3}([0-9a-fA-F]{3})?")
_NO_PAGE = "elements"


def branding_of(params: Json) -> Json:
    """The field with the branding of a new session, if it has a page of Stripe's. What is empty is the account's."""
    given: Json = params.get("branding_settings") or {}
    if params.get("ui_mode") == _NO_PAGE:
        if given:
            raise invalid_parameter("`branding_settings` is not allowed with `ui_mode: elements`.", "branding_settings")
        return {}
    for name in _COLORS:
        if given.get(name) and not _HEX.fullmatch(given[name]):
            raise invalid_parameter("Invalid color: must be a hex color code.", f"branding_settings[{name}]")
    for name in _PICTURES:
        _check_picture(given.get(name), f"branding_settings[{name}]")
    return {"branding_settings": _ACCOUNT | {name: value for name, value in given.items() if value}}


def branding_of_account(params: Json) -> Json:
    """The branding of a new account: the colours it is made with, or none."""
    given: Json = (params.get("settings") or {}).get("branding") or {}
    for name in ("primary_color", "secondary_color"):
        if given.get(name) and not _HEX.fullmatch(given[name]):
            raise invalid_parameter("Invalid color: must be a hex color code.", f"settings[branding][{name}]")
    for name in _PICTURES:
        if given.get(name):
            # This sandbox keeps no files.
            message = f"No such file upload: '{given[name]}'"
            raise invalid_parameter(message, f"settings[branding][{name}]", "resource_missing")
    return dict.fromkeys((*_PICTURES, "primary_color", "secondary_color")) | given


def _check_picture(picture: Json | None, param: str) -> None:
    """A picture is a file of the account's, or an address: the one that its type names, and not the other."""
    if not picture:
        return
    kind, other = picture["type"], "url" if picture["type"] == "file" else "file"
    if not picture.get(kind):
        raise invalid_parameter(f"Missing required param: {param}[{kind}].", f"{param}[{kind}]", "parameter_missing")
    if picture.get(other):
        raise invalid_parameter(f"`{other}` is not allowed with `type: {kind}`.", f"{param}[{other}]")
    if kind == "file":
        # This sandbox keeps no files.
        raise invalid_parameter(f"No such file upload: '{picture['file']}'", f"{param}[file]", "resource_missing")
    if not picture["url"].startswith(("https://", "http://")):
        raise invalid_parameter("Not a valid URL", f"{param}[url]", "url_invalid")
